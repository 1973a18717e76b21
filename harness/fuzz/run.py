"""One run of trials: the search asks, the journal or the target answers, findings are kept.

Strategy: what tries a case is a function from (phase, size, number) to a `Trial`, whether it sends requests or answers
calls. A run ends when its searches do, when the target does not come back, when the probes are used up, or when
somebody interrupts it; what it has by then is in the journal either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from alg.errors import ConfigError
from harness.fuzz.findings import FindingFiles
from harness.fuzz.journal import Entry, Journal
from harness.fuzz.probing import Clock, Trial
from harness.fuzz.report import bracket
from harness.fuzz.search import Answers, Found, Search
from harness.screen import ProgressBar

DONE, FAILED, CUT_SHORT = 0, 1, 3


def accepted(trial: Trial) -> bool:
    """What most probes are to come to."""
    return trial.outcome.accepted


class RunEnded(Exception):
    """The run cannot go on; the message says why."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status
        """Exit status of the run."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a run writes what it finds."""

    journal: Journal
    findings: FindingFiles
    small: Callable[[], bytes]
    """The health check's message; empty where we are the server."""


class Run:
    """The trials of one command."""

    def __init__(self, keeping: Keeping, clock: Clock, most: int, bar: ProgressBar) -> None:
        self._keeping = keeping
        self._earlier: Iterator[Entry] = iter(keeping.journal.earlier)
        self._clock = clock
        self._bar = bar
        self._most = most
        """Probes."""
        before = keeping.journal.earlier
        self._start = clock.now() - (before[-1].at if before else 0.0)
        self._last: Trial | None = None
        self.entries: list[Entry] = []

    @property
    def alive(self) -> bool:
        """Whether the target was there when last seen."""
        return not self.entries or self.entries[-1].alive

    @property
    def seconds(self) -> float:
        """Since the start, time between an interruption and its resumption left out."""
        return self._clock.now() - self._start

    @property
    def findings(self) -> list[str]:
        """Directories of the cases that were not accepted."""
        return [place for entry in self.entries for place in (entry.blamed, entry.finding) if place]

    def of(self, phase: str) -> list[Entry]:
        """The entries of one search."""
        return [entry for entry in self.entries if entry.phase == phase]

    def search(self, phase: str, search: Search, attempt: Callable[[int, int], Trial]) -> Found:
        """Carry a search through; `attempt` tries a size, given it and the number of the probe."""
        answers = Answers()
        size = next(search)
        while True:
            self._bar.show(f"{phase}: {size} bytes, {bracket(answers.accepted, answers.refused)}", len(self.entries))
            entry = self.attempt(phase, size, attempt)
            answers.add(size, entry.accepted)
            try:
                size = search.send(entry.accepted)
            except StopIteration as end:
                found: Found = end.value
                return found

    def attempt(
        self, phase: str, size: int, attempt: Callable[[int, int], Trial], expected: Callable[[Trial], bool] = accepted
    ) -> Entry:
        """One trial, or what the journal has of it; it is a finding unless it went as `expected`."""
        number = len(self.entries) + 1
        entry = next(self._earlier, None)
        if entry is not None:
            if (entry.phase, entry.size) != (phase, size):
                raise ConfigError(f"--resume: the journal has {entry.name} where this run asks for {size} bytes")
            self.entries.append(entry)
            return entry
        if number > self._most:
            raise RunEnded(f"{self._most} probes were not enough: allow more with --max-probes", CUT_SHORT)
        entry = self._record(phase, size, number, attempt(size, number), expected)
        self.entries.append(entry)
        if not entry.alive:
            raise RunEnded("the target does not answer", FAILED)
        return entry

    def _record(self, phase: str, size: int, number: int, trial: Trial, expected: Callable[[Trial], bool]) -> Entry:
        outcome = trial.outcome
        keeping = self._keeping
        blamed = None
        if trial.absent and self._last is not None:
            blamed = keeping.findings.write(number - 1, self._last, keeping.small(), gone=True)
        self._last = trial
        place = None if expected(trial) else keeping.findings.write(number, trial, keeping.small())
        entry = Entry(
            number,
            trial.name,
            str(outcome.kind),
            round(self.seconds, 6),
            round(outcome.seconds, 6),
            size,
            len(outcome.sent),
            phase,
            outcome.status,
            outcome.detail,
            trial.alive,
            trial.health.tries if trial.health else 0,
            str(place) if place else "",
            str(blamed) if blamed else "",
        )
        keeping.journal.append(entry)
        return entry


def found_of(run: Run, phase: str) -> Found:
    """What a search has found so far, finished or not."""
    answers = Answers()
    for entry in run.of(phase):
        answers.add(entry.size, entry.accepted)
    return answers.found()


def summary(run: Run, phase: str, seed: int) -> dict[str, Any]:
    """What `--json` says of a search, finished or not."""
    found = found_of(run, phase)
    refusals = [entry.kind for entry in run.of(phase) if entry.size == found.smallest_refused and not entry.accepted]
    return {
        "largest_accepted": found.largest_accepted,
        "smallest_refused": found.smallest_refused,
        "refusal": refusals[0] if refusals else None,
        "monotonic": found.monotonic,
        "probes": len(run.entries),
        "seconds": round(run.seconds, 3),
        "seed": seed,
        "findings": run.findings,
        "target_alive": run.alive,
    }
