"""Calls, message by message: who says what, how they end, and what happens when something is lost."""

from __future__ import annotations

import pytest

from harness.sip.call import Call
from harness.sip.call_states import CallState, End
from harness.sip.capabilities import audio_phone
from harness.sip.flow import Target
from harness.sip.message import Response
from tests.harness.sip.network import PORT, T1, TICK, MemoryFlow, Network

A, B = "192.0.2.1", "192.0.2.2"
BOB = f"sip:bob@{B}"


def placed(network: Network, kind: str = "UDP", early: bool = True) -> tuple[Call, Call]:
    """A call that stands, as both ends see it."""
    alice, bob = network.agent(A, kind), network.agent(B, kind)
    call = alice.call(BOB, where=[Target(kind, B, PORT)], early=early)
    network.run()
    (other,) = bob.calls
    assert call.state is other.state is CallState.ESTABLISHED
    return call, other


def over(call: Call) -> End:
    """How it ended."""
    assert call.result is not None
    assert call.ended.called
    return call.result.end


@pytest.mark.parametrize("early", [True, False])
def test_call(network: Network, early: bool) -> None:
    """INVITE, 180, 200, ACK: both have both descriptions, whoever offered."""
    call, other = placed(network, early=early)
    assert network.log == [f"{A} > {B}: INVITE", f"{B} > {A}: 180 INVITE", f"{B} > {A}: 200 INVITE", f"{A} > {B}: ACK"]
    assert (call.local, call.remote) == (other.remote, other.local)
    assert call.local is not None
    assert other.acknowledged
    invite, _, ok, ack = network.messages
    assert [bool(message.body) for message in (invite, ok, ack)] == [early, True, not early]
    assert str(ack.cseq) == f"{invite.cseq.number} ACK"
    assert ack.uri == ok.contact.uri == f"sip:user@{B}:{PORT}"


@pytest.mark.parametrize("by_caller", [True, False])
def test_hang_up(network: Network, by_caller: bool) -> None:
    """Either side may; the reason goes with it."""
    call, other = placed(network)
    first, second = (call, other) if by_caller else (other, call)
    first.hang_up([("Reason", "Q.850;cause=47")])
    network.run()
    assert (over(first), over(second)) == (End.HUNG_UP, End.REMOTE)
    assert second.result is not None
    assert second.result.request is not None
    assert second.result.request.first("Reason") == "Q.850;cause=47"


def test_cancel(network: Network) -> None:
    """While it rings: CANCEL, 200, 487, ACK."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: call.ring()
    call = alice.call(BOB)
    network.run()
    (other,) = bob.calls
    assert call.state is CallState.RINGING
    call.hang_up()
    network.run()
    said = [f"{A} > {B}: CANCEL", f"{B} > {A}: 200 CANCEL", f"{B} > {A}: 487 INVITE", f"{A} > {B}: ACK"]
    assert network.log[-4:] == said
    assert (over(call), over(other)) == (End.CANCELLED, End.CANCELLED)
    assert call.established.result is False
    assert bob.calls == []


def test_cancel_crosses_200(network: Network) -> None:
    """The call that stands all the same is acknowledged, and ended by BYE."""
    alice, bob = network.agent(A), network.agent(B)
    calls: list[Call] = []
    bob.on_call = lambda call: (call.ring(), calls.append(call))[0]
    call = alice.call(BOB)
    network.run()
    calls[0].answer()
    call.hang_up()
    network.run()
    assert call.state is CallState.ESTABLISHED, "the 200 counts; who wants to may hang up now"
    call.hang_up()
    network.run()
    assert (over(call), over(calls[0])) == (End.HUNG_UP, End.REMOTE)


def test_200_again_behind_the_bye(network: Network) -> None:
    """Whose ACK was lost sends the 200 again while our BYE is on its way: one more ACK, and no second BYE."""
    network.lost = lambda message: getattr(message, "method", "") == "ACK"
    call = network.agent(A).call(BOB, where=[Target("UDP", B, PORT)])
    network.agent(B)
    network.run()
    network.lost = lambda message: getattr(message, "method", "") == "BYE"
    call.hang_up()
    network.run(T1 + TICK * 10)
    acks = [each for each in network.messages if getattr(each, "method", "") == "ACK"]
    byes = {each.via.branch for each in network.messages if getattr(each, "method", "") == "BYE"}
    assert (len(acks), len(byes)) == (2, 1)


def test_refused(network: Network) -> None:
    """With its status and reason."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: call.reject(403, "Policy", [("Warning", f'399 {B} "Policy Response"')])
    call = alice.call(BOB)
    network.run()
    assert over(call) is End.REFUSED
    assert call.result is not None
    assert isinstance(call.result.response, Response)
    assert call.result.response.start_line == "SIP/2.0 403 Policy"
    assert call.result.response.first("Warning") == f'399 {B} "Policy Response"'


