"""SIP between two kernels with `sipalg inline` or `sipalg proxy --transparent` as their router, in every segmentation.

Segmentation offload makes the difference between packets of up to 64 kB and packets that could have crossed a wire.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.e2e.inline_lab import INSIDE, POOL, InlineLab, exchange, inline_lab, unacknowledged
from tests.e2e.routers import OURS
from tests.e2e.shapes import SHAPES, THOUSAND
from tests.edge.messages import options, request
from tests.helpers.system import eventually


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


@pytest.mark.parametrize("name", SHAPES)
def test_shape(routed: InlineLab, name: str) -> None:
    """However a message is cut up, the other side has all of it, with the other address in its places."""
    with routed.connection() as ends:
        assert not SHAPES[name].differs(ends)


def test_they_are_what_they_are_called() -> None:
    """Split in a header one way and in a body the other; a message and a part of one; as long; numbers drift by kB."""
    split_request, split_response = (side[0] for side in SHAPES["split in two"].said)
    assert b"\r\n\r\n" not in split_request
    assert b"\r\n\r\n" in split_response
    first = SHAPES["complete and partial"].said[0][0]
    assert first.startswith(options(INSIDE))
    assert 0 < len(first) - len(options(INSIDE)) < len(request(INSIDE))
    assert [len(message) for message in SHAPES["4186 bytes"].said[0]] == [4186]
    assert SHAPES["65 kB"].said[0][0][65_536:] == request(INSIDE)
    assert THOUSAND.growth == (-15_000, 24_000)


def acknowledged(end: socket.socket, pieces: list[bytes]) -> Iterator[bytes]:
    """The pieces; it is over when the sender's kernel knows that all have arrived."""
    yield from pieces
    eventually("everything is acknowledged", lambda: unacknowledged(end) == 0)


def test_a_thousand_messages(routed: InlineLab) -> None:
    """A connection whose numbers drift apart by tens of kB lives, in both directions; nobody waits for its FIN."""
    with routed.connection() as ends:
        said = acknowledged(ends[0], THOUSAND.said[0]), acknowledged(ends[1], THOUSAND.said[1])
        heard = exchange(ends, said, THOUSAND.pause)
    assert heard == tuple(b"".join(side) for side in THOUSAND.heard)


def test_a_message_that_never_ends(routed: InlineLab) -> None:
    """What is held when a side closes arrives unchanged before its FIN."""
    half = request(INSIDE, size=5000)[:4000]
    with routed.connection() as ends:
        heard = exchange(ends, ([options(INSIDE), half], [b""]), 0.02)
    assert heard == (b"", options(POOL) + half)
