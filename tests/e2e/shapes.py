"""What two sides of an ALG say to each other at once, cut up in every awkward way, and what they must hear.

Strategy: the inside sends requests, the outside responses, and both close. What must arrive is the same template filled
in with the other address.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.inline_lab import INSIDE, POOL, exchange
from tests.edge.messages import options, request, response

SEGMENT = 1448
"""Bytes of payload in a full segment with timestamps on Ethernet."""

Ends = tuple[socket.socket, socket.socket]
"""The inside one and the outside one."""
Said = tuple[list[bytes], list[bytes]]
"""By the inside and by the outside, piece by piece; or heard, message by message."""


@dataclass(frozen=True)
class Shape:
    """A conversation."""

    said: Said
    heard: Said
    pause: float = 0.0
    """seconds between pieces"""

    def differs(self, ends: Ends) -> str:
        """Have it; how what was heard differs from what was due."""
        due = b"".join(self.heard[0]), b"".join(self.heard[1])
        heard = exchange(ends, self.said, self.pause)
        if heard == due:
            return ""
        return f"heard {[len(side) for side in heard]} bytes of {[len(side) for side in due]}"

    @property
    def growth(self) -> tuple[int, int]:
        """By how many bytes what each side hears is longer than what the other has said."""
        said, answered = (sum(map(len, side)) for side in self.said)
        answer_heard, heard = (sum(map(len, side)) for side in self.heard)
        return answer_heard - answered, heard - said


def cut(data: bytes, length: int) -> list[bytes]:
    """Pieces of one length, the last one shorter."""
    return [data[start : start + length] for start in range(0, len(data), length)]


def sized(length: int) -> int:
    """How much larger the body of a request must be for the whole to have this length."""
    size = length - len(request(INSIDE, size=length)) + length
    while len(request(INSIDE, size=size)) < length:
        size += 1
    assert len(request(INSIDE, size=size)) == length
    return size


def shape(*sizes: int | None, pieces: int | None = None, pause: float = 0.0) -> Shape:
    """Messages by how much larger their bodies are, None being a request without one; in pieces of so many bytes."""

    def side(make: Callable[..., bytes], host: str) -> list[bytes]:
        return [options(host) if size is None else make(host, size=size) for size in sizes]

    def pieced(messages: list[bytes]) -> list[bytes]:
        whole = b"".join(messages)
        assert pieces is None or pieces < len(whole), "is to be cut"
        return cut(whole, pieces or len(whole))

    said = pieced(side(request, INSIDE)), pieced(side(response, POOL))
    return Shape(said, (side(response, INSIDE), side(request, POOL)), pause)


def many(count: int, pause: float) -> Shape:
    """So many messages each way, each written by itself."""
    numbers = range(count)
    return Shape(
        ([request(INSIDE, cseq=number) for number in numbers], [response(POOL, str(number)) for number in numbers]),
        ([response(INSIDE, str(number)) for number in numbers], [request(POOL, cseq=number) for number in numbers]),
        pause,
    )


SHAPES = {
    "one segment": shape(0),
    "split in two": shape(0, pieces=350, pause=0.01),
    "1000-byte pieces": shape(8000, 3000, pieces=1000, pause=0.002),
    "byte by byte": shape(0, 300, pieces=1),
    "byte by byte, slowly": shape(None, pieces=1, pause=0.001),
    "several in one segment": shape(None, None, 0, None),
    "complete and partial": shape(None, 0, None, pieces=500, pause=0.01),
    "growing past the segment": shape(sized(SEGMENT), sized(SEGMENT), pieces=SEGMENT, pause=0.005),
    "growing past the segment, at once": shape(*[sized(SEGMENT)] * 20),
    "4186 bytes": shape(sized(4186)),
    "65 kB": shape(sized(65_536), 0),
    "a megabyte": shape(1_000_000, 0),
}
THOUSAND = many(1000, 0.0005)
