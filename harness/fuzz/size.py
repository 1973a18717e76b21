"""`sipalg fuzz size`: the searches that one command line asks for, and what they come to.

Strategy: without an ALG one search. With one, a first search asks the endpoint itself; the ALG then says, without
sending anything, which size before it still fits behind it; a second search starts from there, through the ALG. With
`--response` the search is over the 200s that we answer calls with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from alg.connection import Alg
from alg.errors import ConfigError
from harness.fuzz import report
from harness.fuzz.answering import Answer, Answerer, NobodyCalled
from harness.fuzz.growing import Place, TooSmall
from harness.fuzz.probing import Prober, Trial
from harness.fuzz.run import CUT_SHORT, Run, RunEnded, found_of, summary
from harness.fuzz.search import Search, bisect, step
from harness.fuzz.segments import Every, Random, Segmentation, Whole
from harness.fuzz.sizes import Sizes

ENDPOINT, THROUGH_ALG, RESPONSE = "endpoint", "through the ALG", "response"
_VARIATION = 64
"""Bytes by which the smallest 200 may vary from call to call: it repeats the Call-ID, tags and branches of the call."""
_SPREAD = 1_000_003
"""Keeps the cuts of one seed's probes apart from those of the next."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which sizes, and how they are gone through."""

    low: int
    high: int
    by: int | None
    """Bytes from one size to the next; None to bisect."""
    seed: int

    def search(self, guess: int | None = None) -> Search:
        """The search, the same one for the same seed."""
        if self.by is not None:
            return step(self.low, self.high, self.by)
        return bisect(self.low, self.high, random.Random(self.seed), guess)


@dataclass(frozen=True, slots=True)
class Cutting:
    """How every probe of a run is cut."""

    every: int | None
    """Bytes of a segment."""
    at_random: bool
    seed: int

    def __call__(self, number: int) -> Segmentation:
        """The segmentation of the probe of that number."""
        if self.every is not None:
            return Every(self.every)
        return Random(self.seed * _SPREAD + number) if self.at_random else Whole()


class RequestRun:
    """Requests that grow."""

    def __init__(
        self, run: Run, bounds: Bounds, sizes: Sizes, prober: Prober, alg: Alg | None, through: Prober | None
    ) -> None:
        self._run = run
        self._bounds = bounds
        self._sizes = sizes
        self._prober = prober
        self._alg = alg
        self._through = through
        """Sends through the ALG; None where there is none."""

    def carry_out(self) -> int:
        """All searches; the exit status. Raises RunEnded."""
        bounds, run = self._bounds, self._run
        found = run.search(ENDPOINT, bounds.search(), lambda size, number: self._try(self._prober, size, number))
        if self._through is None or self._alg is None:
            return 0
        through = self._through
        guess = None
        if found.largest_accepted is not None and found.smallest_refused is not None:
            guess = self._sizes.largest_that_fits(found.largest_accepted, self._alg, self._prober.target.local_host())
        run.search(THROUGH_ALG, bounds.search(guess), lambda size, number: self._try(through, size, number))
        return 0

    def _try(self, prober: Prober, size: int, number: int) -> Trial:
        return prober.run(self._sizes.case(size, number))

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        result = summary(self._run, ENDPOINT, self._bounds.seed)
        if self._through is not None:
            result["alg"] = self._alg_summary()
        return result

    def _alg_summary(self) -> dict[str, Any]:
        """What the sender may send so that it still fits after rewriting."""
        own = summary(self._run, THROUGH_ALG, self._bounds.seed)
        largest = own["largest_accepted"]
        arrived = next((entry.arrived for entry in self._run.of(THROUGH_ALG) if entry.size == largest), None)
        return {
            "largest_accepted": largest,
            "smallest_refused": own["smallest_refused"],
            "refusal": own["refusal"],
            "monotonic": own["monotonic"],
            "largest_arrived": arrived,
            "growth": arrived - largest if arrived is not None else None,
        }

    def print(self, console: Console) -> None:
        """For a person."""
        for phase in (ENDPOINT, THROUGH_ALG):
            entries = self._run.of(phase)
            if entries:
                report.print_found(console, f"{phase}: {self._prober.target}", found_of(self._run, phase), entries)
        if self._through is not None and (alg := self._alg_summary())["growth"] is not None:
            console.print(
                f"The sender may send {alg['largest_accepted']} bytes; behind the ALG they are "
                f"{alg['largest_arrived']} ({alg['growth']:+d})."
            )

    def close(self) -> None:
        """Close what is open."""
        for prober in (self._prober, self._through):
            if prober is not None:
                prober.close()


class ResponseRun:
    """200s that grow."""

    def __init__(self, run: Run, bounds: Bounds, place: Place, cutting: Cutting, pause: float, us: Answerer) -> None:
        self._run = run
        self._bounds = bounds
        self._place = place
        self._cutting = cutting
        self._pause = pause
        self._us = us

    def carry_out(self) -> int:
        """The search; the exit status. Raises RunEnded."""
        try:
            smallest = self._us.smallest(self._place)
            low = max(self._bounds.low, (smallest // _VARIATION + 2) * _VARIATION)
            if low > self._bounds.high:
                raise ConfigError(f"--max {self._bounds.high}: the smallest 200 to this call has {smallest} bytes")
            bounds = Bounds(low, self._bounds.high, self._bounds.by, self._bounds.seed)
            self._run.search(RESPONSE, bounds.search(), self._try)
        except NobodyCalled as silence:
            raise RunEnded(str(silence), CUT_SHORT) from None
        except TooSmall as error:
            raise RunEnded(f"a call came to which {error}: raise --min", CUT_SHORT) from None
        return 0

    def _try(self, size: int, number: int) -> Trial:
        return self._us.attempt(Answer(self._place, size, self._cutting(number), self._pause), f"size {size}")

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        return summary(self._run, RESPONSE, self._bounds.seed)

    def print(self, console: Console) -> None:
        """For a person."""
        entries = self._run.of(RESPONSE)
        if entries:
            report.print_found(console, "200 OK to INVITE", found_of(self._run, RESPONSE), entries)

    def close(self) -> None:
        """Close what is open."""
        self._us.close()
