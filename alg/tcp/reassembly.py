"""Segments that came before their turn.

Strategy: stretches of the incoming stream that lie beyond the next expected offset wait here, in order and without
overlap; where two copies of a byte differ, the first one counts. Whoever fills it bounds it: nothing is let in beyond
the window that the sender was given (RFC 9293 3.10.7.4).
"""

from __future__ import annotations

from bisect import bisect_left

Stretch = tuple[int, int]
"""Start and stop, stream offsets."""


class Reassembly:
    """The waiting stretches of one direction."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._pieces: list[bytes] = []
        self._latest = 0
        """An offset in the stretch that was added to last."""

    def __bool__(self) -> bool:
        return bool(self._starts)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(map(len, self._pieces))

    def add(self, start: int, data: bytes) -> None:
        """Keep those bytes of a segment that are not here yet."""
        self._latest = start
        index = max(0, bisect_left(self._starts, start) - 1)
        while data:
            if index < len(self._starts) and self._starts[index] <= start:
                known = self._starts[index] + len(self._pieces[index]) - start
                if known > 0:
                    data = data[known:]
                    start += known
                index += 1
                continue
            room = self._starts[index] - start if index < len(self._starts) else len(data)
            if room:
                self._starts.insert(index, start)
                self._pieces.insert(index, data[:room])
                start += len(data[:room])
                data = data[room:]
            index += 1

    def take(self, offset: int) -> bytes:
        """All that follows without a gap from `offset`, which leaves; what lies before it is forgotten."""
        taken = []
        while self._starts and self._starts[0] <= offset:
            piece = self._pieces.pop(0)[offset - self._starts.pop(0) :]
            taken.append(piece)
            offset += len(piece)
        return b"".join(taken)

    def blocks(self) -> list[Stretch]:
        """What waits, as SACK reports it: stretches without gaps, that of the latest segment first (RFC 2018 4)."""
        merged: list[Stretch] = []
        for start, piece in zip(self._starts, self._pieces, strict=True):
            if merged and merged[-1][1] == start:
                merged[-1] = (merged[-1][0], start + len(piece))
            else:
                merged.append((start, start + len(piece)))
        return sorted(merged, key=lambda stretch: not stretch[0] <= self._latest < stretch[1])
