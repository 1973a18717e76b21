"""What figures are of, and CPU time of the whole machine, the kernel's own work included, from /proc/stat.

Strategy: what is not idle is busy. A kernel that stops its tick when idle (NO_HZ) knows exactly how long it has idled,
but learns what it has been busy with only by looking at each tick: of a program that a timer wakes it sees a tenth.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE, _IOWAIT, _STEAL = 4, 5, 8
"""Fields of a line of /proc/stat that are not this machine's work (proc(5)), its name being the first."""


def describe_machine() -> str:
    """One line: the processors, the kernel, and how busy they have been in the last minute."""
    info = Path("/proc/cpuinfo").read_text(errors="replace")
    model = re.search(r"^model name\s*: (.+)$", info, re.MULTILINE)
    name = model[1] if model else os.uname().machine
    return f"{os.cpu_count()} x {name}, Linux {os.uname().release}, load average {os.getloadavg()[0]:.2f}"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the processors have not done by now."""

    at: float
    """seconds"""
    idle: float
    """Seconds that all processors together were idle, waited for a disk, or belonged to another machine."""
    processors: int

    @classmethod
    def now(cls) -> Moment:
        """As it is."""
        return cls.parse(time.monotonic(), Path("/proc/stat").read_text("ascii"))

    @classmethod
    def parse(cls, at: float, stat: str) -> Moment:
        """From the text of /proc/stat."""
        total, *each = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
        return cls(at, sum(int(total[field]) for field in (_IDLE, _IOWAIT, _STEAL)) / _TICK, len(each))

    def busy_since(self, earlier: Moment) -> float:
        """Seconds of CPU time that everything together has taken."""
        return (self.at - earlier.at) * self.processors - (self.idle - earlier.idle)
