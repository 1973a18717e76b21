"""Where a message is cut into TCP segments.

Strategy: a segmentation is asked for the cuts of a length, and gives the same ones whenever it is asked again; what
was sent can be written down as `At(cuts)`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

LARGEST_RANDOM = 1460
"""Bytes of the largest segment that chance makes: what Ethernet carries."""


class Segmentation(Protocol):
    """A way to cut."""

    def cuts(self, length: int) -> tuple[int, ...]:
        """The offsets, ascending, at which so many bytes are cut; neither 0 nor `length` is one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Not at all; the kernel cuts where it must."""

    def cuts(self, length: int) -> tuple[int, ...]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Every:
    """Segments of one size, the last one shorter."""

    size: int

    def cuts(self, length: int) -> tuple[int, ...]:
        """Its multiples."""
        return tuple(range(self.size, length, self.size))


@dataclass(frozen=True, slots=True)
class Random:
    """Segments of 1 to LARGEST_RANDOM bytes, as a seed decides."""

    seed: int

    def cuts(self, length: int) -> tuple[int, ...]:
        """Wherever chance has it."""
        rng = random.Random(self.seed)
        found: list[int] = []
        at = rng.randint(1, LARGEST_RANDOM)
        while at < length:
            found.append(at)
            at += rng.randint(1, LARGEST_RANDOM)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class At:
    """At these offsets."""

    offsets: tuple[int, ...]

    def cuts(self, length: int) -> tuple[int, ...]:
        """Those that are within."""
        return tuple(sorted({offset for offset in self.offsets if 0 < offset < length}))


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The segments."""
    bounds = (0, *cuts, len(data))
    return [data[start:stop] for start, stop in pairwise(bounds)]