def test_nobody_there(network: Network) -> None:
    """64 T1 later the call has failed."""
    call = network.agent(A).call(BOB)
    network.run(33)
    assert over(call) is End.FAILED
    assert call.result is not None
    assert "no response" in call.result.detail


def test_connection_is_reset_while_it_rings(network: Network) -> None:
    """That is known at once."""
    alice, bob = network.agent(A, "TCP"), network.agent(B, "TCP")
    bob.on_call = lambda call: call.ring()
    call = alice.call(BOB, where=[Target("TCP", B, PORT)])
    network.run()
    network.cut(B)
    assert over(call) is End.FAILED
    assert call.result is not None
    assert "lost" in call.result.detail


def test_200_is_sent_until_its_ack(network: Network) -> None:
    """T1, doubling up to T2, over connections too (13.3.1.4); each is acknowledged with the same ACK."""
    acks = iter([True, True, False])
    network.lost = lambda message: getattr(message, "method", "") == "ACK" and next(acks, False)
    call, other = placed(network, "TCP")
    network.run(4)
    assert network.count(f"{B} > {A}: 200 INVITE") == 3
    assert network.count(f"{A} > {B}: ACK") == 3
    assert other.acknowledged
    network.run(10)
    assert network.count(f"{B} > {A}: 200 INVITE") == 3
    assert call.state is CallState.ESTABLISHED


def test_a_standing_call_has_no_timer_without_its_element(network: Network) -> None:
    """Neither of its 200, which still waits for the ACK, nor any other."""
    network.lost = lambda message: getattr(message, "method", "") == "ACK"
    _, other = placed(network)
    network.run(1)
    assert network.clock.getDelayedCalls()
    assert network.close() == []
    network.run(40)
    assert other.state is CallState.ESTABLISHED, "nothing happens any more"


def test_no_ack_ever(network: Network) -> None:
    """After 64 T1 the callee hangs up."""
    network.lost = lambda message: getattr(message, "method", "") == "ACK"
    call, other = placed(network)
    network.run(31.5)
    assert other.state is CallState.ESTABLISHED
    network.run(1)
    assert (over(other), over(call)) == (End.NO_ACK, End.REMOTE)


def test_hold(network: Network) -> None:
    """A re-INVITE with the next version; the answer mirrors its direction."""
    call, other = placed(network)
    assert call.local is not None
    held = call.reinvite(call.local.held())
    network.run()
    assert isinstance(held.result, Response)
    assert held.result.status == 200
    assert call.remote is not None
    assert other.remote is not None
    assert (call.remote.media[0].direction, other.remote.media[0].direction) == ("recvonly", "sendonly")
    assert network.log[-3:] == [f"{A} > {B}: INVITE", f"{B} > {A}: 200 INVITE", f"{A} > {B}: ACK"]
    resumed = other.reinvite(None)
    network.run()
    assert isinstance(resumed.result, Response)
    assert call.local.media[0].port


