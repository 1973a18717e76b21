"""Content-Length that stays."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right, session


def test_the_length_stays_and_the_body_grows() -> None:
    """Two addresses in the body, two bytes longer each, and the old length."""
    sent = request("INVITE", body=session())
    after = Rig(("stale-content-length",)).send(sent)
    length = len(session().replace("\n", "\r\n"))
    assert b"Content-Length: %d\r\n" % length in after
    assert len(after.partition(b"\r\n\r\n")[2]) == length + 4
    assert after == right(sent).replace(b"Content-Length: %d" % (length + 4), b"Content-Length: %d" % length)
