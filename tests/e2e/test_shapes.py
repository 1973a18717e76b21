"""SIP between two kernels with `sipalg inline` or `sipalg proxy --transparent` as their router, in every segmentation.

Strategy: both sides talk at once, the inside sending requests, the outside responses, and close. What must arrive is
the same template filled in with the other address. Segmentation offload makes the difference between packets of up to
64 kB and packets that could have crossed a wire.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.inline_lab import INSIDE, POOL, InlineLab, exchange, inline_lab
from tests.e2e.routers import OURS
from tests.edge.messages import options, request, response

SEGMENT = 1448
"""Bytes of payload in a full segment with timestamps on Ethernet."""


@pytest.fixture(scope="module", params=["offload", "no offload"])
def lab(request: pytest.FixtureRequest) -> Iterator[InlineLab]:
    """A lab without a router yet."""
    with inline_lab(request.param == "offload") as one:
        yield one


@pytest.fixture(scope="module", params=OURS)
def routed(lab: InlineLab, request: pytest.FixtureRequest) -> Iterator[InlineLab]:
    """A lab whose router is the ALG."""
    with OURS[request.param](lab):
        yield lab


def sized(length: int) -> int:
    """How much larger the body of a request must be for the whole to have this length."""
    size = length - len(request(INSIDE, size=length)) + length
    while len(request(INSIDE, size=size)) < length:
        size += 1
    assert len(request(INSIDE, size=size)) == length
    return size


def cut(data: bytes, length: int) -> list[bytes]:
    """Pieces of one length, the last one shorter."""
    return [data[start : start + length] for start in range(0, len(data), length)]


class Talk:
    """What both sides say, and what they must hear."""

    def __init__(self, *messages: int | None) -> None:
        """Messages by how much larger their bodies are; None stands for a request without a body."""
        self.said = self._side(request, INSIDE, messages), self._side(response, POOL, messages)
        self.heard = self._side(response, INSIDE, messages), self._side(request, POOL, messages)

    @staticmethod
    def _side(kind: object, host: str, messages: tuple[int | None, ...]) -> bytes:
        make = request if kind is request else response
        return b"".join(options(host) if size is None else make(host, size=size) for size in messages)

    def pieces(self, length: int | None = None) -> tuple[list[bytes], list[bytes]]:
        """What both sides send, in pieces."""
        out, back = self.said
        return cut(out, length or len(out)), cut(back, length or len(back))


SHAPES = {
    "one segment": (Talk(0), None, 0.0),
    "split in two": (Talk(0), 700, 0.01),
    "1000-byte pieces": (Talk(8000, 3000), 1000, 0.002),
    "byte by byte": (Talk(0, 300), 1, 0.0),
    "byte by byte, slowly": (Talk(None), 1, 0.001),
    "several in one segment": (Talk(None, None, 0, None), None, 0.0),
    "complete and partial": (Talk(None, 0, None), 900, 0.01),
    "growing past the segment": (Talk(sized(SEGMENT), sized(SEGMENT)), SEGMENT, 0.005),
    "growing past the segment, at once": (Talk(*[sized(SEGMENT)] * 20), None, 0.0),
    "4186 bytes": (Talk(sized(4186)), None, 0.0),
    "65 kB": (Talk(sized(65_536), 0), None, 0.0),
    "a megabyte": (Talk(1_000_000, 0), None, 0.0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(routed: InlineLab, shape: str) -> None:
    """However a message is cut up, the other side has all of it, with the other address in its places."""
    talk, length, pause = SHAPES[shape]
    with routed.connection() as ends:
        heard = exchange(ends, talk.pieces(length), pause)
    assert heard == talk.heard


def test_a_thousand_messages(routed: InlineLab) -> None:
    """A connection whose numbers have drifted apart by tens of kB lives, in both directions, to its FIN."""
    numbers = range(1000)
    said = [request(INSIDE, cseq=number) for number in numbers], [response(POOL, str(number)) for number in numbers]
    with routed.connection() as ends:
        heard = exchange(ends, said, 0.0005)
    assert heard[0] == b"".join(response(INSIDE, str(number)) for number in numbers)
    assert heard[1] == b"".join(request(POOL, cseq=number) for number in numbers)


def test_a_message_that_never_ends(routed: InlineLab) -> None:
    """What is held when a side closes arrives unchanged before its FIN."""
    half = request(INSIDE, size=5000)[:4000]
    with routed.connection() as ends:
        heard = exchange(ends, ([options(INSIDE), half], [b""]), 0.02)
    assert heard == (b"", options(POOL) + half)
