"""c= lines of media that stay."""

from __future__ import annotations

from tests.faults.rig import INSIDE, OUTSIDE, Rig, request, right, session


def test_only_the_first_c_line_is_translated() -> None:
    """Those behind it keep the inside address."""
    body = session("m=audio 49170 RTP/AVP 0", f"c=IN IP4 {INSIDE}", "m=video 51372 RTP/AVP 31", f"c=IN IP4 {INSIDE}")
    after = Rig(("media-level-c-missed",)).send(request("INVITE", body=body))
    lines = [line for line in after.decode().split("\r\n") if line.startswith("c=")]
    assert lines == [f"c=IN IP4 {OUTSIDE}", f"c=IN IP4 {INSIDE}", f"c=IN IP4 {INSIDE}"]


def test_messages_without_one_are_right() -> None:
    """Nothing to miss."""
    assert Rig(("media-level-c-missed",)).send(request()) == right(request())
