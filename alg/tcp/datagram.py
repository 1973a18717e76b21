"""UDP datagrams and ICMP messages, as far as a NAT has to see into them.

UDP: RFC 768. ICMP: RFC 792; queries have an identifier that stands for a port, errors quote the packet they are about
(RFC 5508 3 and 4).
"""

from __future__ import annotations

import struct
from typing import Final

from alg.errors import SegmentError
from alg.tcp.packet import ICMP, TCP, UDP, Ipv4Packet, TcpSegment

UDP_HEADER: Final = struct.Struct(">HHHH")
_QUERIES: Final = frozenset({0, 8, 13, 14, 15, 16, 17, 18})
"""Echo, timestamp, information and address mask, each request and reply."""
_ERRORS: Final = frozenset({3, 4, 5, 11, 12})
"""Unreachable, source quench, redirect, time exceeded, parameter problem."""


class UdpDatagram(Ipv4Packet):
    """An IPv4 packet that holds a whole UDP datagram."""

    __slots__ = ("destination_port", "source_port")

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        at = self.payload_at
        if self.protocol != UDP:
            raise SegmentError("ip-protocol", f"protocol {self.protocol} is not UDP", 9)
        if self.fragment:
            raise SegmentError("ip-fragment", "a fragment holds no whole datagram", 6)
        if len(self.data) < at + 8:
            raise SegmentError("udp-header", f"{len(self.data) - at} bytes are no UDP header", at)
        self.source_port, self.destination_port, length, _ = UDP_HEADER.unpack_from(self.data, at)
        if not 8 <= length <= len(self.data) - at:
            raise SegmentError("udp-length", f"UDP length {length} in {len(self.data) - at} bytes", at + 4)

    @property
    def payload(self) -> bytes:
        """What the datagram carries."""
        length = int.from_bytes(self.data[self.payload_at + 4 : self.payload_at + 6], "big")
        return self.data[self.payload_at + 8 : self.payload_at + length]


class QuotedPacket:
    """The start of a packet, as an ICMP error quotes it: the IP header and at least 8 bytes (RFC 792)."""

    __slots__ = ("at", "destination", "destination_port", "payload_at", "protocol", "seq", "source", "source_port")

    def __init__(self, data: bytes, at: int) -> None:
        if len(data) < at + 28 or data[at] >> 4 != 4 or data[at] & 15 < 5:
            raise SegmentError("icmp-quote", "the error quotes no IPv4 packet", at)
        self.at = at
        """Where it starts in the ICMP packet, in bytes."""
        self.payload_at = at + (data[at] & 15) * 4
        if len(data) < self.payload_at + 8:
            raise SegmentError("icmp-quote", "the error quotes no transport header", self.payload_at)
        self.protocol = data[at + 9]
        self.source = data[at + 12 : at + 16]
        self.destination = data[at + 16 : at + 20]
        self.source_port: int | None = None
        """None where the protocol has no ports; the identifier of an ICMP query stands for both."""
        self.destination_port: int | None = None
        self.seq: int | None = None
        """Sequence number of a TCP segment."""
        if self.protocol in (TCP, UDP):
            self.source_port, self.destination_port, seq = struct.unpack_from(">HHI", data, self.payload_at)
            self.seq = seq if self.protocol == TCP else None
        elif self.protocol == ICMP and data[self.payload_at] in _QUERIES:
            self.source_port = self.destination_port = struct.unpack_from(">H", data, self.payload_at + 4)[0]


class IcmpMessage(Ipv4Packet):
    """An IPv4 packet that holds an ICMP message."""

    __slots__ = ("code", "identifier", "quoted", "type")

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        at = self.payload_at
        if self.protocol != ICMP:
            raise SegmentError("ip-protocol", f"protocol {self.protocol} is not ICMP", 9)
        if self.fragment:
            raise SegmentError("ip-fragment", "a fragment holds no whole message", 6)
        if len(self.data) < at + 8:
            raise SegmentError("icmp-header", f"{len(self.data) - at} bytes are no ICMP header", at)
        self.type, self.code = self.data[at], self.data[at + 1]
        self.identifier: int | None = None
        """Of a query, which stands for a port."""
        self.quoted: QuotedPacket | None = None
        """Of an error, the packet it is about."""
        if self.type in _QUERIES:
            self.identifier = int.from_bytes(self.data[at + 4 : at + 6], "big")
        elif self.type in _ERRORS:
            self.quoted = QuotedPacket(self.data, at + 8)


def parse_packet(data: bytes) -> Ipv4Packet:
    """The packet as what it is: TCP, UDP and ICMP by their classes, fragments and all other protocols plain."""
    packet = Ipv4Packet(data)
    if packet.fragment:
        return packet
    if packet.protocol == TCP:
        return TcpSegment(data)
    if packet.protocol == UDP:
        return UdpDatagram(data)
    if packet.protocol == ICMP:
        return IcmpMessage(data)
    return packet
