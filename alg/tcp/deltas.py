"""How stream offsets on one side of the ALG relate to those on the other: the full, ordered history of growth.

Strategy: whenever a message leaves with another length, its start and its end are recorded as pairs (offset in, offset
out). Between recorded messages both sides advance together; within one, only its two ends correspond. All of it is kept
until it is pruned: a range that is sent again leaves with the very numbers of its first transmission, however many
messages changed size since.
"""

from __future__ import annotations

from bisect import bisect_right

Point = tuple[int, int]
"""(stream offset in, stream offset out), bytes from the start of the direction."""


class DeltaHistory:
    """Growth of one direction of a connection."""

    def __init__(self) -> None:
        self._in = [0]
        self._out = [0]

    def __len__(self) -> int:
        """Recorded points, the origin included."""
        return len(self._in)

    @property
    def growth(self) -> int:
        """Bytes by which the stream has grown so far (negative: shrunk)."""
        return self._out[-1] - self._in[-1]

    @property
    def points(self) -> list[Point]:
        """The recorded points in order."""
        return list(zip(self._in, self._out, strict=True))

    def record(self, start: Point, stop: Point) -> None:
        """A message that stood at `start` and ends at `stop` has changed its length."""
        follows = start[0] >= self._in[-1] and start[1] - start[0] == self.growth
        assert follows, f"{start} does not follow {self.points[-1]}"
        if start[0] > self._in[-1]:
            self._in.append(start[0])
            self._out.append(start[1])
        self._in.append(stop[0])
        self._out.append(stop[1])

    def outgoing(self, offset: int) -> int:
        """Where the byte at an incoming offset left; for one inside a resized message, where that message began."""
        return self._across(self._in, self._out, offset)

    def incoming(self, offset: int) -> int:
        """Which incoming offset an outgoing one stands for; inside a resized message, where that message began."""
        return self._across(self._out, self._in, offset)

    def outgoing_end(self, offset: int) -> int:
        """As `outgoing`, but for an offset inside a resized message, where that message ended."""
        return self._across(self._in, self._out, offset, end=True)

    def incoming_end(self, offset: int) -> int:
        """As `incoming`, but for an offset inside a resized message, where that message ended."""
        return self._across(self._out, self._in, offset, end=True)

    def _across(self, here: list[int], there: list[int], offset: int, end: bool = False) -> int:
        index = max(0, bisect_right(here, offset) - 1)
        beyond = offset - here[index]
        if index + 1 < len(here) and self._resized(index):
            return there[index + 1] if end and beyond > 0 else there[index]
        return there[index] + beyond

    def _resized(self, index: int) -> bool:
        """Whether the stretch from this point to the next is a resized message."""
        return self._in[index + 1] - self._in[index] != self._out[index + 1] - self._out[index]

    def prune(self, offset: int) -> None:
        """Forget what lies before an incoming offset that will never be asked about again."""
        keep = max(0, bisect_right(self._in, offset) - 1)
        del self._in[:keep]
        del self._out[:keep]
