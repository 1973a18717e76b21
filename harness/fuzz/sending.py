"""One message on its way, segment by segment, at the pace that was asked for.

What has to be said meanwhile, an ACK to an answer that came early, waits behind the last segment: a message in the
middle of another one would be our fault, not the far end's.
"""

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
        self._behind: list[bytes] = []
        self._pause = pause
        self._start = start
        self._due = start

    @property
    def left(self) -> int:
        """Bytes that are still held back."""
        return sum(map(len, self._left))

    @property
    def over(self) -> bool:
        """Whether nothing is held back any more."""
        return not (self._left or self._behind)

    def follow(self, message: bytes) -> None:
        """Send another message, as soon as this one has left."""
        self._behind.append(message)

    def advance(self, now: float) -> bool:
        """Let the next segment go if the one before it is on its way and the pause is over; whether one went."""
        if self.over or not self._channel.drained:
            return False
        if not self._left:
            self._channel.write(b"".join(self._behind))
            self._behind.clear()
            return False
        if now < self._due:
            return False
        self._channel.write(self._left.pop())
        self.sent_at.append(now - self._start)
        self._due = now + self._pause
        return True

    def patience(self, now: float) -> float:
        """Seconds until `advance` may have something to do; infinite when all is sent."""
        if self.over:
            return float("inf")
        return max(self._due - now if self._left else 0.0, 0.0 if self._channel.drained else _UNSENT_POLL)
