"""A user agent: what it says of itself, and what it answers to whatever comes."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from alg.errors import SipSyntaxError
from harness.sip.agent import AnswerPolicy
from harness.sip.call_states import CallState, End
from harness.sip.flow import Target
from harness.sip.message import Response, parse
from tests.harness.sip.network import PORT, MemoryFlow, Network
from tests.harness.sip.samples import request
from tests.test_torture import INSIDE, WELL_FORMED, filled

A, B = "192.0.2.1", "192.0.2.2"
BOB = f"sip:bob@{B}"


def inject(network: Network, data: bytes) -> None:
    """Somebody at A sends a message to B."""
    network.carry(MemoryFlow(network, "UDP", (A, PORT), (B, PORT)), data)
    network.run()


def test_invite_says_who_we_are(network: Network) -> None:
    """Everything a message of the field has."""
    alice = network.agent(
        A, "TCP", display='"Alice"', product="TANDBERG/4132 (X8.7.2)", fields=(("Supported", "timer"),)
    )
    network.agent(B, "TCP")
    fields = [("X-TAATag", "x")]
    alice.call(BOB, where=[Target("TCP", B, PORT)], fields=fields, routes=[f"<sip:{B};transport=tcp;lr>"])
    invite = network.messages[0]
    assert str(invite.sender).startswith(f'"Alice" <sip:user@{A}>;tag=')
    assert invite.values("Contact") == [f"<sip:user@{A}:{PORT};transport=tcp>"]
    assert invite.values("Route") == [f"<sip:{B};transport=tcp;lr>"]
    for name, value in (
        ("User-Agent", "TANDBERG/4132 (X8.7.2)"),
        ("Supported", "timer"),
        ("Max-Forwards", "70"),
        ("X-TAATag", "x"),
    ):
        assert invite.first(name) == value
    assert int(invite.first("Content-Length")) == len(invite.body)


@pytest.mark.parametrize(
    ("policy", "state", "statuses"),
    [
        (AnswerPolicy(), CallState.ESTABLISHED, [180, 200]),
        (AnswerPolicy(ring=2.0), CallState.RINGING, [180]),
        (AnswerPolicy(status=486), CallState.ENDED, [180, 486]),
    ],
)
def test_policies(network: Network, policy: AnswerPolicy, state: CallState, statuses: list[int]) -> None:
    """Taken at once, later, not at all."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = bob.policy(policy)
    call = alice.call(BOB)
    network.run(1.9)
    assert (call.state, [response.status for response in call.responses]) == (state, statuses)
    network.run(0.2)
    assert call.state is (CallState.ENDED if policy.status == 486 else CallState.ESTABLISHED)


def test_nobody_answers_behind_the_end(network: Network) -> None:
    """Of a call that rings no timer is left when its element is closed."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = bob.policy(AnswerPolicy(ring=2.0))
    alice.call(BOB)
    network.run(0.5)
    assert network.close() == []
    network.run(5)
    assert network.count(f"{B} > {A}: 200 INVITE") == 0


def test_ring_and_hang_up_in_time(network: Network) -> None:
    """Nothing is answered behind the end."""
    alice, bob = network.agent(A), network.agent(B)
    bob.on_call = bob.policy(AnswerPolicy(ring=2.0))
    call = alice.call(BOB)
    network.run(1)
    call.hang_up()
    network.run(3)
    assert call.result is not None
    assert call.result.end is End.CANCELLED


def test_options(network: Network) -> None:
    """Says what can be done (11.2)."""
    asked = network.agent(A).ask("OPTIONS", BOB)
    network.agent(B)
    network.run()
    assert isinstance(asked.result, Response)
    assert asked.result.status == 200
    assert "INVITE" in asked.result.values("Allow")
    assert asked.result.first("Accept") == "application/sdp"
    assert asked.result.to.tag


def test_service(network: Network) -> None:
    """Any method goes, with any body, and is answered by a function."""
    alice, bob = network.agent(A), network.agent(B)
    bodies: list[bytes] = []

    def serve(came: object, transaction: object) -> None:
        bodies.append(came.body)
        transaction.respond(Response.to_request(came, 200, tag="b"))

    bob.handlers["SERVICE"] = serve
    asked = alice.ask("SERVICE", BOB, [("Event", "service")], b"<x/>", "application/text")
    network.run()
    assert (asked.result.status, bodies) == (200, [b"<x/>"])
    assert network.messages[0].first("Content-Type") == "application/text"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"method": "PUBLISH"}, 405, "Allow"),
        ({"method": "OPTIONS", "Require": "100rel, timer"}, 420, "Unsupported"),
        ({"method": "BYE", "tag": "nobody"}, 481, "To"),
        ({"method": "INVITE"}, 400, "To"),
    ],
)
def test_refused(network: Network, change: dict[str, str], status: int, field: str) -> None:
    """Method, extension, dialog, Contact that there is none of."""
    network.agent(B)
    inject(network, request(**change).to_bytes())
    response = network.last(str(status))
    assert response.status == status
    assert response.first(field)
    if status == 420:
        assert response.first("Unsupported") == "100rel"


def test_scheme_that_is_not_known(network: Network) -> None:
    """416."""
    network.agent(B)
    inject(network, request("OPTIONS").with_uri("isbn:2983792873").to_bytes())
    assert network.last("416")


def test_copy_of_an_invite(network: Network) -> None:
    """That came another way: 482 (8.2.2.2)."""
    bob = network.agent(B)
    invite = request(Contact=f"<sip:alice@{A}>")
    inject(network, invite.to_bytes())
    inject(network, invite.with_first("Via", f"SIP/2.0/UDP {A};branch=z9hG4bKother").to_bytes())
    assert network.log[-1] == f"{B} > {A}: 482 INVITE"
    assert len(bob.calls) == 1


@pytest.mark.parametrize("name", WELL_FORMED)
def test_torture(network: Network, name: str) -> None:
    """After RFC 4475: nothing escapes, and the agent is there for the next one."""
    network.agent(B)
    header, _, _ = filled(WELL_FORMED[name], INSIDE).partition(b"\r\n\r\n")
    bodiless = re.sub(rb"(?i)\r\n(content-length|l)[ \t]*:[^\r]*", b"", header)
    with suppress(SipSyntaxError):
        network.elements[B].receive(parse(bodiless + b"\r\n\r\n"), MemoryFlow(network, "UDP", (B, PORT), (A, PORT)))
    network.run(0.3)
    inject(network, request("OPTIONS", branch="z9hG4bKnext").to_bytes())
    assert network.last("200")
