"""What a capture says about messages that were changed: a comment on every packet that has bytes of one.

Strategy: a record of the ALG tells where a changed message starts and stops in the stream as it leaves, before it does.
That stretch is remembered with its comment until it cannot leave any more.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from alg.trace import MessageRecord

_MOST_TITLE = 32
"""Characters of a method in a comment; a peer may make it as long as a header."""


def describe(record: MessageRecord) -> str:
    """Which rules changed a message, and by how much it grew: `INVITE rewritten by Via, Contact: +6 bytes`."""
    rules = ", ".join(dict.fromkeys(rewrite.rule for rewrite in record.rewrites))
    unit = "byte" if abs(record.growth) == 1 else "bytes"
    return f"{record.summary.title[:_MOST_TITLE]} rewritten by {rules}: {record.growth:+d} {unit}"


class Comment(NamedTuple):
    """What is to be said about a stretch of what leaves."""

    start: int
    stop: int
    """Bytes from the start of the stream."""
    text: str


class Comments:
    """Those on one stream, in its order."""

    def __init__(self) -> None:
        self._comments: deque[Comment] = deque()

    def note(self, record: MessageRecord) -> None:
        """A message is about to leave."""
        if record.rewrites:
            stop = record.offset_out + len(record.after)
            self._comments.append(Comment(record.offset_out, stop, describe(record)))

    def on(self, start: int, stop: int) -> list[str]:
        """What is to be said about a stretch."""
        return [comment.text for comment in self._comments if start < comment.stop and comment.start < stop]

    def settle(self, offset: int) -> None:
        """All before this has left for good."""
        while self._comments and self._comments[0].stop <= offset:
            self._comments.popleft()

    def clear(self) -> None:
        """Nothing leaves any more."""
        self._comments.clear()
