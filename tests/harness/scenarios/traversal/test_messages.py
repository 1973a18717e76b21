"""What is kept of the messages that cross an element."""

from __future__ import annotations

from harness.scenarios.traversal.messages import Messages
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response


def test_messages_by_direction() -> None:
    """Requests and final responses, each sent or received; what is no SIP is left out."""
    messages, flow = Messages(), FakeFlow(local=("192.0.2.1", 5062), serves=True)
    messages.connected(flow)
    messages.connected(FakeFlow(local=("192.0.2.1", 41000)))
    invite = request()
    messages.received(flow, invite.to_bytes())
    messages.received(flow, b"\0garbage")
    for status in (100, 180, 404):
        messages.sent(flow, response(invite, status).to_bytes())
    messages.received(flow, request("ACK").to_bytes())
    assert messages.requests("INVITE", sent=False) == [invite]
    assert messages.requests("INVITE", sent=True) == []
    assert [each.status for each in messages.responses("INVITE", sent=True)] == [404]
    assert messages.responses("INVITE", sent=False) == messages.responses("BYE", sent=True) == []
    assert [each.local for each in messages.crossed] == [5062] * 5
    assert messages.accepted == [5062]
