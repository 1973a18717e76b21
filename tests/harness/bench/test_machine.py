"""CPU time of the whole machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.bench.machine import Moment, describe_machine

STAT = """\
cpu  {user} 20 300 {idle} 50 60 70 {steal} 90 0
cpu0 1 2 3 4 5 6 7 8 9 0
cpu1 1 2 3 4 5 6 7 8 9 0
intr 1 2 3
ctxt 4
"""


def test_what_is_not_idle_is_busy() -> None:
    """On two processors of which half a second was idle and a tenth stolen, four seconds hold 7.4 s of work."""
    tick = os.sysconf("SC_CLK_TCK")
    earlier = Moment.parse(10.0, STAT.format(user=1, idle=1000, steal=0))
    later = Moment.parse(14.0, STAT.format(user=2, idle=1000 + tick // 2, steal=tick // 10))
    assert later.busy_since(earlier) == pytest.approx(7.4)


def test_this_machine() -> None:
    """It has the processors that the system says."""
    assert Moment.now().processors == os.sysconf("SC_NPROCESSORS_ONLN")


def test_what_figures_are_of() -> None:
    """The processors, the kernel and the load, in one line, as the system tells them."""
    said = describe_machine()
    assert said.startswith(f"{os.sysconf('SC_NPROCESSORS_ONLN')} x ")
    assert f", Linux {Path('/proc/sys/kernel/osrelease').read_text().strip()}, load average " in said
    assert len(said.splitlines()) == 1
