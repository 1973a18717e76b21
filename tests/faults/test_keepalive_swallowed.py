"""Keep-alives that do not arrive."""

from __future__ import annotations

from tests.faults.rig import INWARD, Rig, request, right


def test_keepalives_are_dropped_and_messages_are_not() -> None:
    """Ping and pong, between messages."""
    rig = Rig(("keepalive-swallowed",))
    assert rig.send(b"\r\n\r\n", request(), b"\r\n\r\n") == right(request())
    assert rig.send(b"\r\n", direction=INWARD) == b""
    assert rig.struck == ["keepalive-swallowed"] * 3


def test_one_direction() -> None:
    """The ping gets through, the pong does not."""
    rig = Rig(("keepalive-swallowed:direction=inward",))
    assert rig.send(b"\r\n\r\n") == b"\r\n\r\n"
    assert rig.send(b"\r\n", direction=INWARD) == b""
