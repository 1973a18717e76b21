"""What a mutation is: a way to spoil a message that knows the grammar, and how much it takes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from harness.fuzz.expectation import Expectation
from harness.fuzz.specimen import Specimen


class Effect(IntEnum):
    """How much is left of a message, from all to little."""

    HARMLESS = 0
    """It is valid, and says the same."""
    SPOILT = 1
    """It is not valid, or more than one need take; its end can be told."""
    UNFRAMED = 2
    """Its end cannot be told, or is not where it says."""

    @property
    def expectation(self) -> Expectation:
        """What may come of such a message."""
        return _EXPECTATIONS[self]


_SPOILT = "accepted 400 413 414 513 silent closed reset"
_EXPECTATIONS = {
    Effect.HARMLESS: Expectation.parse("accepted"),
    Effect.SPOILT: Expectation.parse(_SPOILT),
    Effect.UNFRAMED: Expectation.parse(f"{_SPOILT} garbled"),
}
"""500 is in none: whoever has failed on a message should have refused it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to spoil a message."""

    name: str
    effect: Effect
    spoil: Callable[[Specimen, Random], Specimen]
    """The same chance makes the same of the same message."""

    @property
    def about(self) -> str:
        """One line for a person: what it does."""
        return (self.spoil.__doc__ or "").splitlines()[0]
