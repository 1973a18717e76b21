"""What is kept of the messages that cross an element."""

from __future__ import annotations

import pytest

from harness.scenarios.hybrid.messages import Messages
from harness.sip.flow import Loss
from harness.sip.stream import Oversize
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response

FLOW = FakeFlow(local=("192.0.2.1", 5062), serves=True)


def test_messages_by_direction() -> None:
    """Requests and responses, each sent or received; what is no SIP is left out."""
    messages = Messages()
    messages.connected(FLOW)
    messages.connected(FakeFlow(local=("192.0.2.1", 41000)))
    invite = request()
    messages.received(FLOW, invite.to_bytes())
    messages.received(FLOW, b"\0garbage")
    messages.received(FLOW, b"INVITE sip:a SIP/2.0\r\nCSeq: one INVITE\r\n\r\n")
    for status in (100, 180, 404):
        messages.sent(FLOW, response(invite, status).to_bytes())
    messages.received(FLOW, request("ACK").to_bytes())
    assert messages.requests("INVITE", sent=False) == [invite]
    assert messages.requests("INVITE", sent=True) == []
    assert [each.status for each in messages.responses("INVITE", sent=True)] == [100, 180, 404]
    assert [each.status for each in messages.finals("INVITE", sent=True)] == [404]
    assert messages.finals("INVITE", sent=False) == messages.finals("BYE", sent=True) == []
    assert messages.accepted == [5062]


def test_sizes_and_resets() -> None:
    """The largest each way, one that was not read among them; who has reset a connection."""
    messages = Messages()
    for method in ("INVITE", "OPTIONS"):
        messages.sent(FLOW, request(method).to_bytes())
    messages.oversized(FLOW, Oversize(b"x" * 700, 5300, 5000))
    assert messages.largest == {True: max(len(request(each).to_bytes()) for each in ("INVITE", "OPTIONS")), False: 6000}


@pytest.mark.parametrize(
    ("loss", "resets"),
    [
        *((Loss.EOF, []), (Loss.HUNG_UP, []), (Loss.RESET, [(False, len(request().to_bytes()))])),
        (Loss.OVERSIZE, [(True, 6000)]),
    ],
)
def test_resets(loss: Loss, resets: list[tuple[bool, int]]) -> None:
    """Of each the size of what was sent to whoever did it, on that very connection; an orderly close is none."""
    messages = Messages()
    messages.sent(FLOW, request().to_bytes())
    messages.oversized(FLOW, Oversize(b"x" * 700, 5300, 5000))
    other = FakeFlow(local=("192.0.2.1", 41000))
    messages.closed(other, loss, "")
    messages.closed(FLOW, loss, "")
    messages.closed(FLOW, loss, "")
    nothing = [(ours, 0) for ours, _ in resets]
    assert messages.resets == [*nothing, *resets, *nothing]


def test_some_connections_alone() -> None:
    """What happens on others is no concern."""
    messages = Messages(lambda flow: flow.local[1] == 7003)
    messages.connected(FLOW)
    messages.sent(FLOW, request().to_bytes())
    messages.oversized(FLOW, Oversize(b"x" * 700, 5300, 5000))
    messages.closed(FLOW, Loss.RESET, "")
    assert messages == Messages(messages.concerns)
