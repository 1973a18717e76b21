"""What may come of a message that is no plain one: a set, written in words.

accepted   any final response that does not say that the message was not taken
rejected   any final response that says so (`harness.fuzz.classification.REFUSING`)
answered   either
400 4xx    a final response of this status, or of this hundred
silent closed reset garbled    no final response: the class of what happened instead

A target that does not answer afterwards, or was away for a while, is never as expected: a message may be refused, but
not with one's life.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.fuzz.classification import Kind
from harness.fuzz.probing import Trial

_STATUS = re.compile(r"([1-6])(\d\d|xx)")
_ENDINGS = frozenset({Kind.SILENT, Kind.CLOSED, Kind.RESET, Kind.GARBLED})


@dataclass(frozen=True, slots=True)
class Expectation:
    """A set of outcomes."""

    words: tuple[str, ...]
    kinds: frozenset[Kind]
    statuses: frozenset[int]
    """Of final responses, whatever their class."""

    @classmethod
    def parse(cls, text: str) -> Expectation:
        """Words with spaces between; ValueError for one that says nothing."""
        words = tuple(text.split())
        kinds: set[Kind] = set()
        statuses: set[int] = set()
        for word in words:
            status = _STATUS.fullmatch(word)
            if word == "answered":
                kinds |= {Kind.ACCEPTED, Kind.REJECTED}
            elif status is not None:
                first = int(status[1]) * 100
                statuses |= set(range(first, first + 100)) if status[2] == "xx" else {int(word)}
            elif word in (Kind.ACCEPTED, Kind.REJECTED, *_ENDINGS):
                kinds.add(Kind(word))
            else:
                raise ValueError(f"{word!r} is no outcome")
        if not words:
            raise ValueError("something must be expected")
        return cls(words, frozenset(kinds), frozenset(statuses))

    def allows(self, kind: str, status: int | None) -> bool:
        """Whether such an outcome is as expected."""
        return Kind(kind) in self.kinds or status in self.statuses

    def met_by(self, trial: Trial) -> bool:
        """Whether a trial went as expected, and the target came through it.

        What could not be sent, since the target was gone before, says nothing of its own.
        """
        if trial.absent and trial.outcome.kind is Kind.REFUSED:
            return True
        return self.allows(trial.outcome.kind, trial.outcome.status) and unharmed(trial)

    def __str__(self) -> str:
        *others, last = self.words
        return f"{', '.join(others)} or {last}" if others else last


def unharmed(trial: Trial) -> bool:
    """Whether the target came through it: it took the message, or answered a small one when it was first asked."""
    return trial.health is None or (trial.health.alive and trial.health.tries == 1)
