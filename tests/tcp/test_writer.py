"""Segments as they leave: after a model, or our own."""

from __future__ import annotations

import struct

import pytest

from alg.direction import Direction
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue
from tests.tcp.endpoint import read


@pytest.fixture
def dialogue() -> Dialogue:
    """A connection that is open, its inside numbers about to wrap."""
    dialogue = Dialogue()
    dialogue.open(options=SACK_PERMITTED + b"\1\1")
    return dialogue


def test_rewriting_in_place_keeps_the_rest_of_the_packet(dialogue: Dialogue) -> None:
    """Unknown options go on beside another payload."""
    assert dialogue.inside(b"tell\n", options=bytes.fromhex("1e041122")) == ["> 0 ack 0 'Tell\\n'"]
    assert dialogue.packets[0][40:44] == bytes.fromhex("1e041122")


def test_growth_beyond_the_segment_size_leaves_as_two() -> None:
    """The receiver's MSS holds for what we make."""
    dialogue = Dialogue()
    dialogue.open(mss=30)
    assert dialogue.inside(b"g" + b"x" * 28 + b"\n") == [
        "> 0 ack 0 'grown by the box: gxxxxxxxxxxx'",
        "> 30 ack 0 'xxxxxxxxxxxxxxxxx\\n'",
    ]
    assert [bool(read(packet).flags & 8) for packet in dialogue.packets] == [False, True]
    assert dialogue.flow.limit_segments(Direction.OUTWARD, 20, 0.0) == []
    assert len(dialogue.inside(b"g" + b"x" * 28 + b"\n")) == 3


def test_our_segments_carry_timestamps_that_pass() -> None:
    """TSval is the highest its sender has used, TSecr what the other side sent; a later older one is lifted (PAWS)."""

    def stamps(value: int, echo: int) -> bytes:
        return b"\1\1" + struct.pack("!BBII", 8, 10, value, echo)

    dialogue = Dialogue()
    dialogue.open(options=stamps(100, 0))
    dialogue.outside(options=stamps(700, 100))
    assert dialogue.inside(b"abc\ngro", options=stamps(105, 700)) == ["> 0 ack 0 'abc\\n'", "< 0 ack 7"]
    assert [read(packet).stamps for packet in dialogue.packets] == [(105, 700), (700, 105)]
    dialogue.wait(1.0)
    assert read(dialogue.packets[0]).stamps == (105, 700)
    dialogue.outside(b"old\n", options=stamps(699, 100), ack=4)
    assert read(dialogue.packets[0]).stamps == (700, 100)
