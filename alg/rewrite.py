"""Edits, and the only place that cuts bytes.

An edit points at bytes of a message and says what stands there afterwards. Everything that no edit names comes out as
it went in.
"""

from __future__ import annotations

import sys

Edit = tuple[int, int, bytes, str]
"""Start and stop offsets in the message, the new bytes, and the name of the rule that asks for them."""


def growth(edits: list[Edit], first: int = 0, last: int = sys.maxsize) -> int:
    """Bytes that the edits between two offsets add (negative: take away)."""
    grown = 0
    for start, stop, new, _ in edits:
        if first <= start and stop <= last:
            grown += len(new) - stop + start
    return grown


def apply_edits(data: bytes, edits: list[Edit]) -> bytes:
    """`data` with every edit done. Edits must be in ascending order and must not overlap."""
    pieces: list[bytes] = []
    position = 0
    for start, stop, new, _ in edits:
        assert start >= position, f"edit at {start} overlaps what ends at {position}"
        pieces += data[position:start], new
        position = stop
    pieces.append(data[position:])
    return b"".join(pieces)
