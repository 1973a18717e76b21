"""Addresses that are translated back."""

from __future__ import annotations

from tests.faults.rig import INSIDE, OUTSIDE, Rig, request, right, session


def test_outside_addresses_of_an_endpoint_are_undone() -> None:
    """What an Expressway with static NAT wrote becomes its inside address again."""
    sent = request("INVITE", host=OUTSIDE, body=session(host=OUTSIDE))
    after = Rig(("double-nat-fix",)).send(sent)
    assert f"c=IN IP4 {INSIDE}".encode() in after
    assert f"<sip:alice@{INSIDE}>".encode() in after
    assert right(sent) == sent
    assert b"Content-Length: %d\r\n" % len(after.partition(b"\r\n\r\n")[2]) in after
