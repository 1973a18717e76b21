"""Fragments of IPv4 packets put together again."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import SegmentError
from alg.tcp.fragments import FragmentQueue
from alg.tcp.packet import Ipv4Packet
from tests.tcp.endpoint import reference_checksum

A, B = bytes((10, 0, 30, 2)), bytes((192, 0, 2, 1))


def fragment(
    payload: bytes, start: int, more: bool, identification: int = 7, options: bytes = b"", source: bytes = A
) -> bytes:
    """A packet with a stretch of another one's payload."""
    length = 20 + len(options) + len(payload)
    word = start // 8 | 0x2000 * more
    ip = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, length, identification, word, 64, 17, 0) + source + B
    ip += options
    return ip[:10] + struct.pack("!H", reference_checksum(ip)) + ip[12:] + payload


def fragments(payload: bytes, size: int, **rest: int | bytes) -> list[bytes]:
    """A packet cut into fragments with this much payload."""
    return [
        fragment(payload[start : start + size], start, start + size < len(payload), **rest)  # type: ignore[arg-type]
        for start in range(0, len(payload), size)
    ]


def add(queue: FragmentQueue, packet: bytes, now: float = 0.0) -> bytes | None:
    """What the queue gives for a packet."""
    return queue.add(Ipv4Packet(packet), now)


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 90), st.integers(0, 2**32), st.booleans())
def test_any_order(payload: bytes, units: int, seed: int, doubled: bool) -> None:
    """Whatever order they come in, doubled or not, the packet comes out once, with the last piece."""
    pieces = fragments(payload, units * 8)
    arrivals = pieces * (1 + doubled)
    random.Random(seed).shuffle(arrivals)
    queue = FragmentQueue()
    given_out = [out for piece in arrivals if (out := add(queue, piece))]
    assert len(given_out) >= 1
    whole = given_out[0]
    assert whole[20:] == payload
    assert struct.unpack_from("!HHH", whole, 2) == (20 + len(payload), 7, 0)
    assert reference_checksum(whole[:20]) == 0


def test_packets_do_not_mix() -> None:
    """Those of another source or with another identification are of another packet."""
    queue = FragmentQueue()
    one = fragments(b"a" * 16 + b"b", 16)
    others = fragments(b"c" * 16 + b"d", 16, identification=8), fragments(b"e" * 16 + b"f", 16, source=B)
    assert [add(queue, packet[0]) for packet in (one, *others)] == [None] * 3
    assert len(queue) == 3
    wholes = [add(queue, packet[1]) for packet in (one, *others)]
    assert [whole[20:] for whole in wholes if whole] == [b"a" * 16 + b"b", b"c" * 16 + b"d", b"e" * 16 + b"f"]
    assert len(queue) == 0


def test_header_of_the_first() -> None:
    """Options that only the first fragment carries are in the packet."""
    queue = FragmentQueue()
    assert add(queue, fragment(b"tail", 8, more=False)) is None
    whole = add(queue, fragment(b"starting", 0, more=True, options=b"\x94\x04\0\0"))
    assert whole is not None
    assert whole[20:] == b"\x94\x04\0\0startingtail"
    assert reference_checksum(whole[:24]) == 0


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ((b"x" * 16, 0, True), (b"y" * 16, 8, True), "fragment-overlap"),
        ((b"x" * 16, 0, True), (b"y" * 16, 0, True), "fragment-overlap"),
        ((b"x" * 16, 0, True), (b"y" * 8, 0, True), "fragment-overlap"),
        ((b"x" * 16, 16, False), (b"y" * 8, 40, True), "fragment-end"),
        ((b"x" * 16, 16, False), (b"y" * 8, 32, False), "fragment-end"),
        ((b"x" * 16, 48, True), (b"y" * 8, 16, False), "fragment-end"),
        ((b"x" * 16, 0, True), (b"y" * 7, 16, True), "fragment-length"),
        ((b"x" * 16, 0, True), (b"", 16, True), "fragment-length"),
        ((b"x" * 16, 0, True), (b"y" * 24, 65512, True), "fragment-size"),
    ],
)
def test_contradictions(first: tuple[bytes, int, bool], second: tuple[bytes, int, bool], rule: str) -> None:
    """Fragments that cannot be of one packet void what came of it; the error says why."""
    queue = FragmentQueue()
    assert add(queue, fragment(*first)) is None
    with pytest.raises(SegmentError) as error:
        add(queue, fragment(*second))
    assert error.value.rule == rule
    assert len(queue) == 0


def test_patience() -> None:
    """A packet that is not complete in time is forgotten; its last fragment begins another one."""
    queue = FragmentQueue(timeout=30)
    first, last = fragments(b"a" * 16 + b"b", 16)
    assert add(queue, first, now=0.0) is None
    assert add(queue, fragments(b"c" * 17, 16, identification=8)[0], now=29.9) is None
    assert len(queue) == 2
    assert add(queue, last, now=30.0) is None
    assert len(queue) == 2
    assert add(queue, first, now=31.0) is not None


def test_the_oldest_gives_way() -> None:
    """Fragments of packets that never come whole do not fill the memory, nor do they harm those being collected."""
    queue = FragmentQueue(most=3)
    for number in range(4):
        assert add(queue, fragments(b"a" * 17, 16, identification=number)[0]) is None
    assert len(queue) == 3
    assert add(queue, fragments(b"a" * 17, 16, identification=1)[1]) is not None
    assert add(queue, fragments(b"a" * 17, 16, identification=0)[1]) is None


def test_pieces_are_bounded() -> None:
    """Thousands of fragments of 8 bytes are no packet but an attack."""
    queue = FragmentQueue()
    for start in range(0, 12000, 8):
        assert add(queue, fragment(b"12345678", start, more=True)) is None
    with pytest.raises(SegmentError) as error:
        add(queue, fragment(b"12345678", 12000, more=True))
    assert error.value.rule == "fragment-size"
