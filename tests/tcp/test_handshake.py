"""What two SYNs settle."""

from __future__ import annotations

import struct

import pytest

from alg.direction import Direction
from alg.tcp.handshake import Handshake
from alg.tcp.packet import TcpSegment
from alg.tcp.stream import FlowLimits, Stream
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue
from tests.tcp.endpoint import ACK, RST, SYN, read
from tests.tcp.rewriter import LineRewriter


@pytest.fixture
def dialogue() -> Dialogue:
    """A connection that is open, its inside numbers about to wrap."""
    dialogue = Dialogue()
    dialogue.open(options=SACK_PERMITTED + b"\1\1")
    return dialogue


def test_sack_only_where_it_was_permitted() -> None:
    """RFC 2018 2."""
    dialogue = Dialogue()
    dialogue.open()
    assert dialogue.inside(b"def\n", at=4) == ["< 0 ack 0"]


def test_refused_connection_is_finished() -> None:
    """RST to a SYN."""
    dialogue = Dialogue()
    packet = dialogue.packet(Direction.OUTWARD, b"", -1, None, SYN, 5000)
    dialogue.flow.handle(Direction.OUTWARD, TcpSegment(packet), 0.0)
    packet = dialogue.packet(Direction.INWARD, b"", -1, 0, RST | 16, 0)
    assert dialogue.flow.handle(Direction.INWARD, TcpSegment(packet), 0.0) == [(Direction.INWARD, packet)]
    assert dialogue.flow.finished


def test_data_in_a_syn_waits() -> None:
    """TCP Fast Open: it is not acknowledged, so it comes again."""
    dialogue = Dialogue()
    packet = dialogue.packet(Direction.OUTWARD, b"g1\n", -1, None, SYN, 5000, struct.pack("!BBH", 2, 4, 99))
    ((_, out),) = dialogue.flow.handle(Direction.OUTWARD, TcpSegment(packet), 0.0)
    assert (read(out).payload, read(out).mss) == (b"", 99)


def test_a_syn_of_another_connection_changes_nothing(dialogue: Dialogue) -> None:
    """It passes, for its receiver to challenge (RFC 5961 4)."""
    dialogue.inside(b"g1\n")
    packet = dialogue.packet(Direction.OUTWARD, b"", 12345, None, SYN, 5000)
    assert dialogue.flow.handle(Direction.OUTWARD, TcpSegment(packet), 0.0) == [(Direction.OUTWARD, packet)]
    assert dialogue.inside(b"abc\n", at=3) == ["> 21 ack 0 'abc\\n'"]


@pytest.mark.parametrize(
    ("inside", "outside", "scales"),
    [("03030700", "03030200", [2, 7]), ("03030700", "01010101", [0, 0]), ("01010101", "03030200", [0, 0])],
)
def test_window_scale_counts_if_both_have_it(inside: str, outside: str, scales: list[int]) -> None:
    """RFC 7323 2.2; each direction's window is its receiver's."""
    streams = (
        Stream(Direction.OUTWARD, LineRewriter(), FlowLimits()),
        Stream(Direction.INWARD, LineRewriter(), FlowLimits()),
    )
    handshake = Handshake(streams)
    speaker = Dialogue()
    for direction, flags, ack, options in ((0, SYN, None, inside), (1, SYN | ACK, 0, outside)):
        packet = speaker.packet(Direction(direction), b"", -1, ack, flags, 9, bytes.fromhex("020401f4" + options))
        assert handshake.take(Direction(direction), TcpSegment(packet), 0.0) == packet
    assert [stream.scale for stream in streams] == scales
    assert [stream.delivery.segment_size for stream in streams] == [500, 500]
    assert not handshake.sack_permitted
    assert not handshake.stamped


def test_segments_fit_into_packets_whatever_size_is_announced() -> None:
    """The largest MSS that an option can say is more than a packet has room for."""
    dialogue = Dialogue()
    dialogue.open(mss=65535, window=65535)
    line = b"g" + b"x" * 65_528 + b"\n"
    for at in range(0, len(line), 30_000):
        dialogue.inside(line[at : at + 30_000], at=at)
    assert max(len(packet) - 40 for packet in dialogue.packets) == 65_415
