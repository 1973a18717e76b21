"""A rewriter that can be checked by eye: a message ends at a line feed, its first letter says what becomes of it."""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.deltas import DeltaHistory

GROWTH = b"grown by the box: "


def rewrite(message: bytes) -> bytes:
    """What a whole message becomes: `g` grows, `G` grows a lot, `s` shrinks to half, `t` changes in place."""
    kind = message[:1]
    if kind == b"g":
        return GROWTH + message
    if kind == b"G":
        return GROWTH * 30 + message
    if kind == b"s":
        return message[: len(message) // 2].replace(b"\n", b"") + b"\n"
    if kind == b"t":
        return b"T" + message[1:]
    return message


def rewritten(stream: bytes) -> bytes:
    """What a stream becomes: every whole message rewritten, an unfinished one as it is."""
    messages = stream.split(b"\n")
    return b"".join(rewrite(message + b"\n") for message in messages[:-1]) + messages[-1]


class LineRewriter:
    """Holds a message back until its line feed has come."""

    def __init__(self) -> None:
        self.must_close: str | None = None
        self._held = dict.fromkeys(Direction, b"")
        self._at = dict.fromkeys(Direction, (0, 0))
        self._deltas = {direction: DeltaHistory() for direction in Direction}

    def feed(self, direction: Direction, data: bytes, now: float = 0.0) -> bytes:
        """Whole messages, rewritten."""
        *messages, self._held[direction] = (self._held[direction] + data).split(b"\n")
        out = []
        for message in messages:
            before, after = message + b"\n", rewrite(message + b"\n")
            start = self._at[direction]
            stop = start[0] + len(before), start[1] + len(after)
            self._at[direction] = stop
            if len(after) != len(before):
                self._deltas[direction].record(start, stop)
            out.append(after)
        return b"".join(out)

    def close(self, direction: Direction) -> bytes:
        """The unfinished message."""
        held, self._held[direction] = self._held[direction], b""
        return held

    def held(self, direction: Direction) -> int:
        """Bytes of the unfinished message."""
        return len(self._held[direction])

    def deltas(self, direction: Direction) -> DeltaHistory:
        """Growth so far."""
        return self._deltas[direction]
