"""Fragments put together."""

from __future__ import annotations

import itertools
import struct

import pytest

from alg.tcp.fragments import FragmentQueue
from alg.tcp.packet import UDP, Ipv4Packet


def udp_packet(payload: bytes) -> bytes:
    """An IPv4 packet without options that may be fragmented, its header checksum summed word by word."""
    datagram = struct.pack(">HHHH", 6000, 7000, 8 + len(payload), 0) + payload
    words = [0x4500, 20 + len(datagram), 77, 0, 0x4011, 0, 0x0A00, 0x1E02, 0xCB00, 0x7114]
    total = sum(words)
    words[5] = 0xFFFF - (total % 0xFFFF or 0xFFFF)
    return struct.pack(">10H", *words) + datagram


WHOLE = udp_packet(bytes(range(256)) * 8)


def fragments(packet: bytes, size: int) -> list[Ipv4Packet]:
    """The packet cut into fragments of `size` bytes of payload (RFC 791 3.2), checksums left to the receiver."""
    header, payload = packet[:20], packet[20:]
    pieces = []
    for start in range(0, len(payload), size):
        piece = payload[start : start + size]
        more = 0x2000 if start + size < len(payload) else 0
        word = (more | start // 8).to_bytes(2, "big")
        length = (20 + len(piece)).to_bytes(2, "big")
        pieces.append(Ipv4Packet(header[:2] + length + header[4:6] + word + header[8:] + piece))
    return pieces


def test_any_order_gives_the_packet_once() -> None:
    """Whichever fragment comes last completes the packet, byte for byte."""
    for order in itertools.permutations(fragments(WHOLE, 720)):
        queue = FragmentQueue()
        done = [queue.add(fragment, 0.0) for fragment in order]
        assert done[:-1] == [None] * (len(order) - 1)
        assert done[-1] == WHOLE
        assert not len(queue)


def test_a_fragment_that_comes_twice_is_taken_once() -> None:
    """A duplicate neither completes nor spoils the packet."""
    queue = FragmentQueue()
    first, *rest = fragments(WHOLE, 1024)
    assert queue.add(first, 0.0) is None
    assert queue.add(first, 0.0) is None
    assert [queue.add(fragment, 0.0) for fragment in rest][-1] == WHOLE


def test_overlapping_fragments_make_the_packet_void() -> None:
    """Two fragments that say different things about one byte leave nothing to pass on."""
    queue = FragmentQueue()
    first, *rest = fragments(WHOLE, 1024)
    queue.add(first, 0.0)
    queue.add(fragments(WHOLE, 720)[1], 0.0)
    assert not len(queue)
    assert [queue.add(fragment, 0.0) for fragment in rest] == [None] * len(rest)


def test_what_never_completes_is_forgotten() -> None:
    """Waiting is bounded in time."""
    queue = FragmentQueue(timeout=30.0)
    first, *rest = fragments(WHOLE, 1024)
    queue.add(first, 0.0)
    assert [queue.add(fragment, 30.0) for fragment in rest][-1] is None


@pytest.mark.parametrize("most", [1, 5])
def test_waiting_is_bounded_in_number(most: int) -> None:
    """A flood of first fragments costs a bounded amount of memory."""
    queue = FragmentQueue(most=most)
    first = fragments(WHOLE, 1024)[0]
    for identification in range(20):
        data = first.data[:4] + identification.to_bytes(2, "big") + first.data[6:]
        queue.add(Ipv4Packet(data), 0.0)
    assert len(queue) == most


def test_the_packet_is_what_it_was() -> None:
    """The test's own packet is a whole UDP datagram."""
    assert Ipv4Packet(WHOLE).protocol == UDP
    assert Ipv4Packet(WHOLE).header_checksum_right
