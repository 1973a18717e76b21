"""The retransmission timer of RFC 6298."""

from __future__ import annotations

import pytest

from alg.tcp.rto import RetransmissionLimits, RetransmissionTimer

LIMITS = RetransmissionLimits(initial=1.0, shortest=0.2, longest=10.0, attempts=3)


def test_first_measurement() -> None:
    """RFC 6298 2.2: SRTT + 4 * RTTVAR with RTTVAR = R/2 is three times R."""
    timer = RetransmissionTimer(LIMITS)
    assert timer.timeout == 1.0
    timer.measure(0.5)
    assert timer.timeout == pytest.approx(1.5)
    timer.measure(0.5)
    assert timer.timeout == pytest.approx(0.5 + 4 * 0.1875)


def test_bounds() -> None:
    """Never shorter than the shortest, never longer than the longest."""
    timer = RetransmissionTimer(LIMITS)
    timer.measure(0.001)
    assert timer.timeout == 0.2
    timer.measure(100)
    assert timer.timeout == 10.0


def test_backoff_and_progress() -> None:
    """RFC 6298 5.5: twice as long each time; an acknowledgment ends that."""
    timer = RetransmissionTimer(LIMITS)
    timer.start(0.0)
    timer.start(0.5)
    assert timer.deadline == 1.0
    timer.expire(1.0)
    assert timer.deadline == 3.0
    timer.expire(3.0)
    assert timer.deadline == 7.0
    timer.restart(4.0)
    assert timer.deadline == 5.0
    timer.stop()
    assert timer.deadline is None


def test_exhaustion() -> None:
    """As many repetitions as the limits allow, and no more."""
    timer = RetransmissionTimer(LIMITS)
    for _ in range(3):
        timer.expire(0.0)
    assert not timer.exhausted
    timer.expire(0.0)
    assert timer.exhausted
