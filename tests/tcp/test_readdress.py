"""Addresses, ports and numbers changed in TCP, UDP and ICMP packets."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.tcp.datagram import IcmpMessage, UdpDatagram, parse_packet
from alg.tcp.packet import ICMP, UDP, TcpSegment, build_header
from alg.tcp.readdress import Address, readdress, readdress_quoted
from tests.tcp.endpoint import ACK, read, reference_checksum, write

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


def udp_checksum_fits(packet: bytes) -> bool:
    """By RFC 768, word by word."""
    pseudo = packet[12:20] + struct.pack("!BBH", 0, UDP, len(packet) - 20)
    return reference_checksum(pseudo + packet[20:]) == 0


@given(st.binary(max_size=9), st.binary(min_size=4, max_size=4), st.integers(0, 0xFFFF))
def test_udp_with_another_source(payload: bytes, address: bytes, port: int) -> None:
    """Address, port and both checksums change; the checksum never becomes 0, which would say that there is none."""
    out = readdress(UdpDatagram(udp(payload)), source=Address(address, port))
    assert (out[12:16], out[16:20], struct.unpack_from("!HH", out, 20)) == (address, B, (port, 53))
    assert reference_checksum(out[:20]) == 0
    assert udp_checksum_fits(out)
    assert out[26:28] != b"\0\0"


def test_udp_without_checksum_stays_without() -> None:
    """RFC 768: zero says that the sender made none."""
    out = readdress(UdpDatagram(udp(checksum=0)), source=Address(C, 9))
    assert out[26:28] == b"\0\0"


def test_a_udp_checksum_of_zero_is_sent_as_ffff() -> None:
    """RFC 768, for every port that makes it zero."""
    results = {readdress(UdpDatagram(udp()), source=Address(C, port))[26:28] for port in range(0x10000)}
    assert b"\0\0" not in results
    assert b"\xff\xff" in results


def test_tcp_both_ways() -> None:
    """Source and destination at once; numbers and payload stay."""
    packet = write((A, B), (40000, 5060), 5, 6, ACK, 7, b"", b"payload")
    out = readdress(TcpSegment(packet), Address(C, 4401), Address(A, 5080))
    seen = read(out)
    assert (out[12:20], seen.ports, seen.seq, seen.payload) == (C + A, (4401, 5080), 5, b"payload")


def test_a_fragment_keeps_its_payload() -> None:
    """Ports may not even be in it."""
    packet = write((A, B), (40000, 5060), 5, 6, ACK, 7)
    packet = packet[:6] + b"\x20\0" + packet[8:]
    packet = packet[:10] + struct.pack("!H", reference_checksum(packet[:10] + b"\0\0" + packet[12:20])) + packet[12:]
    out = readdress(parse_packet(packet), source=Address(C, 1))
    assert (out[12:16], out[20:]) == (C, packet[20:])
    assert reference_checksum(out[:20]) == 0


def test_an_echo_request_gets_another_identifier() -> None:
    """RFC 5508 3.1: the identifier stands for a port."""
    message = IcmpMessage(icmp(8, b"\x12\x34\0\1data"))
    assert message.identifier == 0x1234
    out = readdress(message, source=Address(C, 0x4321))
    assert IcmpMessage(out).identifier == 0x4321
    assert (out[12:16], reference_checksum(out[20:]), reference_checksum(out[:20])) == (C, 0, 0)


@pytest.mark.parametrize("quoted_bytes", [28, 40, 47])
def test_an_error_is_about_the_packet_its_receiver_sent(quoted_bytes: int) -> None:
    """RFC 5508 4.2: addresses, port and number in the quote are those that the inside host knows."""
    inner = write((C, B), (4401, 5060), 1000, 6, ACK, 7, b"", b"payload")[:quoted_bytes]
    message = IcmpMessage(icmp(3, b"\0\0\x05\x14" + inner, destination=C))
    quoted = message.quoted
    assert quoted is not None
    assert (quoted.source, quoted.source_port, quoted.destination_port, quoted.seq) == (C, 4401, 5060, 1000)
    once = readdress(message, destination=Address(A, 0))
    out = readdress_quoted(IcmpMessage(once), source=Address(A, 40000), seq=997)
    expected = write((A, B), (40000, 5060), 997, 6, ACK, 7, b"", b"payload")[:quoted_bytes]
    assert (out[16:20], out[28:]) == (A, expected)
    assert (reference_checksum(out[:20]), reference_checksum(out[20:])) == (0, 0)


def test_an_error_about_an_echo_request() -> None:
    """The identifier in the quote goes back as well."""
    inner = icmp(8, b"\x43\x21\0\1data", source=C, destination=B)
    message = IcmpMessage(icmp(11, b"\0\0\0\0" + inner, destination=C))
    out = readdress_quoted(message, source=Address(A, 0x1234))
    assert out[28:] == icmp(8, b"\x12\x34\0\1data", source=A, destination=B)


def test_an_error_about_an_echo_reply() -> None:
    """An inside router speaks of what came in: destination and identifier are those that the far host knows."""
    inner = icmp(0, b"\x12\x34\0\1data", source=B, destination=A)
    message = IcmpMessage(icmp(3, b"\0\0\0\0" + inner, source=A, destination=B))
    assert message.quoted is not None
    assert (message.quoted.destination, message.quoted.destination_port) == (A, 0x1234)
    out = readdress_quoted(message, destination=Address(C, 0x4321))
    assert out[28:] == icmp(0, b"\x43\x21\0\1data", source=B, destination=C)


def test_an_error_about_another_protocol() -> None:
    """No ports to change."""
    inner = build_header(C, B, 47, 8) + b"\0" * 8
    message = IcmpMessage(icmp(3, b"\0\0\0\0" + inner, destination=C))
    assert message.quoted is not None
    assert message.quoted.source_port is None
    assert readdress_quoted(message, source=Address(A, 9))[28:] == build_header(A, B, 47, 8) + b"\0" * 8
