"""What passes through a flow while its senders keep their duty: numbers, SACK, windows, FIN, RST."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from alg.tcp.packet import TcpSegment
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue
from tests.tcp.endpoint import FIN, RST
from tests.tcp.rewriter import LineRewriter

GROWN = "> 0 ack 0 'grown by the box: g1\\n'"
"""`g1`, 3 bytes, as it leaves: 21 bytes."""


@pytest.fixture
def dialogue() -> Dialogue:
    """A connection that is open, its inside numbers about to wrap."""
    dialogue = Dialogue()
    dialogue.open(options=SACK_PERMITTED + b"\1\1")
    return dialogue


def test_what_is_not_rewritten_passes_byte_by_byte(dialogue: Dialogue) -> None:
    """The very packet leaves: options, flags, window, checksum."""
    for direction in Direction:
        packet = dialogue.packet(direction, b"abc\n", 0, 0, 16 | 8, 321, bytes.fromhex("1e041122"))
        assert dialogue.flow.handle(direction, TcpSegment(packet), 0.0) == [(direction, packet)]
    assert dialogue.flow.timer() is None


def test_growth_shifts_what_follows_and_what_comes_back(dialogue: Dialogue) -> None:
    """Across the wrap of the inside's numbers."""
    assert dialogue.inside(b"g1\n") == [GROWN]
    assert dialogue.inside(b"abc\n", at=3) == ["> 21 ack 0 'abc\\n'"]
    assert dialogue.outside(ack=21) == ["< 0 ack 3"]
    assert dialogue.outside(b"yes\n", ack=25) == ["< 0 ack 7 'yes\\n'"]
    assert dialogue.inside(b"slow\n", at=7, ack=4) == ["> 25 ack 4 'sl\\n'"]
    assert dialogue.inside(b"end\n", at=12, ack=4) == ["> 28 ack 4 'end\\n'"]
    assert dialogue.outside(at=4, ack=32) == ["< 4 ack 16"]
    assert dialogue.flow.buffered(Direction.OUTWARD) == 0


def test_a_retransmission_leaves_as_it_left_first(dialogue: Dialogue) -> None:
    """Whole, in part, in other pieces; of a resized message always the whole."""
    dialogue.inside(b"g1\n")
    dialogue.inside(b"abc\n", at=3)
    dialogue.inside(b"g2\n", at=7)
    assert dialogue.inside(b"g1\n") == [GROWN]
    assert dialogue.inside(b"1\n", at=1) == [GROWN]
    assert dialogue.inside(b"bc", at=4) == ["> 22 ack 0 'bc'"]
    assert dialogue.inside(b"c\ng", at=5) == ["> 23 ack 0 'c\\ngrown by the box: g2\\n'"]
    assert dialogue.inside(b"XXX\n", at=3) == ["> 21 ack 0 'abc\\n'"]


def test_a_retransmission_may_bring_new_bytes(dialogue: Dialogue) -> None:
    """It overlaps what came before."""
    dialogue.inside(b"abc\n")
    assert dialogue.inside(b"bc\ng1\n", at=1) == ["> 1 ack 0 'bc\\ngrown by the box: g1\\n'"]


def test_a_sender_that_missed_the_acknowledgment_gets_it_again(dialogue: Dialogue) -> None:
    """The receiver has the bytes; they are kept no more."""
    dialogue.inside(b"g1\n")
    dialogue.outside(ack=21)
    assert dialogue.inside(b"g1\n") == ["< 0 ack 3"]


def test_an_early_segment_waits_and_is_reported(dialogue: Dialogue) -> None:
    """The sender gets the duplicate ACK that its receiver would have sent."""
    assert dialogue.inside(b"def\n", at=4) == ["< 0 ack 0 sack 4-8"]
    assert dialogue.inside(b"end\n", at=12) == ["< 0 ack 0 sack 12-16 sack 4-8"]
    assert dialogue.inside(b"abc\n") == ["> 0 ack 0 'abc\\ndef\\n'"]
    assert dialogue.inside(b"xyz\n", at=8) == ["> 8 ack 0 'xyz\\nend\\n'"]


def test_what_an_early_segment_acknowledges_goes_on(dialogue: Dialogue) -> None:
    """Its data waits, its acknowledgment does not."""
    dialogue.outside(b"yes\n")
    assert dialogue.inside(b"def\n", at=4, ack=4) == ["> 0 ack 4", "< 4 ack 0 sack 4-8"]


