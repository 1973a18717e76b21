"""A message to be spoilt, and what many chances make of it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from harness.fuzz.mutation import Base
from harness.fuzz.sizes import Message, Tokens
from harness.fuzz.specimen import Specimen
from harness.fuzz.spoiling import Operator

HOST = "127.0.0.1"
TARGET = ("127.0.0.9", 5070)
CHANCES = 60


def message(method: str = "OPTIONS") -> Message:
    """For the target."""
    return Message.choose(method, None, TARGET, False, Tokens("0123456789"))


BASE = Base.of(message(), HOST)
SPECIMEN = Specimen.of(BASE.data)


def spoilt(operator: Operator, chances: int = CHANCES) -> Iterator[Specimen]:
    """What it does, by one chance after the other."""
    for seed in range(chances):
        yield operator.spoil(SPECIMEN, Random(seed))


def field(specimen: Specimen, name: bytes) -> bytes:
    """The one field of that name in any case, without the name."""
    (found,) = (each for each in specimen.fields if each.partition(b":")[0].strip().lower() == name)
    return found.partition(b":")[2]
