"""Addresses that are translated back."""

from __future__ import annotations

from tests.faults.rig import INSIDE, INWARD, OUTSIDE, Rig, request, right, session


def test_outside_addresses_of_an_endpoint_are_undone() -> None:
    """What an Expressway with static NAT wrote becomes its inside address again."""
    sent = request("INVITE", host=OUTSIDE, body=session(host=OUTSIDE))
    after = Rig(("double-nat-fix",)).send(sent)
    assert f"c=IN IP4 {INSIDE}".encode() in after
    assert f"<sip:alice@{INSIDE}>".encode() in after
    assert right(sent) == sent
    assert b"Content-Length: %d\r\n" % len(after.partition(b"\r\n\r\n")[2]) in after


def test_what_no_alg_touches_stays() -> None:
    """It is the same translation in the wrong direction: of hosts, not of a Call-ID."""
    sent = request("INVITE", host=OUTSIDE).replace(b"Call-ID: ", f"Call-ID: {OUTSIDE}-".encode())
    assert f"Call-ID: {OUTSIDE}-".encode() in Rig(("double-nat-fix",)).send(sent)


def test_what_comes_in_is_right() -> None:
    """Its title says what leaves the inside."""
    sent = request("INVITE", host=INSIDE, body=session(host=INSIDE))
    assert Rig(("double-nat-fix",)).send(sent, direction=INWARD) == sent
