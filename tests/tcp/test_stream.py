"""What a sender is told of its receiver: acknowledgments, SACK blocks and windows in its own numbers."""

from __future__ import annotations

import pytest

from alg.tcp.stream import FlowLimits
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue


@pytest.fixture
def dialogue() -> Dialogue:
    """A connection that is open, its inside numbers about to wrap."""
    dialogue = Dialogue()
    dialogue.open(options=SACK_PERMITTED + b"\1\1")
    return dialogue


def test_part_of_a_resized_message_counts_as_none_of_it(dialogue: Dialogue) -> None:
    """The sender must be able to send it again."""
    dialogue.inside(b"g1\n")
    assert dialogue.outside(ack=20) == ["< 0 ack 0"]
    assert dialogue.outside(ack=21) == ["< 0 ack 3"]


def test_what_was_never_sent_is_not_acknowledged(dialogue: Dialogue) -> None:
    """An acknowledgment out of thin air does not reach the sender as one of its bytes."""
    dialogue.inside(b"g1\n")
    assert dialogue.outside(ack=500) == ["< 0 ack 0"]


def test_sack_blocks_are_translated_to_whole_messages(dialogue: Dialogue) -> None:
    """A block is shrunk to the messages that are wholly in it, and dropped if there are none."""
    dialogue.inside(b"g1\n")
    dialogue.inside(b"abc\n", at=3)
    dialogue.inside(b"g2\n", at=7)
    assert dialogue.outside(sack=(21, 25)) == ["< 0 ack 0 sack 3-7"]
    assert dialogue.outside(sack=(5, 30)) == ["< 0 ack 0 sack 3-7"]
    assert dialogue.outside(sack=(5, 20, 22, 46)) == ["< 0 ack 0 sack 4-10"]
    assert dialogue.outside(sack=(2, 9)) == ["< 0 ack 0"]


def test_window_is_what_the_receiver_gave() -> None:
    """Its edge goes where the receiver's is, less what the stream grew, but never back (RFC 9293 3.8.6)."""
    dialogue = Dialogue(show_window=True)
    dialogue.open(window=100)
    dialogue.inside(b"g1\n", window=100)
    assert dialogue.outside(ack=0, window=100) == ["< 0 ack 0 window 100"]
    assert dialogue.outside(ack=21, window=79) == ["< 0 ack 3 window 97"]
    assert dialogue.inside(b"abc\n", at=3, window=100) == ["> 21 ack 0 window 100 'abc\\n'"]
    assert dialogue.outside(ack=25, window=75) == ["< 0 ack 7 window 93"]
    assert dialogue.outside(ack=25, window=100) == ["< 0 ack 7 window 100"]
    assert dialogue.inside(b"x" * 99 + b"\n", at=7, window=100)[0].startswith("> 25")
    assert dialogue.outside(ack=125, window=0) == ["< 0 ack 107 window 0"]


def test_a_window_that_was_overtaken_is_not_believed() -> None:
    """An older acknowledgment that comes late must not close the window again (SND.WL1, RFC 9293 3.10.7.4)."""
    dialogue = Dialogue()
    dialogue.open(window=10)
    dialogue.outside(b"yes\n", window=40)
    dialogue.outside(b"no\n", at=4, window=40)
    dialogue.outside(window=10)
    assert dialogue.inside(b"g1\n", ack=4) == ["> 0 ack 4 'grown by the box: g1\\n'"]


def test_growth_does_not_overrun_the_receiver() -> None:
    """What has no room waits, and goes when there is; the sender need not do anything."""
    dialogue = Dialogue(show_window=True)
    dialogue.open(window=10)
    assert dialogue.inside(b"g1\n", window=10) == ["> 0 ack 0 window 10 'grown by t'"]
    assert dialogue.outside(ack=10, window=0) == ["< 0 ack 0 window 10"]
    assert dialogue.inside(b"g1\n", window=10) == ["> 10 ack 0 window 10 'h'"]
    assert dialogue.outside(ack=10, window=0) == ["< 0 ack 0 window 10"]
    assert dialogue.outside(ack=11, window=40) == ["> 11 ack 0 window 10 'e box: g1\\n'", "< 0 ack 0 window 33"]
    assert dialogue.outside(ack=21, window=40) == ["< 0 ack 3 window 40"]


def test_a_window_that_comes_with_news_is_believed() -> None:
    """A sender whose window shrank speaks from inside it, below what it sent before; Linux does, and so it reads."""
    dialogue = Dialogue()
    dialogue.open(window=10)
    dialogue.outside(b"yes\n", window=10)
    dialogue.outside(b"no\n", at=4, window=10)
    assert dialogue.inside(b"g1\n", ack=4) == ["> 0 ack 4 'grown by t'"]
    dialogue.outside(b"more\n", at=7, window=10)
    assert dialogue.outside(at=4, ack=10, window=40)[0] == "> 10 ack 4 'he box: g1\\n'"


def test_a_held_message_may_be_larger_than_the_receivers_window() -> None:
    """The sender gets room for it from us."""
    dialogue = Dialogue(limits=FlowLimits(hold_window=300), show_window=True)
    dialogue.open(window=10)
    assert dialogue.inside(b"p" * 10, window=10) == ["< 0 ack 10 window 300"]
    assert dialogue.inside(b"p" * 300, at=10, window=10) == ["< 0 ack 310 window 300"]
    assert dialogue.inside(b"\n", at=310, window=50) == ["> 0 ack 0 window 50 'pppppppppp'"]


def test_our_window_is_scaled_as_the_receivers() -> None:
    """RFC 7323 2.2: what stands in the header is shifted."""
    dialogue = Dialogue(limits=FlowLimits(hold_window=1280), show_window=True)
    dialogue.open(window=10, options=b"\x03\x03\x07\1")
    assert dialogue.inside(b"gro", window=10) == ["< 0 ack 3 window 10"]


def test_sack_of_what_we_deliver_stays_here() -> None:
    """The sender has forgotten those bytes."""
    dialogue = Dialogue()
    dialogue.open(mss=30, options=SACK_PERMITTED + b"\1\1")
    dialogue.inside(b"p" * 50)
    dialogue.inside(b"p" * 9 + b"\nabc\n", at=50)
    assert dialogue.outside(sack=(30, 60)) == []
    assert dialogue.outside(sack=(20, 50)) == []
    assert dialogue.outside(sack=(60, 64))[-1] == "< 0 ack 50 sack 60-64"
