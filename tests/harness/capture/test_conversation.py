"""A connection told as packets: numbers, flags, and what tshark makes of it past 2^32."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

from alg.tcp.packet import ACK, FIN, PSH, RST, SYN, TcpSegment
from harness.capture.conversation import SEGMENT_SIZE, Conversation, End, Endpoint, Told, initial_number
from harness.capture.pcapng import Interface, PcapngWriter
from tests.harness.capture.wireshark import dissect, followed

PEER: Endpoint = (b"\x7f\0\0\1", 40000)
OURS: Endpoint = (b"\x7f\0\0\2", 5060)
LATE = ((1 << 32) - 3 - initial_number(PEER, OURS, 0)) % (1 << 32) * 4000
"""When the peer's initial number is three below 2^32; nanoseconds."""


def shown(packets: list[Told]) -> list[tuple[int, int, int, int, bytes]]:
    """Source port, flags, sequence number, acknowledgment and payload of each packet, checksums being right."""
    segments = [TcpSegment(packet.data) for packet in packets]
    assert all(segment.header_checksum_right and segment.transport_checksum_right() for segment in segments)
    return [(each.source_port, each.flags, each.seq, each.ack, each.payload) for each in segments]


def test_a_connection_from_start_to_end() -> None:
    """Handshake, data both ways, the ends: each number follows from those before."""
    talk = Conversation(PEER, OURS, LATE)
    peer, ours = 2**32 - 3, initial_number(OURS, PEER, LATE)
    opening = talk.opening(End.PEER)
    assert shown(opening) == [
        (40000, SYN, peer, 0, b""),
        (5060, SYN | ACK, ours, peer + 1, b""),
        (40000, ACK, peer + 1, ours + 1, b""),
    ]
    sizes = [TcpSegment(packet.data).options.maximum_segment_size for packet in opening]
    assert sizes == [SEGMENT_SIZE, SEGMENT_SIZE, None]
    assert [packet.sender for packet in opening] == [End.PEER, End.OURS, End.PEER]
    assert shown(talk.segment(End.PEER, b"hello", push=False)) == [
        (40000, ACK, peer + 1, ours + 1, b"hello"),
        (5060, ACK, ours + 1, 3, b""),
    ]
    assert shown(talk.end(End.PEER)) == [(40000, FIN | ACK, 3, ours + 1, b""), (5060, ACK, ours + 1, 4, b"")]
    assert shown(talk.segment(End.OURS, b"bye", push=True)) == [
        (5060, PSH | ACK, ours + 1, 4, b"bye"),
        (40000, ACK, 4, ours + 4, b""),
    ]
    assert not talk.over
    assert shown(talk.end(End.OURS)) == [(5060, FIN | ACK, ours + 4, 4, b""), (40000, ACK, 4, ours + 5, b"")]
    assert talk.over


def test_a_refusal() -> None:
    """A SYN that is answered by a reset, which acknowledges it; nothing comes behind that."""
    talk = Conversation(PEER, OURS, 0)
    peer, ours = initial_number(PEER, OURS, 0), initial_number(OURS, PEER, 0)
    assert shown(talk.refusal(End.PEER)) == [
        (40000, SYN, peer, 0, b""),
        (5060, RST | ACK, ours, peer + 1, b""),
    ]
    assert talk.over
    assert talk.segment(End.PEER, b"x", push=True) == []


def test_a_reset_is_the_last_packet() -> None:
    """After a reset nothing happens any more, and after both ends no reset."""
    talk = Conversation(PEER, OURS, 0)
    talk.opening(End.OURS)
    ((port, flags, *_),) = shown(talk.reset(End.OURS))
    assert (port, flags) == (5060, RST | ACK)
    assert talk.segment(End.PEER, b"x", push=True) == talk.end(End.PEER) == talk.reset(End.PEER) == []
    talk = Conversation(PEER, OURS, 0)
    talk.opening(End.PEER)
    talk.end(End.PEER)
    talk.end(End.OURS)
    assert talk.reset(End.PEER) == []


def test_each_side_ends_once() -> None:
    """A side that has ended sends no second FIN, and no data."""
    talk = Conversation(PEER, OURS, 0)
    talk.opening(End.PEER)
    talk.end(End.PEER)
    assert talk.end(End.PEER) == talk.segment(End.PEER, b"x", push=True) == []


def test_initial_numbers_move_on() -> None:
    """They advance with the clock, 250,000 a second, and differ between connections of the same instant."""
    assert (initial_number(PEER, OURS, 10**9) - initial_number(PEER, OURS, 0)) % 2**32 == 250_000
    assert len({initial_number(PEER, (b"\x7f\0\0\1", port), 0) for port in range(100)}) == 100
    assert initial_number(PEER, OURS, 0) != initial_number(OURS, PEER, 0)


def test_wireshark_follows_numbers_past_their_wrap(tmp_path: Path) -> None:
    """Streams that cross 2^32 are reassembled whole, without a remark."""
    source = random.Random(3)
    streams = {end: source.randbytes(20_000) for end in End}
    talk = Conversation(PEER, OURS, LATE)
    packets = talk.opening(End.OURS)
    for start in range(0, 20_000, 1000):
        for end in End:
            packets += talk.segment(end, streams[end][start : start + 1000], push=True)
    packets += talk.end(End.OURS) + talk.end(End.PEER)
    path, clock = tmp_path / "wrap.pcapng", count(1)
    with path.open("wb") as file:
        writer = PcapngWriter(file, "sipalg", [Interface("inside")])
        for packet in packets:
            writer.packet(0, next(clock), packet.data)
    assert followed(path, 0) == (streams[End.OURS], streams[End.PEER])
    assert all(not frame.faults for frame in dissect(path))
