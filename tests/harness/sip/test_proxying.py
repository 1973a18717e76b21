"""A stateful proxy: where requests go, what comes back, and what it answers itself (RFC 3261 16)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from alg.errors import SipSyntaxError
from harness.sip.call_states import CallState, End
from harness.sip.flow import Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Plan, Proxy, ProxySettings, Refuse
from harness.sip.resolve import locate_literal
from harness.sip.server import ServerTransaction
from tests.harness.sip.network import PORT, MemoryFlow, Network
from tests.harness.sip.samples import request

A, B, C, P, Q = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9", "192.0.2.10"
VIA_P = [Target("UDP", P, PORT)]


def proxy(network: Network, host: str, *targets: str, kinds: tuple[str, ...] = ("UDP",), **settings: Any) -> Proxy:
    """A proxy that tries these URIs one after the other."""
    element = network.element(host, *kinds)

    def route(came: Request, transaction: ServerTransaction) -> Plan:
        return [Branch(came.with_uri(uri)) for uri in targets]

    element.core = made = Proxy(element, ProxySettings(locate_literal(), **({"route": route} | settings)))
    return made


def test_call(network: Network) -> None:
    """Everything of a call passes the proxy that put itself on the way, until the last response."""
    through = proxy(network, P, f"sip:bob@{B}")
    alice, bob = network.agent(A), network.agent(B)
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    call.where = None
    assert call.state is CallState.ESTABLISHED
    bob.calls[0].hang_up()
    network.run()
    assert call.result is not None
    assert call.result.end is End.REMOTE
    assert all(P in entry for entry in network.log)
    invite = next(each for each in network.messages if getattr(each, "uri", "") == f"sip:bob@{B}")
    assert (invite.first("Max-Forwards"), len(invite.vias), invite.first("Record-Route")) == (
        "69",
        2,
        f"<sip:{P}:{PORT};lr>",
    )
    ok = network.last("200")
    assert len(ok.vias) == 1
    assert through.pending == 0


def test_two_transports(network: Network) -> None:
    """Two Record-Routes, one for each side (RFC 5658 5); both sides take them in their order."""
    proxy(network, P, f"sip:bob@{B};transport=tcp", kinds=("UDP", "TCP"))
    alice, bob = network.agent(A), network.agent(B, "TCP")
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    call.where = None
    assert call.dialog is not None
    assert call.dialog.routes == [f"<sip:{P}:{PORT};lr>", f"<sip:{P}:{PORT};transport=tcp;lr>"]
    call.hang_up()
    network.run()
    assert bob.calls == []
    assert call.result is not None
    assert network.last("BYE").values("Route") == []


def test_two_proxies(network: Network) -> None:
    """A request in the dialog takes both."""
    proxy(network, P, f"sip:bob@{Q}")
    proxy(network, Q, f"sip:bob@{B}")
    alice, bob = network.agent(A), network.agent(B)
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    call.where = None
    bob.calls[0].hang_up()
    network.run()
    assert [entry for entry in network.log if "BYE" in entry and "200" not in entry] == [
        f"{B} > {Q}: BYE",
        f"{Q} > {P}: BYE",
        f"{P} > {A}: BYE",
    ]


def test_cancel_goes_through(network: Network) -> None:
    """And the 487 comes back."""
    through = proxy(network, P, f"sip:bob@{B}", f"sip:carol@{C}")
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: call.ring()
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    call.hang_up()
    network.run()
    assert call.result is not None
    assert call.result.end is End.CANCELLED
    assert network.count(f"{P} > {B}: CANCEL") == 1
    assert not any(C in entry for entry in network.log), "the next branch is not tried"
    assert through.pending == 0


def test_next_branch(network: Network) -> None:
    """Is tried behind a failure; of several the best comes back (16.7)."""
    proxy(network, P, f"sip:bob@{B}", f"sip:carol@{C}")
    alice, bob, carol = network.agent(A), network.agent(B), network.agent(C)
    bob.on_call = lambda call: call.reject(404)
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    assert call.state is CallState.ESTABLISHED
    assert len(carol.calls) == 1
    carol.on_call = lambda call: call.reject(503)
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    assert [response.status for response in call.responses] == [100, 404]


def test_decline_is_for_all(network: Network) -> None:
    """Behind a 6xx nobody else is asked."""
    proxy(network, P, f"sip:bob@{B}", f"sip:carol@{C}")
    alice, bob, _ = network.agent(A), network.agent(B), network.agent(C)
    bob.on_call = lambda call: call.reject(603)
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run()
    assert call.result is not None
    assert call.result.response is not None
    assert call.result.response.status == 603
    assert not any(C in entry for entry in network.log)


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("sip:x@192.0.2.99;transport=tcp", 503),
        ("sip:x@192.0.2.99", 408),
        ("sip:nowhere.example.com", 404),
        ("tel:+1", 416),
    ],
)
def test_nobody_there(network: Network, uri: str, status: int) -> None:
    """Refused, silent, unknown, unreachable by SIP."""
    proxy(network, P, uri, kinds=("UDP", "TCP"))
    asked = network.agent(A).ask("OPTIONS", "sip:bob@example.com", where=VIA_P)
    network.run(31.9)
    if status == 408:
        network.run(1)
        assert network.last("408").to.tag
        return
    assert isinstance(asked.result, Response)
    assert asked.result.status == status


def test_warning_and_refusal(network: Network) -> None:
    """What the routing logic refuses is refused in its words, with a Warning of our host."""
    refusal = Refuse(404, fields=(("Warning", f'399 {P} "Policy Response"'),))
    proxy(network, P, route=lambda came, transaction: refusal, warning=P)
    alice = network.agent(A)
    asked = alice.ask("OPTIONS", "sip:bob@example.com", where=VIA_P)
    network.run()
    assert asked.result.first("Warning") == f'399 {P} "Policy Response"'
    proxy(network, P, route=lambda came, transaction: [], warning=P)
    asked = alice.ask("OPTIONS", "sip:bob@example.com", where=VIA_P)
    network.run()
    assert (asked.result.status, asked.result.first("Warning")) == (404, f'399 {P} "Not Found"')


def inject(network: Network, data: bytes) -> None:
    """Somebody at A sends a message to the proxy."""
    network.carry(MemoryFlow(network, "UDP", (A, PORT), (P, PORT)), data)
    network.run()


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"Max_Forwards": "0"}, 483), ({"Proxy_Require": "x"}, 420), ({"Route": "<sip:x"}, 400)],
)
def test_invalid(network: Network, fields: dict[str, str], status: int) -> None:
    """16.3: what cannot be forwarded is answered."""
    proxy(network, P, f"sip:bob@{B}")
    came = request("OPTIONS")
    for name, value in fields.items():
        came = came.put(name.replace("_", "-"), value)
    inject(network, came.to_bytes())
    assert network.log[1:] == [f"{P} > {A}: {status} OPTIONS"]


def test_loop(network: Network) -> None:
    """Two proxies that send a request to each other notice it at once: 482, not 70 hops."""
    proxy(network, P, f"sip:bob@{Q}")
    proxy(network, Q, f"sip:bob@{P}")
    asked = network.agent(A).ask("OPTIONS", f"sip:bob@{P}", where=VIA_P)
    network.run()
    assert asked.result.status == 482
    assert len(network.log) < 12


def test_spiral_is_no_loop(network: Network) -> None:
    """A request may come by again for another address."""
    element = network.element(P)

    def route(came: Request, transaction: ServerTransaction) -> Plan:
        return [Branch(came.with_uri(f"sip:bob@{B}" if "two" in came.uri else f"sip:two@{P}"))]

    element.core = Proxy(element, ProxySettings(locate_literal(), route))
    network.agent(B)
    asked = network.agent(A).ask("OPTIONS", f"sip:one@{P}", where=VIA_P)
    network.run()
    assert asked.result.status == 200


def test_own_routes_are_taken_out(network: Network) -> None:
    """16.4: the first Routes if they are ours; what is left decides."""
    proxy(network, P, f"sip:bob@{B}")
    network.agent(C)
    came = request("MESSAGE", tag="x", Route=f"<sip:{P};lr>, <sip:{P}:{PORT};lr>, <sip:{C};lr>")
    inject(network, came.to_bytes())
    assert network.log[1] == f"{P} > {C}: MESSAGE"
    assert network.messages[1].values("Route") == [f"<sip:{C};lr>"]


def test_strict_router_before_and_behind(network: Network) -> None:
    """One that made us the Request-URI gets it back in order; one that is next gets what it expects."""
    proxy(network, P, f"sip:bob@{B}")
    network.agent(C)
    before = request("MESSAGE", tag="x", Route=f"<sip:{C};lr>, <sip:bob@{B}>").with_uri(f"sip:{P};lr")
    inject(network, before.to_bytes())
    assert (network.messages[1].uri, network.messages[1].values("Route")) == (f"sip:bob@{B}", [f"<sip:{C};lr>"])
    behind = request("MESSAGE", tag="x", branch="z9hG4bKy", number=2, Route=f"<sip:{C}>")
    inject(network, behind.to_bytes())
    sent = next(each for each in network.messages if getattr(each, "uri", "") == f"sip:{C}")
    assert sent.values("Route") == [f"<sip:bob@{B}>"]
    assert f"{P} > {C}: MESSAGE" in network.log


def test_decision_takes_time(network: Network) -> None:
    """Look-ups may; a CANCEL in the meantime ends the matter, and a malformed request is 400."""
    decisions: list[tuple[Request, Deferred[Plan]]] = []

    def route(came: Request, transaction: ServerTransaction) -> Deferred[Plan]:
        decisions.append((came, Deferred()))
        return decisions[-1][1]

    proxy(network, P, route=route)
    network.agent(B)
    alice = network.agent(A)
    asked = [alice.ask("OPTIONS", f"sip:bob@{B}", where=VIA_P) for _ in range(2)]
    call = alice.call(f"sip:bob@{B}", where=VIA_P)
    network.run(0.3)
    (came, first), (_, second), (invite, third) = decisions
    first.callback([Branch(came)])
    second.errback(SipSyntaxError("route", "no address", 0))
    call.hang_up()
    network.run()
    third.callback([Branch(invite)])
    network.run()
    assert [each.result.status for each in asked] == [200, 400]
    assert call.result is not None
    assert call.result.end is End.CANCELLED
    assert network.count(f"{P} > {B}: INVITE") == 0


def test_somebody_else_answers(network: Network) -> None:
    """The routing logic may have it done."""

    def route(came: Request, transaction: ServerTransaction) -> Plan:
        transaction.respond(Response.to_request(came, 202, tag="x"))

    through = proxy(network, P, route=route)
    asked = network.agent(A).ask("OPTIONS", f"sip:bob@{B}", where=VIA_P)
    network.run()
    assert (asked.result.status, through.pending) == (202, 0)


def test_timer_c(network: Network) -> None:
    """An INVITE that rings for three minutes is cancelled (16.8)."""
    proxy(network, P, f"sip:bob@{B}")
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: call.ring()
    call = alice.call("sip:bob@example.com", where=VIA_P)
    network.run(180)
    assert call.state is CallState.RINGING
    network.run(2)
    assert call.state is CallState.ENDED
    assert network.count(f"{P} > {B}: CANCEL") == 1


def test_ack_without_a_way(network: Network) -> None:
    """Is dropped: to ourselves, to nowhere, with no hop left."""
    proxy(network, P, f"sip:bob@{B}")
    for place, uri in enumerate((f"sip:{P}", "sip:nowhere.example.com", "tel:+1")):
        inject(network, request("ACK", branch=f"z9hG4bK{place}", tag="x").with_uri(uri).to_bytes())
    inject(network, request("ACK", tag="x").put("Max-Forwards", "0").to_bytes())
    assert len(network.log) == 4


def test_changes_on_the_way(network: Network) -> None:
    """A branch may change what leaves, the proxy what goes back."""
    element = network.element(P)

    def stamp(came: Request, leaves: Any) -> Request:
        return came.put("X-Out", leaves.remote[0])

    settings = ProxySettings(
        locate_literal(), lambda came, transaction: [Branch(came.with_uri(f"sip:{B}"), finish=stamp)]
    )
    element.core = made = Proxy(element, settings)
    made.on_response = lambda response, flow: response.put("X-Back", flow.remote[0])
    network.agent(B)
    asked = network.agent(A).ask("OPTIONS", "sip:bob@example.com", where=VIA_P)
    network.run()
    assert network.messages[1].first("X-Out") == B
    assert asked.result.first("X-Back") == A


def test_no_timer_without_the_element(network: Network) -> None:
    """Timer C of an INVITE that nobody answers ends with it."""
    proxy(network, P, f"sip:bob@{B}")
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = lambda call: call.ring()
    alice.call("sip:bob@example.com", where=VIA_P)
    network.run(1)
    assert network.close() == []
