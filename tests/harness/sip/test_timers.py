"""Timers: the RFC's, in proportion; alarms that can be moved."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from harness.sip.timers import Alarms, Timers


def test_defaults_are_the_rfcs() -> None:
    """RFC 3261 table 4."""
    timers = Timers()
    assert (timers.t1, timers.t2, timers.t4, timers.timeout) == (0.5, 4.0, 5.0, 32.0)
    assert timers.timer_c > 180


def test_scaled() -> None:
    """A tenth of T1 is a tenth of everything."""
    timers, tenth = Timers(), Timers.scaled(0.05)
    for name in ("t1", "t2", "t4", "timer_c", "trying", "timeout"):
        assert getattr(tenth, name) == pytest.approx(getattr(timers, name) / 10)


def test_alarms() -> None:
    """An alarm rings once, unless it is set again or stopped."""
    clock, rung = Clock(), []
    alarms = Alarms(clock)
    alarms.set("a", 1, lambda: rung.append("a"))
    alarms.set("a", 2, lambda: rung.append("A"))
    alarms.set("b", 1, lambda: rung.append("b"))
    alarms.stop("b", "unknown")
    clock.pump([1, 1, 1])
    assert rung == ["A"]
    assert not clock.getDelayedCalls()


def test_closed() -> None:
    """Nothing rings, and nothing can be set."""
    clock = Clock()
    alarms = Alarms(clock)
    alarms.set("a", 1, pytest.fail)
    alarms.close()
    alarms.set("b", 1, pytest.fail)
    alarms.repeat("c", 1, 2, pytest.fail)
    assert not clock.getDelayedCalls()


def test_repeated() -> None:
    """Intervals double up to the longest; an alarm may stop itself."""
    clock, times = Clock(), []
    alarms = Alarms(clock)
    alarms.repeat("a", 1, 4, lambda: times.append(clock.seconds()))
    clock.pump([0.5] * 32)
    assert times == [1, 3, 7, 11, 15]
    alarms.stop_all()
    assert not clock.getDelayedCalls()
