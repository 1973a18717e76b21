"""The benchmark of idle connections."""

from __future__ import annotations

import pytest

from harness.bench import idle
from harness.bench.idle import measure_idle
from harness.bench.messages import options


def test_nothing_is_lost() -> None:
    """After idling, every connection still carries a message, and the busy one carried all of them."""
    figure = measure_idle(40)
    assert figure.connections == 40
    assert figure.lost == 0
    assert figure.busy_delivered == figure.busy_sent


def test_a_wrong_byte_is_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives must be what the ALG owes, byte for byte: with another expectation everything counts as lost."""
    monkeypatch.setattr(idle, "_expected", options)
    monkeypatch.setattr(idle, "_BUSY_MESSAGES", 3)
    figure = measure_idle(3)
    assert (figure.lost, figure.busy_delivered) == (3, 0)
