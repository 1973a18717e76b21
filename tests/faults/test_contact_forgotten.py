"""A Contact that stays."""

from __future__ import annotations

from tests.faults.rig import INSIDE, OUTSIDE, Rig, request, right, session


def test_contact_keeps_the_inside_address() -> None:
    """Via and body have the outside one."""
    sent = request("INVITE", body=session())
    after = Rig(("contact-forgotten",)).send(sent)
    assert after == right(sent).replace(f"<sip:alice@{OUTSIDE}>".encode(), f"<sip:alice@{INSIDE}>".encode())
