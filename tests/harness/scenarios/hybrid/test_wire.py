"""What is seen on an element, by neighbour."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from harness.scenarios.hybrid.wire import Wire
from harness.sip.flow import Loss
from harness.sip.message import Request, Response

NEAR: Any = SimpleNamespace(remote=("192.0.2.1", 5060))
FAR: Any = SimpleNamespace(remote=("192.0.2.2", 5060))


def message(method: str, status: int = 0) -> bytes:
    """A request, or a response to it."""
    fields = (("Via", "SIP/2.0/TCP a;branch=z9hG4bK1"), ("CSeq", f"1 {method}"))
    request = Request.make(method, "sip:a", fields)
    return (Response.to_request(request, status) if status else request).to_bytes()


def test_questions() -> None:
    """Who sent what to whom; provisional responses are none that matter, and what is no SIP is left out."""
    wire = Wire()
    wire.received(NEAR, message("INVITE"))
    wire.sent(FAR, message("INVITE"))
    wire.received(FAR, message("INVITE", 180))
    wire.received(FAR, message("INVITE", 200))
    wire.received(FAR, b"garbage\r\n\r\n")
    wire.sent(NEAR, message("INVITE", 200))
    wire.closed(NEAR, Loss.RESET, "")
    wire.closed(FAR, Loss.EOF, "")
    assert len(wire.requests("INVITE", "192.0.2.1", came=True)) == 1
    assert wire.requests("INVITE", "192.0.2.1", came=False) == []
    assert [each.status for each in wire.finals("INVITE", "192.0.2.2", came=True)] == [200]
    assert wire.finals("BYE", "192.0.2.2", came=True) == []
    assert wire.largest("192.0.2.1") == len(message("INVITE", 200))
    assert wire.largest("192.0.2.3") == 0
    assert wire.resets == ["192.0.2.1"]
