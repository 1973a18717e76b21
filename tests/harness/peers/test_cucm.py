"""A CUCM: its limit byte by byte, its trace, calls in both directions and both kinds of offer, and bad manners."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.peers.cucm import Cucm, dialled
from harness.peers.cucm_settings import CucmSettings, EarlyOffer, Region
from harness.sip.call import Call
from harness.sip.call_states import End
from harness.sip.flow import Loss, Target
from harness.sip.offer_answer import agreed
from tests.harness.peers.sparring import HOST, INVITE, SLOW, Opponent, abuse, close, talk, wait
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE, sipalg_command, sipalg_environment

PLAIN = CucmSettings(srtp_allowed=False)
LIMITS = (5000, 11000, 18000)


class Node:
    """A CUCM that listens, and its trace."""

    def __init__(self, turned: Turned, settings: CucmSettings) -> None:
        self.trace = io.StringIO()
        self.cucm = Cucm(turned.reactor, settings, HOST, self.trace, timers=SLOW)
        self.at = self.cucm.listen((HOST, 0))

    @property
    def where(self) -> list[Target]:
        """It."""
        return [Target("TCP", *self.at)]


MakeNode = Callable[[CucmSettings], Node]


@pytest.fixture
def make_node(turned: Turned) -> Iterator[MakeNode]:
    """Nodes, which are closed when the test is over."""
    nodes: list[Node] = []

    def make(settings: CucmSettings) -> Node:
        nodes.append(Node(turned, settings))
        return nodes[-1]

    yield make
    close(turned, *(node.cucm for node in nodes))


@pytest.fixture
def opponent(turned: Turned) -> Iterator[Opponent]:
    """Somebody to talk to."""
    opponent = Opponent.make(turned)
    yield opponent
    opponent.close(turned)


def sized(size: int, number: int = 1) -> bytes:
    """An INVITE of so many bytes, without an offer that could be understood."""
    head = INVITE.replace(b"Call-ID: cut", b"Call-ID: size%d" % number).replace(b"hG4bKcall", b"hG4bKsize%d" % number)
    head = head.replace(b"Content-Length: 0", b"Content-Type: text/plain\r\nContent-Length: %5d")
    length = size - len(head % 0)
    return head % length + b"x" * length


@pytest.mark.parametrize("limit", LIMITS)
def test_limit_to_the_byte(turned: Turned, make_node: MakeNode, limit: int) -> None:
    """What has as many bytes is answered; one byte more, and there is no SIP answer but a reset."""
    node = make_node(replace(PLAIN, sip_max_incoming_message_size=limit))
    assert len(sized(limit)) == limit
    assert turned.meanwhile(lambda: talk(node.at, sized(limit))).startswith(b"SIP/2.0 ")
    with pytest.raises(ConnectionResetError):
        turned.result(_in_thread(turned, node.at, sized(limit + 1, 2)))
    assert f"Only allow up to {limit} bytes. Resetting connection." in node.trace.getvalue()


def _in_thread(turned: Turned, at: tuple[str, int], message: bytes) -> Deferred[bytes]:
    def attempt() -> bytes | OSError:
        try:
            return talk(at, message)
        except OSError as failure:
            return failure

    done: Deferred[bytes] = Deferred()
    found = turned.meanwhile(attempt)
    if isinstance(found, OSError):
        done.errback(found)
    else:
        done.callback(found)
    return done


@pytest.mark.parametrize("limit", LIMITS)
def test_fuzzing_finds_the_limit(turned: Turned, make_node: MakeNode, tmp_path: Path, limit: int) -> None:
    """`sipalg fuzz size` says the very number, and the trace of the CUCM tells of every message that was too large."""
    node = make_node(replace(PLAIN, sip_max_incoming_message_size=limit))
    bounds = ("--min", str(limit - 60), "--max", str(limit + 60))
    arguments = (
        "--method",
        "INVITE",
        "--grow",
        "sdp-attributes",
        "--json",
        "--seed",
        "1",
        "--out",
        str(tmp_path),
    )
    command = sipalg_command("fuzz", "size", "--to", f"{node.at[0]}:{node.at[1]}", *bounds, *arguments)
    done = turned.meanwhile(
        lambda: subprocess.run(
            command, capture_output=True, text=True, timeout=6 * PATIENCE, check=False, env=sipalg_environment()
        )
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["largest_accepted"], found["smallest_refused"], found["refusal"]) == (limit, limit + 1, "reset")
    trace = node.trace.getvalue()
    assert trace.count(f"SIPTcp - SdlRead bufferLen={limit}\n") > 0
    lengths = [tuple(map(int, each)) for each in re.findall(r"Content Length (\d+), Bytes Remaining (\d+)", trace)]
    assert (min(remaining for _, remaining in lengths)) == 1


def test_reads_up_to_the_limit_before_it_resets(turned: Turned, make_node: MakeNode, opponent: Opponent) -> None:
    """A header that announces too much is not enough: as long as fewer bytes have come, it waits for them."""
    node = make_node(replace(PLAIN, sip_max_incoming_message_size=5000))
    flow: Any = turned.result(opponent.agent.element.transport.flow_to(node.where[0]))
    large = sized(8804)
    flow.send_bytes(large[:4999])
    wait(turned, 0.2)
    assert (opponent.tap.endings, node.trace.getvalue()) == ([], "")
    flow.send_bytes(large[4999:5000])
    turned.until("the reset", lambda: bool(opponent.tap.endings))
    assert opponent.tap.endings == [Loss.RESET]
    header = large.index(b"\r\n\r\n") + 4
    assert f"Content Length {8804 - header}, Bytes Remaining 3804" in node.trace.getvalue()


def test_header_larger_than_the_limit(turned: Turned, make_node: MakeNode) -> None:
    """It is ignored as well; nothing is known of a body."""
    node = make_node(replace(PLAIN, sip_max_incoming_message_size=5000))
    with pytest.raises(ConnectionResetError):
        turned.result(_in_thread(turned, node.at, INVITE.replace(b"Max-F", b"X: %s\r\nMax-F" % (b"x" * 5000))))
    assert "bufferLen=5000" in node.trace.getvalue()
    assert "Content Length" not in node.trace.getvalue()


@pytest.mark.parametrize("offer", EarlyOffer)
def test_calls(turned: Turned, make_node: MakeNode, opponent: Opponent, offer: EarlyOffer) -> None:
    """It places a call with an early offer or without one, as its SIP profile says; audio is agreed on either way."""
    node = make_node(replace(PLAIN, early_offer=offer))
    call = node.cucm.call("sip:bob@example.com", [Target("TCP", *opponent.at)])
    assert turned.result(call.established)
    invite = opponent.tap.last("INVITE")
    assert invite.is_sdp is (offer is not EarlyOffer.DISABLED)
    assert invite.first("User-Agent") == "Cisco-CUCM11.5"
    turned.until("the ACK", lambda: "ACK" in opponent.tap.titles())
    assert opponent.tap.last("ACK").is_sdp is (offer is EarlyOffer.DISABLED)
    call.hang_up()
    assert turned.result(call.ended).end is End.HUNG_UP
    assert opponent.tap.last("BYE").first("Reason") is None


@pytest.mark.parametrize("offer", [EarlyOffer.DISABLED, EarlyOffer.MANDATORY])
def test_no_common_codec(turned: Turned, make_node: MakeNode, opponent: Opponent, offer: EarlyOffer) -> None:
    """The 200 is acknowledged, and a BYE with cause 47 follows."""
    opponent.agent.on_call = _answer_anyway
    node = make_node(replace(PLAIN, early_offer=offer, region=Region(8)))
    call = node.cucm.call("sip:bob@example.com", [Target("TCP", *opponent.at)])
    turned.result(call.ended)
    assert [each for each in opponent.tap.titles() if not each.startswith("2")] == ["INVITE", "ACK", "BYE"]
    assert opponent.tap.last("BYE").first("Reason") == "Q.850;cause=47"


def _answer_anyway(call: Call) -> None:
    call.ring()
    call.answer()


@pytest.mark.parametrize(("kbps", "status"), [(8, 488), (64, 200)])
def test_offer_that_comes(turned: Turned, make_node: MakeNode, opponent: Opponent, kbps: int, status: int) -> None:
    """It is answered, or refused with the same cause, by the region."""
    node = make_node(replace(PLAIN, region=Region(kbps)))
    call = opponent.agent.call("sip:5010@example.local", where=node.where)
    turned.until("an answer", lambda: f"{status} INVITE" in opponent.tap.titles())
    answer = opponent.tap.last(f"{status} INVITE")
    assert answer.first("Reason") == ("Q.850;cause=47" if status == 488 else None)
    if status == 200:
        assert turned.result(call.established)
        call.hang_up()
        turned.result(call.ended)


@pytest.mark.parametrize(("kbps", "titles"), [(8, ["200 INVITE", "BYE"]), (64, ["200 INVITE"])])
def test_invite_without_offer(
    turned: Turned, make_node: MakeNode, opponent: Opponent, kbps: int, titles: list[str]
) -> None:
    """Its own offer goes out in the 200; an ACK that refuses its audio is followed by BYE."""
    node = make_node(replace(PLAIN, region=Region(kbps)))
    call = opponent.agent.call("sip:5010@example.local", early=False, where=node.where)
    assert turned.result(call.established)
    assert call.local is not None
    assert agreed(call.local) is (kbps == 64)
    if kbps == 64:
        call.hang_up()
    turned.result(call.ended)
    final = [each for each in opponent.tap.titles() if each in ("200 INVITE", "BYE")]
    assert final == titles


def test_srtp(turned: Turned, make_node: MakeNode) -> None:
    """A trunk with SRTP allowed offers RTP/SAVP with keys."""
    opponent = Opponent.make(turned)
    node = make_node(CucmSettings(early_offer=EarlyOffer.BEST_EFFORT))
    call = node.cucm.call("sip:bob@example.com", [Target("TCP", *opponent.at)])
    turned.result(call.ended)
    body = opponent.tap.last("INVITE").body
    assert b"m=audio 16384 RTP/SAVP 107 108 9 110 0 8 18 101\r\n" in body
    assert body.count(b"a=crypto:") == 4
    opponent.close(turned)


def test_lines(turned: Turned, make_node: MakeNode, opponent: Opponent) -> None:
    """Numbers that there are not get 404."""
    node = make_node(replace(PLAIN, directory_numbers=("5010",)))
    call = opponent.agent.call("sip:5099@example.local", where=node.where)
    ended = turned.result(call.ended)
    assert ended.response is not None
    assert ended.response.status == 404
    assert [dialled(each) for each in ("sip:5010@a;x=1", "tel:+155;phone-context=a", "sip:host")] == [
        "5010",
        "+155",
        "host",
    ]


def test_ringing_ends_with_the_peer(turned: Turned, make_node: MakeNode, opponent: Opponent) -> None:
    """A line that rings when the node is closed rings no more."""
    node = make_node(replace(PLAIN, ring=60.0))
    opponent.agent.call("sip:5010@example.local", where=node.where)
    turned.until("it rings", lambda: "180 INVITE" in opponent.tap.titles())


def test_registrar(turned: Turned, make_node: MakeNode, opponent: Opponent) -> None:
    """A phone is registered for as long as it asks for, until it takes that back."""
    node = make_node(PLAIN)
    registration = opponent.agent.register("sip:example.local", 600, node.where)
    turned.result(registration.first)
    assert (registration.registered, registration.granted) == (True, 600)
    assert list(node.cucm.registrations) == ["sip:test@example.com"]
    turned.result(registration.stop())
    assert node.cucm.registrations == {}


def test_survives(turned: Turned, make_node: MakeNode) -> None:
    """Torture, garbage, connections cut anywhere: an OPTIONS is answered behind all of it."""
    node = make_node(replace(PLAIN, sip_max_incoming_message_size=5000))
    assert abuse(turned, node.at).startswith(b"SIP/2.0 200 ")
