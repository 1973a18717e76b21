"""An a=rtcp line that stays."""

from __future__ import annotations

from tests.faults.rig import INSIDE, OUTSIDE, Rig, request, session


def test_rtcp_keeps_the_inside_address() -> None:
    """Everything else is right, Content-Length too."""
    line = "a=rtcp:49171 IN IP4 {}"
    body = session("m=audio 49170 RTP/AVP 0", line.format(INSIDE))
    after = Rig(("rtcp-attribute-stale",)).send(request("INVITE", body=body))
    due = session("m=audio 49170 RTP/AVP 0", line.format(INSIDE), host=OUTSIDE)
    assert after.partition(b"\r\n\r\n")[2].decode() == due.replace("\n", "\r\n")
    assert b"Content-Length: %d\r\n" % len(due.replace("\n", "\r\n")) in after
