"""IPv4 packets written and judged with `struct` alone, apart from the code under test.

Endpoints are (address as text, port). `judged` checks every checksum in a packet, that of a quoted packet's header
included, and says who speaks to whom.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from tests.tcp.endpoint import reference_checksum, write

ICMP, TCP, UDP = 1, 6, 17
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 8, 11

End = tuple[str, int]


def raw(address: str) -> bytes:
    """The four bytes of an address."""
    return socket.inet_aton(address)


def packet(source: str, destination: str, protocol: int, body: bytes, word: int = 0x4000, number: int = 7) -> bytes:
    """A packet; `word` holds Don't Fragment, More Fragments and the offset."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, word, 61, protocol, 0)
    head += raw(source) + raw(destination)
    return head[:10] + struct.pack("!H", reference_checksum(head)) + head[12:] + body


def tcp(source: End, destination: End, seq: int, ack: int, flags: int, payload: bytes = b"") -> bytes:
    """A segment with a window of 64 kB, that of a SYN with an MSS."""
    options = b"\x02\x04\x05\xb4" if flags & 2 else b""
    ends = (raw(source[0]), raw(destination[0])), (source[1], destination[1])
    return write(*ends, seq % 2**32, ack % 2**32, flags, 64000, options, payload)


def udp(source: End, destination: End, payload: bytes = b"data", **rest: int) -> bytes:
    """A datagram with a checksum."""
    pseudo = raw(source[0]) + raw(destination[0]) + struct.pack("!BBH", 0, UDP, 8 + len(payload))
    header = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0)
    checksum = reference_checksum(pseudo + header + payload) or 0xFFFF
    return packet(source[0], destination[0], UDP, header[:6] + struct.pack("!H", checksum) + payload, **rest)


def icmp(source: str, destination: str, kind: int, code: int, rest: bytes) -> bytes:
    """A message; `rest` is what follows its checksum."""
    checksum = reference_checksum(struct.pack("!BBH", kind, code, 0) + rest)
    return packet(source, destination, ICMP, struct.pack("!BBH", kind, code, checksum) + rest)


def echo(source: str, destination: str, identifier: int, kind: int = ECHO_REQUEST) -> bytes:
    """A ping or its answer."""
    return icmp(source, destination, kind, 0, struct.pack("!HH", identifier, 1) + b"echo")


@dataclass(frozen=True)
class Judged:
    """What a packet says."""

    protocol: int
    source: End
    destination: End
    """Ports are 0 where there are none; of a query both are its identifier."""
    payload: bytes
    quoted: Judged | None = None
    """Of an ICMP error."""


def judged(data: bytes, quoted: bool = False) -> Judged:
    """A packet whose checksums are right; AssertionError otherwise. Of a quoted one only the header's counts."""
    size = (data[0] & 15) * 4
    assert reference_checksum(data[:size]) == 0, "IP checksum"
    protocol, body = data[9], data[size:]
    source, destination = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    if not quoted:
        assert len(data) == struct.unpack_from("!H", data, 2)[0], "total length"
        if protocol in (TCP, UDP) and not (protocol == UDP and body[6:8] == b"\0\0"):
            pseudo = data[12:20] + struct.pack("!BBH", 0, protocol, len(body))
            assert reference_checksum(pseudo + body) == 0, "transport checksum"
        if protocol == ICMP:
            assert reference_checksum(body) == 0, "ICMP checksum"
    if protocol in (TCP, UDP):
        ports = struct.unpack_from("!HH", body)
        start = 8 if protocol == UDP or quoted else (body[12] >> 4) * 4
        return Judged(protocol, (source, ports[0]), (destination, ports[1]), body[start:])
    if protocol == ICMP and body[0] in (ECHO_REPLY, ECHO_REQUEST):
        identifier = struct.unpack_from("!H", body, 4)[0]
        return Judged(protocol, (source, identifier), (destination, identifier), body[8:])
    inner = judged(body[8:], quoted=True) if protocol == ICMP and not quoted else None
    return Judged(protocol, (source, 0), (destination, 0), body, inner)
