"""Connections that are forgotten."""

from __future__ import annotations

from tests.faults.rig import INWARD, Rig, request, right


def test_after_too_long_a_silence_nothing_passes() -> None:
    """In either direction, for ever."""
    rig = Rig(("idle-timeout:seconds=30",))
    assert rig.send(request(), now=0.0) == right(request())
    assert rig.send(request(), now=30.0) == right(request())
    assert rig.send(b"\r\n", direction=INWARD, now=59.0) == b"\r\n"
    assert rig.send(request(), now=89.5) == b""
    assert rig.send(request(), now=89.6) == b""
    assert rig.send(b"\r\n", direction=INWARD, now=90.0) == b""
    assert rig.struck == ["idle-timeout:seconds=30"] * 3