def test_both_change_at_once(network: Network) -> None:
    """Both are refused with 491 (14.1)."""
    call, other = placed(network)
    assert call.local is not None
    assert other.local is not None
    changes = [call.reinvite(call.local.held()), other.reinvite(other.local.held())]
    network.run()
    assert [change.result.status for change in changes] == [491, 491]
    call.hang_up()
    network.run()
    assert over(other) is End.REMOTE


def test_other_requests(network: Network) -> None:
    """INFO is answered, a request that is out of order is 500, one in no dialog 481."""
    call, _ = placed(network)
    asked = call.ask("INFO", [("Info-Package", "x")])
    network.run()
    assert asked.result.status == 200
    assert call.dialog is not None
    call.dialog.sequence -= 1
    asked = call.ask("INFO")
    network.run()
    assert asked.result.status == 500
    call.dialog.remote = call.dialog.remote.with_tag("another")
    asked = call.ask("INFO")
    network.run()
    assert asked.result.status == 481


def test_answer_is_early_media(network: Network) -> None:
    """183 with the answer; the 200 says the same."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: (call.ring(183, with_media=True), network.clock.callLater(1, call.answer))[0]
    call = alice.call(BOB)
    network.run(0.5)
    early = call.remote
    assert early is not None
    network.run(1)
    assert (call.remote, call.state) == (early, CallState.ESTABLISHED)


def test_two_callees_answer(network: Network) -> None:
    """The second 2xx of a forked call is acknowledged and hung up (13.2.2.4)."""
    call, other = placed(network)
    ok = network.last("200")
    second = ok.put("To", str(ok.to.with_tag("second"))).put("Contact", f"<sip:second@{B}:{PORT}>")
    network.carry(MemoryFlow(network, "UDP", (B, PORT), (A, PORT)), second.to_bytes())
    network.run()
    said = [message for message in network.messages if getattr(message, "uri", "") == f"sip:second@{B}:{PORT}"]
    assert [message.method for message in said] == ["ACK", "BYE"]
    assert call.state is other.state is CallState.ESTABLISHED


def test_body_that_is_no_description(network: Network) -> None:
    """Counts as none: the call is offered something."""
    alice, bob = network.agent(A), network.agent(B)
    call = Call(alice, alice.request("INVITE", BOB).with_body(b"nonsense"), None)
    call.start(None)
    network.run()
    assert call.state is CallState.ESTABLISHED
    assert bob.calls[0].remote == call.local


def test_no_common_codec(network: Network) -> None:
    """488, unless the callee answers all the same."""
    alice = network.agent(A, able=audio_phone(A, names=("G729",)))
    bob = network.agent(B, able=audio_phone(B, names=("PCMU",)))
    call = alice.call(BOB)
    network.run()
    assert call.result is not None
    assert call.result.response is not None
    assert call.result.response.status == 488
    bob.on_call = lambda call: call.answer()
    call = alice.call(BOB)
    network.run()
    assert call.remote is not None
    assert (call.state, call.remote.media[0].port) == (CallState.ESTABLISHED, 0)


@pytest.mark.parametrize("kind", ["TCP", "UDP"])
@pytest.mark.parametrize("ticks", range(0, 16))
def test_connection_ends_at_any_point(network: Network, kind: str, ticks: int) -> None:
    """In the middle of a call, a hold and a BYE: every call ends, nothing escapes, and no timer is left."""
    alice, bob = network.agent(A, kind), network.agent(B, kind)
    call = alice.call(BOB, where=[Target(kind, B, PORT)])
    call.established.addCallback(lambda stood: stood and call.reinvite(call.local and call.local.held()))
    network.clock.callLater(0.008, call.hang_up)
    network.run(ticks * TICK)
    others = bob.calls
    network.cut(A)
    network.lost = lambda message: True
    network.run(200)
    for each in (call, *others):
        each.hang_up()
    network.run(200)
    assert all(each.state is CallState.ENDED for each in (call, *others))
    assert alice.calls == bob.calls == []
    assert not network.clock.getDelayedCalls()
