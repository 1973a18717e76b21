"""Messages that do not fit."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right


def test_messages_over_the_limit_leave_as_they_came() -> None:
    """One byte makes the difference."""
    sent = request()
    assert Rig((f"long-message-bypassed:length={len(sent)}",)).send(sent) == right(sent)
    rig = Rig((f"long-message-bypassed:length={len(sent) - 1}",))
    assert rig.send(sent) == sent
    assert rig.rules == []
