"""Arithmetic on TCP sequence numbers.

Strategy: numbers on the wire are 32 bits and wrap (RFC 9293 3.4); everything else in this package counts bytes of a
stream without wrapping. `unwrap` is the way in, `wrap` the way out. A wire number stands for the one offset that is
nearest to a reference, which is right as long as both are less than 2^31 apart; TCP windows are below 2^30 (RFC 7323
2.3).
"""

from __future__ import annotations

MODULUS = 1 << 32
MASK = MODULUS - 1
_HALF = 1 << 31


def wrap(offset: int) -> int:
    """The 32 bits that stand for an unwrapped number on the wire."""
    return offset & MASK


def difference(left: int, right: int) -> int:
    """How far `left` is after `right`, from -2^31 to 2^31 - 1."""
    return ((left - right + _HALF) & MASK) - _HALF


def before(left: int, right: int) -> bool:
    """Whether `left` is earlier than `right` (RFC 9293 3.4)."""
    return difference(left, right) < 0


def unwrap(number: int, origin: int, near: int) -> int:
    """The stream offset of a wire number: the one nearest to `near`, if offset 0 has the number `origin`."""
    return near + difference(number, wrap(origin + near))
