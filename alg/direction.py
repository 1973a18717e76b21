"""Which way bytes cross the NAT."""

from __future__ import annotations

from enum import IntEnum


class Direction(IntEnum):
    """The way of a byte stream through the ALG; also an index into a pair."""

    OUTWARD = 0
    """From inside to outside: inside addresses become outside ones."""
    INWARD = 1
    """From outside to inside: outside addresses become inside ones."""

    @property
    def opposite(self) -> Direction:
        """The other way."""
        return Direction(1 - self)

    @property
    def label(self) -> str:
        """`outward` or `inward`, as events and records spell it."""
        return self.name.lower()
