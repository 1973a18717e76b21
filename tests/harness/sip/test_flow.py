"""Flows and those who listen in."""

from __future__ import annotations

from alg.errors import SipSyntaxError
from harness.sip.flow import FlowFailed, Loss, Tap, Target
from harness.sip.stream import KeepAlive, Oversize
from tests.harness.sip.fake_flow import FakeFlow


def test_failure_says_everything() -> None:
    """For a log, and for a person."""
    failed = FlowFailed(Target("TLS", "192.0.2.1", 5062, "example.com"), Loss.TLS, "certificate verify failed")
    assert str(failed) == "TLS 192.0.2.1:5062: TLS failed: certificate verify failed"
    assert str(FlowFailed(failed.target, Loss.TIMEOUT)) == "TLS 192.0.2.1:5062: timed out"
    assert failed.target.address == ("192.0.2.1", 5062)


def test_tap_may_hear_what_it_likes() -> None:
    """Each method does nothing by itself."""
    tap, flow, target = Tap(), FakeFlow(), Target("TCP", "192.0.2.1", 5060)
    tap.sent(flow, b"")
    tap.received(flow, b"")
    tap.kept_alive(flow, KeepAlive.PING)
    tap.connecting(flow.local, target)
    tap.connected(flow)
    tap.failed(flow.local, FlowFailed(target, Loss.REFUSED))
    tap.closed(flow, Loss.EOF, "")
    tap.oversized(flow, Oversize(b"", None, 0))
    tap.malformed(flow, b"", SipSyntaxError("rule", "reason", 0))
