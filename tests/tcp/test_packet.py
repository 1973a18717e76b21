"""Packets parsed, changed and built, with the endpoint's own reader as the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import SegmentError
from alg.tcp.packet import ACK, FIN, PSH, Ipv4Packet, TcpSegment, build_segment
from tests.tcp.endpoint import read, write

A, B = bytes((10, 0, 30, 2)), bytes((192, 0, 2, 1))
STAMPS = bytes.fromhex("0101080a0000000a0000000b")


def sample(payload: bytes = b"abc", options: bytes = STAMPS) -> bytes:
    """A packet made without our code."""
    return write((A, B), (40000, 5060), 2**32 - 1, 7, ACK | PSH, 500, options, payload)


def test_fields_of_a_segment() -> None:
    """Header fields, options and payload as they stand."""
    segment = TcpSegment(sample())
    assert (segment.source, segment.destination) == (A, B)
    assert (segment.source_port, segment.destination_port) == (40000, 5060)
    assert (segment.seq, segment.ack, segment.flags, segment.window) == (2**32 - 1, 7, ACK | PSH, 500)
    assert segment.option_bytes == STAMPS
    assert segment.options.timestamps == (10, 11)
    assert (segment.payload, segment.payload_length) == (b"abc", 3)
    assert (segment.ttl, segment.identification) == (61, 7)
    assert segment.header_checksum_right
    assert segment.transport_checksum_right()


def test_link_layer_padding_is_cut_off() -> None:
    """Ethernet pads short frames; the padding is no payload."""
    segment = TcpSegment(sample(b"") + b"\0\0")
    assert segment.payload == b""
    assert segment.transport_checksum_right()


@given(st.integers(0, 46), st.integers(1, 255))
def test_damage_is_noticed(at: int, bits: int) -> None:
    """Any byte changed: one of the checksums does not fit, or the packet cannot be parsed."""
    damaged = bytearray(sample())
    damaged[at] ^= bits
    try:
        segment = TcpSegment(bytes(damaged))
    except SegmentError:
        return
    assert not (segment.header_checksum_right and segment.transport_checksum_right())


def broken(at: int, value: int, length: int | None = None) -> bytes:
    """The sample with another byte, or cut."""
    data = bytearray(sample())
    data[at] = value
    return bytes(data[:length])


@pytest.mark.parametrize(
    ("data", "rule", "offset"),
    [
        (b"\x45" * 19, "ip-header", 0),
        (broken(0, 0x65), "ip-version", 0),
        (broken(0, 0x44), "ip-length", 2),
        (broken(3, 200), "ip-length", 2),
        (broken(9, 17), "ip-protocol", 9),
        (broken(6, 0x20), "ip-fragment", 6),
        (broken(3, 30), "tcp-header", 20),
        (broken(32, 0x40), "tcp-data-offset", 32),
        (broken(32, 0xF0), "tcp-data-offset", 32),
        (broken(43, 3), "tcp-option-length", 42),
    ],
)
def test_malformed_packets_are_named(data: bytes, rule: str, offset: int) -> None:
    """The rule that was broken, and where."""
    with pytest.raises(SegmentError) as error:
        TcpSegment(data)
    assert (error.value.rule, error.value.offset) == (rule, offset)


@given(st.binary(max_size=70))
def test_no_bytes_do_worse_than_a_segment_error(tail: bytes) -> None:
    """Nothing else escapes the parser."""
    for data in (tail, b"\x45" + tail, sample()[:30] + tail):
        for kind in (Ipv4Packet, TcpSegment):
            try:
                kind(data)
            except SegmentError:
                continue


numbers = st.integers(0, 2**32 - 1)


@given(numbers, numbers, st.integers(0, 0xFFFF), st.none() | st.binary(max_size=60), st.booleans())
def test_revised_packets_are_right(seq: int, ack: int, window: int, payload: bytes | None, restamp: bool) -> None:
    """Numbers, options and payload change, everything else stays, checksums fit."""
    options = STAMPS[:4] + b"\1\2\3\4\5\6\7\x08" if restamp else None
    segment = TcpSegment(sample())
    seen = read(segment.revised(seq, ack, window, flags=ACK | FIN, options=options, payload=payload))
    assert (seen.seq, seen.ack, seen.window, seen.flags) == (seq, ack, window, ACK | FIN)
    assert seen.payload == (b"abc" if payload is None else payload)
    assert seen.stamps == ((0x01020304, 0x05060708) if restamp else (10, 11))
    assert seen.ports == (40000, 5060)


def test_a_damaged_packet_stays_damaged() -> None:
    """Shifting its numbers does not repair it."""
    damaged = bytearray(sample())
    damaged[-1] ^= 1
    assert not TcpSegment(TcpSegment(bytes(damaged)).revised(1, 2, 3)).transport_checksum_right()


def test_built_packets_are_right() -> None:
    """A packet from nothing, read by the judge."""
    packet = build_segment((A, 1), (B, 2), seq=3, ack=4, flags=ACK, window=5, options=STAMPS, payload=b"odd", ttl=9)
    seen = read(packet)
    assert (seen.ports, seen.seq, seen.ack, seen.window, seen.payload) == ((1, 2), 3, 4, 5, b"odd")
    assert packet[8] == 9
