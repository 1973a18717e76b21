"""The same messages, from one end or from the other."""

from __future__ import annotations

import pytest

from harness.scenarios.hybrid.messages import Crossed, Messages
from harness.scenarios.reflection.seeing import Access, Zone
from harness.sip.message import Request, Response

FIELDS = (
    ("Via", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"),
    ("From", "<sip:a@example.com>;tag=1"),
    ("To", "<sip:b@example.com>"),
    ("Call-ID", "x"),
)


def request(method: str) -> Request:
    """Any of a method."""
    return Request.make(method, "sip:b@example.com", (*FIELDS, ("CSeq", f"1 {method}")))


def response(status: int, method: str) -> Response:
    """Any to one of a method."""
    return Response.to_request(request(method), status)


def messages(near: bool, *crossed: tuple[bool, Request | Response]) -> Messages:
    """Each with whether the near end has sent it, as that end has them, or as the far one has."""
    return Messages(crossed=[Crossed(message, sent is near) for sent, message in crossed])


ENDS = pytest.mark.parametrize("near", [True, False])


@ENDS
def test_zone(near: bool) -> None:
    """What came to the Expressway-C, and what it answered in the end."""
    crossed = (
        (True, request("OPTIONS")),
        (False, response(200, "OPTIONS")),
        (False, request("SERVICE")),
        (True, response(100, "SERVICE")),
        (True, response(408, "SERVICE")),
    )
    zone = Zone(messages(near, *crossed), at_core=near)
    assert [len(zone.came(method)) for method in ("SERVICE", "OPTIONS", "REGISTER")] == [1, 0, 0]
    assert [each.status for each in zone.answers("SERVICE")] == [408]
    assert zone.answers("OPTIONS") == []


@ENDS
def test_access(near: bool) -> None:
    """A challenge is no outcome; a call stands when it was answered and acknowledged."""
    crossed: list[tuple[bool, Request | Response]] = [
        (True, request("REGISTER")),
        (False, response(407, "REGISTER")),
        (True, request("REGISTER")),
    ]
    assert Access(messages(near, *crossed), at_phone=near).outcome("REGISTER") is None
    crossed += [(False, response(200, "REGISTER")), (True, request("INVITE")), (False, response(180, "INVITE"))]
    access = Access(messages(near, *crossed), at_phone=near)
    outcome = access.outcome("REGISTER")
    assert outcome is not None
    assert (outcome.status, access.outcome("INVITE"), access.stands) == (200, None, False)
    crossed += [(False, response(200, "INVITE"))]
    assert not Access(messages(near, *crossed), at_phone=near).stands
    crossed += [(True, request("ACK"))]
    assert Access(messages(near, *crossed), at_phone=near).stands


@ENDS
def test_a_call_that_failed(near: bool) -> None:
    """Is acknowledged too, and does not stand."""
    crossed = ((True, request("INVITE")), (False, response(403, "INVITE")), (True, request("ACK")))
    assert not Access(messages(near, *crossed), at_phone=near).stands
