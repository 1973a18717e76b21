"""Runs whose cases each have their own expectation: what is tried, what is told of it, and when such a run has failed.

Strategy: a case that did not go as expected is a finding, whatever its class, and a file beside the finding says what
was expected and why. When all cases are through a small message looks after the target once more, since the last case
may have been accepted and have killed it all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.fuzz.classification import Kind
from harness.fuzz.expectation import Expectation
from harness.fuzz.journal import ASIDE, Entry
from harness.fuzz.probing import Case, Prober, Trial
from harness.fuzz.run import DONE, FAILED, Run
from harness.screen import ProgressBar

AFTERWARDS = "afterwards"
"""Phase of the last look."""
_MOST_NAMES = 40
"""Cases that are listed."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A case, and what may come of it."""

    case: Case
    topic: str
    expectation: Expectation
    about: str
    """For a person: where it comes from, and why that is expected."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case that was tried."""

    expected: Expected
    entry: Entry
    gone: str = ""
    """Directory of the finding, if the target was gone when the next case was due."""

    @property
    def finding(self) -> str:
        """Directory of the finding; empty if all went as expected."""
        return self.gone or self.entry.finding

    @property
    def failed(self) -> bool:
        """Whether it did not go as expected."""
        return bool(self.finding)

    @property
    def label(self) -> str:
        """`closed`, `accepted 200, then gone`."""
        return f"{self.entry.label}, then gone" if self.gone else self.entry.label


Follow = Callable[[Judged], None]
"""What is done about a case that failed."""


class ExpectingRun:
    """Every case once."""

    def __init__(
        self,
        run: Run,
        cases: Sequence[Expected],
        prober: Prober,
        small: Case,
        bar: ProgressBar,
        seed: int,
        follow: Follow | None = None,
    ) -> None:
        self._run = run
        self._cases = cases
        self._prober = prober
        self._small = small
        self._bar = bar
        self._seed = seed
        self._follow = follow
        self._judged: list[Judged] = []

    def carry_out(self) -> int:
        """All cases; the exit status. Raises RunEnded."""
        for done, expected in enumerate(self._cases):
            self._bar.show(f"{expected.case.name}, {len(self._failed)} not as expected", done)
            self._one(expected)
        try:
            last = self._run.attempt(AFTERWARDS, 0, partial(self._try, self._small))
        finally:
            gone = self._blame(AFTERWARDS)
        self._pursue(gone)
        return FAILED if self._failed or self._crashes or last.finding else DONE

    def _one(self, expected: Expected) -> None:
        phase = expected.case.name
        judged: Judged | None = None
        try:
            self._run.attempt(phase, 0, partial(self._try, expected.case), expected.expectation.met_by)
        finally:
            gone = self._blame(phase)
            for entry in self._run.of(phase):
                if entry.kind != Kind.REFUSED:
                    judged = _explained(Judged(expected, entry))
                    self._judged.append(judged)
        self._pursue(gone)
        self._pursue(judged)

    def _blame(self, phase: str) -> Judged | None:
        """The case before this one, if the target was gone when this one was due."""
        for entry in self._run.of(phase):
            if entry.blamed and self._judged and self._judged[-1].entry.number == entry.number - 1:
                self._judged[-1] = _explained(replace(self._judged[-1], gone=entry.blamed))
                return self._judged[-1]
        return None

    def _pursue(self, judged: Judged | None) -> None:
        if judged is not None and judged.failed and self._follow is not None:
            self._follow(judged)

    def _try(self, case: Case, size: int, number: int) -> Trial:
        return self._prober.run(case)

    @property
    def _failed(self) -> list[Judged]:
        return [judged for judged in self._judged if judged.failed]

    @property
    def _crashes(self) -> list[Entry]:
        """Entries after which, or before which, the target was away."""
        crashes = (entry for entry in self._run.entries if entry.blamed or not entry.alive or entry.tries > 1)
        return [entry for entry in crashes if not entry.phase.startswith(ASIDE)]

    def summary(self) -> dict[str, Any]:
        """For `--json`, finished or not."""
        run, judged = self._run, self._judged
        return {
            "cases": len(self._cases),
            "tried": len(judged),
            "as_expected": len(judged) - len(self._failed),
            "not_as_expected": [_told(each) for each in self._failed],
            "crashes": len(self._crashes),
            "topics": self._topics(),
            "outcomes": dict(Counter(each.label for each in judged).most_common()),
            "probes": len(run.entries),
            "seconds": round(run.seconds, 3),
            "seed": self._seed,
            "findings": run.findings,
            "target_alive": run.alive,
        }

    def _topics(self) -> dict[str, dict[str, int]]:
        """Counts by topic, in the order of the cases."""
        return {
            topic: {
                "cases": sum(case.topic == topic for case in self._cases),
                "tried": sum(each.expected.topic == topic for each in self._judged),
                "failed": sum(each.expected.topic == topic for each in self._failed),
            }
            for topic in dict.fromkeys(case.topic for case in self._cases)
        }

    def print(self, console: Console) -> None:
        """For a person, finished or not."""
        good = len(self._judged) - len(self._failed)
        console.print(Text(f"{self._prober.target}: {good} of {len(self._judged)} cases as expected", "bold"))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("topic", "cases", "as expected", "not", "outcomes"):
            table.add_column(name, justify="left" if name in ("topic", "outcomes") else "right")
        for topic, counts in self._topics().items():
            labels = Counter(each.label for each in self._judged if each.expected.topic == topic)
            outcomes = ", ".join(f"{count} {label}" for label, count in labels.most_common())
            numbers = (counts["tried"], counts["tried"] - counts["failed"], counts["failed"])
            table.add_row(topic, *map(str, numbers), outcomes)
        console.print(table)
        console.print()
        for each in self._failed[:_MOST_NAMES]:
            text = f"  {each.expected.case.name}: {each.label}, expected {each.expected.expectation}"
            console.print(Text(text), soft_wrap=True)
        if len(self._failed) > _MOST_NAMES:
            console.print(f"  ... and {len(self._failed) - _MOST_NAMES} more")

    def close(self) -> None:
        """Close what is open."""
        self._prober.close()


def _explained(judged: Judged) -> Judged:
    """The same; what was expected stands beside the finding from now on."""
    place = Path(judged.finding)
    if judged.failed and place.is_dir():
        text = f"expected {judged.expected.expectation}\n{judged.expected.about}\n"
        (place / "expected.txt").write_text(text, "utf-8")
    return judged


def _told(judged: Judged) -> dict[str, Any]:
    expected, entry = judged.expected, judged.entry
    return {
        "name": expected.case.name,
        "topic": expected.topic,
        "got": judged.label,
        "detail": entry.detail,
        "expected": " ".join(expected.expectation.words),
        "target_alive": entry.alive and not judged.gone,
        "finding": judged.finding,
    }
