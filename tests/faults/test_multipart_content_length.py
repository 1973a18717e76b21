"""A body part's own Content-Length that stays."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right, session

PART = "--b\nContent-Type: application/sdp\nContent-Length: {length}\n\n{session}--b--\n"


def test_only_the_parts_own_length_is_stale() -> None:
    """The message's own is right; the line end before the boundary belongs to that (RFC 2046 5.1.1)."""
    length = len(session().replace("\n", "\r\n")) - 2
    sent = request("INVITE", body=PART.format(length=length, session=session()), kind="multipart/mixed;boundary=b")
    after, due = Rig(("multipart-content-length",)).send(sent), right(sent)
    assert b"Content-Length: %d\r\n" % (length + 4) in due
    assert after == due.replace(b"Content-Length: %d\r\n" % (length + 4), b"Content-Length: %d\r\n" % length)
