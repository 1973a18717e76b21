"""ICE candidates that stay."""

from __future__ import annotations

from tests.faults.rig import INSIDE, OUTSIDE, Rig, request, session


def test_candidates_keep_the_inside_address() -> None:
    """c= has the outside one."""
    candidate = f"a=candidate:1 1 UDP 2130706431 {INSIDE} 49170 typ host"
    after = Rig(("candidates-stale",)).send(request("INVITE", body=session("m=audio 49170 RTP/AVP 0", candidate)))
    assert candidate.encode() in after
    assert f"c=IN IP4 {OUTSIDE}".encode() in after
