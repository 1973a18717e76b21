"""UDP and ICMP as far as a NAT sees into them."""

from __future__ import annotations

import struct

import pytest

from alg.errors import SegmentError
from alg.tcp.datagram import IcmpMessage, UdpDatagram, parse_packet
from alg.tcp.packet import ICMP, UDP, Ipv4Packet, TcpSegment, build_header
from tests.tcp.endpoint import ACK, reference_checksum, write

A, B, C = bytes((10, 0, 30, 2)), bytes((192, 0, 2, 1)), bytes((64, 100, 0, 10))


def udp(payload: bytes = b"abc", checksum: int | None = None) -> bytes:
    """A datagram from A:5000 to B:53."""
    header = struct.pack("!HHH", 5000, 53, 8 + len(payload))
    if checksum is None:
        pseudo = A + B + struct.pack("!BBH", 0, UDP, 8 + len(payload))
        checksum = reference_checksum(pseudo + header + b"\0\0" + payload)
    return build_header(A, B, UDP, 8 + len(payload)) + header + struct.pack("!H", checksum) + payload


def icmp(kind: int, rest: bytes, source: bytes = B, destination: bytes = A) -> bytes:
    """An ICMP message; `rest` is what follows the checksum."""
    body = struct.pack("!BBH", kind, 0, 0) + rest
    body = body[:2] + struct.pack("!H", reference_checksum(body)) + body[4:]
    return build_header(source, destination, ICMP, len(body)) + body


def test_packets_are_parsed_as_what_they_are() -> None:
    """A fragment and an unknown protocol stay plain."""
    tcp = write((A, B), (1, 2), 3, 4, ACK, 5)
    assert isinstance(parse_packet(tcp), TcpSegment)
    assert isinstance(parse_packet(udp()), UdpDatagram)
    assert isinstance(parse_packet(icmp(8, b"\0\1\0\2")), IcmpMessage)
    assert type(parse_packet(tcp[:6] + b"\x20" + tcp[7:])) is Ipv4Packet
    assert type(parse_packet(tcp[:9] + b"\x2f" + tcp[10:])) is Ipv4Packet


def test_datagram_fields() -> None:
    """Ports and payload, without what stands behind its length."""
    packet = bytearray(udp(b"abc") + b"x")
    packet[3] += 1
    datagram = UdpDatagram(bytes(packet))
    assert (datagram.source_port, datagram.destination_port, datagram.payload) == (5000, 53, b"abc")


@pytest.mark.parametrize(
    ("kind", "data", "rule"),
    [
        (UdpDatagram, build_header(A, B, UDP, 7) + b"\0" * 7, "udp-header"),
        (UdpDatagram, build_header(A, B, UDP, 8) + b"\0\0\0\0\0\7\0\0", "udp-length"),
        (UdpDatagram, build_header(A, B, UDP, 8) + b"\0\0\0\0\0\x09\0\0", "udp-length"),
        (UdpDatagram, icmp(8, b"\0\0\0\0"), "ip-protocol"),
        (IcmpMessage, udp(), "ip-protocol"),
        (IcmpMessage, build_header(A, B, ICMP, 7) + b"\0" * 7, "icmp-header"),
        (IcmpMessage, icmp(3, b"\0" * 31), "icmp-quote"),
        (IcmpMessage, icmp(3, b"\0" * 4 + b"\x4f" + b"\0" * 30), "icmp-quote"),
    ],
)
def test_malformed_datagrams_are_named(kind: type[Ipv4Packet], data: bytes, rule: str) -> None:
    """The rule that was broken."""
    with pytest.raises(SegmentError) as error:
        kind(data)
    assert error.value.rule == rule
