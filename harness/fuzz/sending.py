"""One message on its way, segment by segment, at the pace that was asked for."""

from __future__ import annotations

from harness.fuzz.channel import Channel
from harness.fuzz.segments import Segmentation, pieces

_UNSENT_POLL = 0.001
"""Seconds between two looks at whether the kernel has sent a segment, which poll cannot tell."""


class Sending:
    """The segments of one message; `advance` lets them go, one when its time has come."""

    def __init__(self, channel: Channel, data: bytes, segmentation: Segmentation, pause: float, start: float) -> None:
        self.data = data
        self.cuts = segmentation.cuts(len(data))
        self.sent_at: list[float] = []
        """Seconds from the start, a segment each."""
        self._channel = channel
        self._left = pieces(data, self.cuts)[::-1]
        self._pause = pause
        self._start = start
        self._due = start

    @property
    def left(self) -> int:
        """Bytes that are still held back."""
        return sum(map(len, self._left))

    def advance(self, now: float) -> bool:
        """Let the next segment go if the one before it is on its way and the pause is over; whether one went."""
        if not (self._left and now >= self._due and self._channel.drained):
            return False
        self._channel.write(self._left.pop())
        self.sent_at.append(now - self._start)
        self._due = now + self._pause
        return True

    def patience(self, now: float) -> float:
        """Seconds until `advance` may have something to do; infinite when all is sent."""
        if not self._left:
            return float("inf")
        return max(self._due - now, 0.0 if self._channel.drained else _UNSENT_POLL)
