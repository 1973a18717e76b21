"""Runs scenarios in child processes, several at a time, and collects their verdicts.

Strategy: a thread for each child that is under way waits for its lines; what one scenario does cannot reach another.
Scenarios that need something for themselves wait for each other. Whoever stops the run has all children end, first
asked and then killed together with whatever they started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from harness.scenarios.child import Order
from harness.scenarios.needs import first_missing
from harness.scenarios.scenario import Scenario
from harness.scenarios.strangers import Strangers
from harness.scenarios.verdict import Outcome, Verdict

LIMIT_ALONE: Final = 10.0
"""Seconds that a form may take when no other is under way."""
LIMIT_AMONG_OTHERS: Final = 30.0
_START: Final = 15.0
"""Seconds that a child has beside those of its forms, to start and to end."""
_FAREWELL: Final = 3.0
"""Seconds from being asked to end to being killed."""

Done = Callable[[Verdict], None]
"""Hears of each verdict, in the thread of its child."""


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario, in one form or both."""

    scenario: Scenario
    forms: tuple[bool, ...]
    """With the cure or not."""


@dataclass(slots=True)
class Runner:
    """Runs jobs."""

    directory: Path
    """Each scenario gets a directory in it."""
    done: Done
    strangers: Strangers = field(default_factory=Strangers)
    limit: float | None = None
    """Seconds that a form may take, beside what a stranger has; None for what is usual."""
    told: Callable[[str, str], None] = field(default=lambda name, text: None)
    """Hears what a scenario says to whoever is in front of the screen, in the thread of its child."""
    at_a_time: int = field(default_factory=lambda: 3 * (os.cpu_count() or 1))
    """Most children; they wait most of the time."""
    child: Sequence[str] = (sys.executable, "-P", "-m", "harness.scenarios.child")
    """The command that a child is."""
    _children: set[subprocess.Popen[str]] = field(default_factory=set)
    _alone: threading.Lock = field(default_factory=threading.Lock)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(self, jobs: Sequence[Job]) -> list[Verdict]:
        """All of them; verdicts in the order of the jobs. KeyboardInterrupt leaves no child behind."""
        limit = self.limit or (LIMIT_ALONE if len(jobs) == 1 else LIMIT_AMONG_OTHERS)
        with ThreadPoolExecutor(1 if self.strangers.alone else self.at_a_time) as pool:
            try:
                running = [pool.submit(self._run, job, limit) for job in jobs]
                return [verdict for each in running for verdict in each.result()]
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Start no more children, and have those end that are under way."""
        with self._guard:
            self._stopped = True
            children = list(self._children)
        for child in children:
            child.terminate()
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_FAREWELL)
            _kill(child)

    def _run(self, job: Job, limit: float) -> list[Verdict]:
        name, missing = job.scenario.name, first_missing(job.scenario.needs)
        if missing:
            verdicts = [Verdict(name, fixed, Outcome.SKIPPED, missing) for fixed in job.forms]
            for verdict in verdicts:
                self.done(verdict)
            return verdicts
        with ExitStack() as stack:
            if any(need.exclusive for need in job.scenario.needs):
                stack.enter_context(self._alone)
            return self._run_child(job, limit)

    def _run_child(self, job: Job, limit: float) -> list[Verdict]:
        name = job.scenario.name
        strangers = self.strangers
        peers = {peer: address for peer, address in strangers.peers.items() if peer in job.scenario.replaceable}
        wait = strangers.wait if peers else 0.0
        limit += wait
        order = Order(
            name,
            list(job.forms),
            str(self.directory / name),
            peers,
            limit,
            wait,
            strangers.network,
            strangers.certificates,
        )
        found: dict[bool, Verdict] = {}
        with tempfile.TemporaryFile("w+") as errors:
            child = self._start(errors.fileno())
            if child is None:
                return []
            killer = threading.Timer(limit * len(job.forms) + _START, _kill, [child])
            killer.start()
            try:
                for said in _lines(child, order):
                    if isinstance(said, str):
                        self.told(name, said)
                        continue
                    found[said.fixed] = said
                    self.done(said)
                status = child.wait()
            finally:
                killer.cancel()
                _kill(child)
                with self._guard:
                    self._children.discard(child)
            errors.seek(0)
            complaints = errors.read().strip().splitlines()
        for fixed in job.forms:
            if fixed not in found and not self._stopped:
                reason = f"ended without a verdict: {complaints[-1] if complaints else f'status {status}'}"
                found[fixed] = Verdict(name, fixed, Outcome.ERROR, reason)
                self.done(found[fixed])
        return [found[fixed] for fixed in job.forms if fixed in found]

    def _start(self, errors: int) -> subprocess.Popen[str] | None:
        with self._guard:
            if self._stopped:
                return None
            child = subprocess.Popen(
                self.child,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
            self._children.add(child)
            return child


def _lines(child: subprocess.Popen[str], order: Order) -> Iterable[Verdict | str]:
    """Each as soon as it is told."""
    assert child.stdin is not None, "was asked for"
    assert child.stdout is not None, "was asked for"
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(msgspec.json.encode(order).decode())
    with child.stdout:
        for line in child.stdout:
            yield msgspec.json.decode(line, type=Verdict | str)


def _kill(child: subprocess.Popen[str]) -> None:
    """The child, unless it has ended, and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
