"""The faults of one connection at work: which of them strike a message, and what becomes of it.

Strategy: for each message the faults whose conditions hold are looked up; each hook then runs through all of them in
the order in which they were asked for. A message that no fault names takes the way of a right ALG.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from alg.direction import Direction
from alg.faults.base import Case
from alg.faults.spec import Draws, FaultSpec
from alg.rewrite import Edit, apply_edits
from alg.sip.message import summarise
from alg.translator import Translator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message."""

    after: bytes
    edits: list[Edit]
    struck: tuple[FaultSpec, ...]
    """The faults that had a hand in it."""


class Injector:
    """One connection."""

    def __init__(self, specs: tuple[FaultSpec, ...], draws: Draws) -> None:
        self.specs = specs
        """In the order in which they were asked for."""
        self._draws = draws
        self._named: Counter[int] = Counter()
        """Messages that each fault names, whatever their number."""
        self._last: float | None = None
        """Seconds, when bytes came last."""
        self._forgotten: FaultSpec | None = None

    def translate(self, translator: Translator, case: Case) -> Outcome:
        """The message as it leaves."""
        named = self._naming(case)
        if not named:
            return Outcome(*translator.translate(case.message, case.direction), ())
        struck: list[FaultSpec] = []
        closing = [spec for spec in named if not spec.fault.opens_doors(case)]
        edits = translator.address_edits(case.message, case.direction, doors=not closing)
        if any(rule.startswith("SDP") for *_, rule in edits):
            struck += closing
        for spec in named:
            edits = _noting(spec, struck, edits, spec.fault.address_edits(case, edits))
        edits = without_overlaps(edits)
        lengths = translator.length_edits(case.message, edits)
        for spec in named:
            lengths = _noting(spec, struck, lengths, spec.fault.length_edits(case, lengths))
        edits = sorted(edits + lengths)
        rewritten = after = apply_edits(case.message.data, edits)
        for spec in named:
            after = _noting(spec, struck, after, spec.fault.leaves(case, after))
        return Outcome(after, edits if after == rewritten else [], tuple(dict.fromkeys(struck)))

    def swallows(self, direction: Direction, data: bytes) -> FaultSpec | None:
        """The fault that keeps a CRLF keep-alive from leaving, if one does."""
        for number, spec in enumerate(self.specs):
            condition = spec.condition
            fits = condition.direction in (None, direction) and not condition.asks_of_messages
            if fits and spec.fault.swallows(data) and self._draws.falls(number, condition):
                return spec
        return None

    def forgets(self, now: float) -> FaultSpec | None:
        """The fault by which this connection is forgotten, if one has struck; asked whenever bytes come."""
        if self._forgotten is None and self._last is not None:
            idle = now - self._last
            self._forgotten = next((spec for spec in self.specs if spec.fault.forgets(idle)), None)
        self._last = now
        return self._forgotten

    def _naming(self, case: Case) -> list[FaultSpec]:
        """The faults whose conditions hold for a message."""
        summary = summarise(case.message.data)
        found = []
        for number, spec in enumerate(self.specs):
            if not spec.condition.names(summary, case.direction):
                continue
            self._named[number] += 1
            if spec.condition.nth in (None, self._named[number]) and self._draws.falls(number, spec.condition):
                found.append(spec)
        return found


def _noting(spec: FaultSpec, struck: list[FaultSpec], before: T, after: T) -> T:
    """What a hook gave back; its fault has struck if that is something else than it was given."""
    if after != before:
        struck.append(spec)
    return after


def without_overlaps(edits: list[Edit]) -> list[Edit]:
    """The edits in ascending order; of those that overlap, the first."""
    kept: list[Edit] = []
    for edit in sorted(edits):
        if not kept or edit[0] >= kept[-1][1]:
            kept.append(edit)
    return kept
