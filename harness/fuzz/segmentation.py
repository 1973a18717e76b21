"""`sipalg fuzz segmentation`: tries every cut, and says which were not answered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.fuzz import report
from harness.fuzz.probing import Case, Prober, Trial
from harness.fuzz.run import DONE, FAILED, Run
from harness.screen import ProgressBar

PHASE = "segmentation"
_MOST_NAMES = 20
"""Cases that are listed."""


class SegmentationRun:
    """Every case once."""

    def __init__(self, run: Run, cases: Sequence[Case], prober: Prober, bar: ProgressBar, seed: int) -> None:
        self._run = run
        self._cases = cases
        self._prober = prober
        self._bar = bar
        self._seed = seed

    def carry_out(self) -> int:
        """All cases; the exit status. Raises RunEnded."""
        for done, case in enumerate(self._cases):
            self._bar.show(f"{case.name}, {len(self._run.findings)} not answered", done)
            self._run.attempt(PHASE, 0, partial(self._try, case))
        return FAILED if self._failed else DONE

    def _try(self, case: Case, size: int, number: int) -> Trial:
        return self._prober.run(case)

    @property
    def _failed(self) -> list[str]:
        return [entry.name for entry in self._run.entries if not entry.accepted]

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        run = self._run
        return {
            "cases": len(self._cases),
            "answered": sum(entry.accepted for entry in run.entries),
            "not_answered": self._failed,
            "probes": len(run.entries),
            "seconds": round(run.seconds, 3),
            "seed": self._seed,
            "findings": run.findings,
            "target_alive": run.alive,
        }

    def print(self, console: Console) -> None:
        """For a person."""
        entries = self._run.entries
        answered = sum(entry.accepted for entry in entries)
        console.print(Text(f"{self._prober.target}: {answered} of {len(entries)} cases answered", "bold"))
        if entries:
            report.print_classes(console, entries)
        for name in self._failed[:_MOST_NAMES]:
            console.print(f"  not answered: {name}")
        if len(self._failed) > _MOST_NAMES:
            console.print(f"  ... and {len(self._failed) - _MOST_NAMES} more")

    def close(self) -> None:
        """Close what is open."""
        self._prober.close()