def test_fin_follows_what_was_resized(dialogue: Dialogue) -> None:
    """Its number is shifted, there and back, and it can be sent again."""
    dialogue.inside(b"g1\n")
    assert dialogue.inside(at=3, flags=FIN) == ["> 21 ack 0 FIN"]
    assert dialogue.inside(at=3, flags=FIN) == ["> 21 ack 0 FIN"]
    assert dialogue.outside(ack=21) == ["< 0 ack 3"]
    assert dialogue.outside(ack=22) == ["< 0 ack 4"]
    assert dialogue.inside(at=4) == ["> 22 ack 0"]
    assert not dialogue.flow.finished
    assert dialogue.outside(b"sl\n", ack=22, flags=FIN) == ["< 0 ack 4 FIN 's\\n'"]
    assert dialogue.inside(at=4, ack=3) == ["> 22 ack 4"]
    assert dialogue.flow.finished


def test_fin_with_the_last_bytes_and_early(dialogue: Dialogue) -> None:
    """A FIN that comes before its data waits with it."""
    assert dialogue.inside(b"def\n", at=4, flags=FIN) == ["< 0 ack 0 sack 4-8"]
    assert dialogue.inside(b"abc\n") == ["> 0 ack 0 FIN 'abc\\ndef\\n'"]
    assert dialogue.outside(ack=9) == ["< 0 ack 9"]


def test_rst_is_shifted(dialogue: Dialogue) -> None:
    """At the number that its receiver expects (RFC 5961 3.2); then nothing is sent again."""
    dialogue.inside(b"g1\n")
    assert dialogue.inside(at=3, flags=RST) == ["> 21 ack 0 RST"]
    assert dialogue.flow.finished
    assert dialogue.flow.timer() is None


def test_rst_answering_an_acknowledgment_is_what_that_expects(dialogue: Dialogue) -> None:
    """A second one is for a receiver that misses what we sent."""
    dialogue.inside(b"g1\n")
    dialogue.inside(at=3, ack=None, flags=RST)
    assert dialogue.inside(at=0, ack=None, flags=RST) == ["> 0 RST"]


def test_rst_outside_the_window_ends_nothing(dialogue: Dialogue) -> None:
    """It passes, and its receiver will ignore it too."""
    dialogue.inside(b"g1\n")
    dialogue.inside(at=90000, flags=RST)
    assert not dialogue.flow.finished


def test_keep_alive_probes_what_the_receiver_has(dialogue: Dialogue) -> None:
    """With and without the old garbage byte, which must not stand where another byte was (RFC 9293 3.8.4)."""
    dialogue.inside(b"g1\n")
    dialogue.outside(ack=21)
    assert dialogue.inside(at=2) == ["> 20 ack 0"]
    assert dialogue.inside(b"?", at=2) == ["> 20 ack 0"]
    assert dialogue.outside(ack=21) == ["< 0 ack 3"]


def test_nothing_is_let_in_beyond_the_window() -> None:
    """But for the byte that probes it."""
    dialogue = Dialogue()
    dialogue.open(window=4)
    assert dialogue.inside(b"abc\ndef\n") == ["> 0 ack 0 'abc\\n'", "< 0 ack 5"]
    assert dialogue.records == ["beyond-window", "spoofed-ack"]


def test_a_damaged_packet_goes_nowhere(dialogue: Dialogue) -> None:
    """Its receiver would drop it; acknowledging it would lose the bytes."""
    packet = bytearray(dialogue.packet(Direction.OUTWARD, b"g1\n", 0, 0, 16, 5))
    packet[-1] ^= 1
    assert dialogue.flow.handle(Direction.OUTWARD, TcpSegment(bytes(packet)), 0.0) == []
    assert dialogue.records == ["damaged"]


def test_icmp_errors_find_the_senders_number(dialogue: Dialogue) -> None:
    """What an error quotes has the outgoing number."""
    assert Dialogue().flow.incoming_sequence(Direction.OUTWARD, 5) == 5
    dialogue.inside(b"g1\n")
    dialogue.inside(b"abc\n", at=3)
    first = (dialogue.isn[0] + 1) % 2**32
    assert dialogue.flow.incoming_sequence(Direction.OUTWARD, first) == first
    assert dialogue.flow.incoming_sequence(Direction.OUTWARD, (first + 22) % 2**32) == (first + 4) % 2**32


def test_a_rewriter_that_wants_the_connection_cut() -> None:
    """Both sides are reset where they are, and again whenever they ask."""
    rewriter = LineRewriter()
    dialogue = Dialogue(rewriter)
    dialogue.open()
    dialogue.inside(b"abc\n")
    rewriter.must_close = "no SIP"
    assert dialogue.outside(b"yes\n", ack=4) == ["< 0 ack 4 'yes\\n'", "> 4 ack 0 RST", "< 0 ack 4 RST"]
    assert dialogue.inside(b"def\n", at=4, ack=4) == ["< 4 RST"]
    assert dialogue.inside(at=4, flags=RST) == []
    assert dialogue.flow.finished
