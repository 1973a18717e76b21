"""What a flow says of itself, for events and captures: how it ended, how much crossed it, where bytes stand."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from tests.tcp.dialogue import Dialogue
from tests.tcp.endpoint import FIN, RST, read
from tests.tcp.rewriter import LineRewriter

OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD


@pytest.fixture
def dialogue() -> Dialogue:
    """A connection that is open."""
    dialogue = Dialogue()
    dialogue.open()
    return dialogue


def test_closed_by_both(dialogue: Dialogue) -> None:
    """Only when each side has acknowledged the other's FIN."""
    dialogue.inside(flags=FIN)
    dialogue.outside(flags=FIN, ack=1)
    assert dialogue.flow.ending is None
    dialogue.inside(at=1, ack=1)
    assert dialogue.flow.ending == "closed"


def test_reset(dialogue: Dialogue) -> None:
    """By either side; what comes later does not change it."""
    dialogue.outside(flags=RST)
    assert dialogue.flow.ending == "reset"
    dialogue.inside(flags=FIN)
    assert dialogue.flow.ending == "reset"


def test_cut_by_us() -> None:
    """With the reason of the rewriter."""
    rewriter = LineRewriter()
    dialogue = Dialogue(rewriter)
    dialogue.open()
    rewriter.must_close = "no SIP at offset 0"
    dialogue.inside(b"abc\n")
    assert dialogue.flow.ending == "no SIP at offset 0"


def test_given_up(dialogue: Dialogue) -> None:
    """With the reason of the record."""
    dialogue.inside(b"gro")
    dialogue.inside(b"w\n", at=3)
    while dialogue.flow.timer() is not None:
        dialogue.wait(1000.0)
    assert dialogue.flow.ending == "no acknowledgment after 10 repetitions"


def test_how_much_crossed(dialogue: Dialogue) -> None:
    """What came in and what went out; what is held has not crossed, what is sent again does not count."""
    dialogue.inside(b"abc\ngrow\nhel")
    dialogue.inside(b"abc\n")
    dialogue.outside(b"yes\n")
    assert dialogue.flow.offsets(OUTWARD) == (9, 9 + 18)
    assert dialogue.flow.offsets(INWARD) == (4, 4)
    dialogue.inside(b"lo\n", at=12)
    assert dialogue.flow.offsets(OUTWARD) == (15, 15 + 18)


def test_how_much_crossed_in_mid_stream() -> None:
    """Counted from where it was joined, also before it is taken up."""
    dialogue = Dialogue()
    dialogue.inside(b"xyz\n", at=10)
    dialogue.outside(b"ok\n", ack=14)
    assert [dialogue.flow.offsets(direction) for direction in Direction] == [(4, 4), (3, 3)]
    dialogue.inside(at=14, ack=3)
    dialogue.inside(b"grow\n", at=14, ack=3)
    assert dialogue.flow.offsets(OUTWARD) == (9, 9 + 18)


def test_where_bytes_stand(dialogue: Dialogue) -> None:
    """A number that leaves, as an offset in what the rewriter wrote, and how far that is acknowledged."""
    numbers = []
    for data, at in ((b"grow\n", 0), (b"abc\n", 5)):
        dialogue.inside(data, at=at)
        numbers.append(read(dialogue.packets[0]).seq)
    assert [dialogue.flow.written(OUTWARD, number) for number in numbers] == [(0, 0), (23, 0)]
    dialogue.outside(ack=23)
    assert dialogue.flow.written(OUTWARD, numbers[1]) == (23, 23)


def test_where_bytes_stand_in_mid_stream() -> None:
    """What passed before the first message is none of the rewriter's."""
    dialogue = Dialogue()
    dialogue.inside(b"xyz\n", at=10)
    dialogue.outside(ack=14)
    dialogue.inside(at=14)
    dialogue.inside(b"grow\n", at=14)
    assert dialogue.flow.written(OUTWARD, read(dialogue.packets[0]).seq)[0] == 0
