"""IPv4 packets and TCP segments, seen over their bytes and built.

Strategy: a packet is parsed once into plain fields; its bytes are kept and copied, never re-serialised from the fields.
`revised` changes numbers in a copy and updates the checksum by what changed (RFC 1624), so a damaged packet stays as
damaged as it came; a new payload makes a new checksum. `build_segment` makes a packet from nothing.

IPv4: RFC 791 3.1. TCP: RFC 9293 3.1.
"""

from __future__ import annotations

import struct
from typing import Final

from alg.errors import SegmentError
from alg.tcp.checksum import internet_checksum, pseudo_header_sum, updated_checksum
from alg.tcp.options import TcpOptions, scan_options

ICMP, TCP, UDP = 1, 6, 17
"""Protocol numbers (RFC 1700)."""

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
"""Control bits (RFC 9293 3.1, RFC 3168 6.1)."""

IP_HEADER: Final = struct.Struct(">BBHHHBBH4s4s")
TCP_HEADER: Final = struct.Struct(">HHIIBBHHH")
DO_NOT_FRAGMENT: Final = 0x4000
_FRAGMENT_BITS: Final = 0x3FFF
"""More Fragments and the fragment offset."""
_REVISED: Final = struct.Struct(">IIBBH")
"""From the sequence number to the window: what `revised` may change."""


class Ipv4Packet:
    """Any IPv4 packet. Bytes behind its total length (link-layer padding) are cut off."""

    __slots__ = (
        "data",
        "destination",
        "fragment",
        "identification",
        "ip_flags",
        "payload_at",
        "protocol",
        "source",
        "tos",
        "ttl",
    )

    def __init__(self, data: bytes) -> None:
        if len(data) < 20:
            raise SegmentError("ip-header", f"{len(data)} bytes are no IPv4 header", 0)
        first, self.tos, total, self.identification, fragment, self.ttl, self.protocol, _, source, destination = (
            IP_HEADER.unpack_from(data)
        )
        if first >> 4 != 4:
            raise SegmentError("ip-version", f"IP version {first >> 4}", 0)
        header = (first & 15) * 4
        if not 20 <= header <= total <= len(data):
            raise SegmentError("ip-length", f"header of {header}, packet of {total}, {len(data)} bytes there", 2)
        self.data = data if total == len(data) else data[:total]
        """The packet."""
        self.payload_at: int = header
        """Where the transport header starts, in bytes."""
        self.ip_flags: int = fragment & ~_FRAGMENT_BITS
        self.fragment = bool(fragment & _FRAGMENT_BITS)
        """Whether this is a fragment, the first included."""
        self.source: bytes = source
        """Four bytes, as is `destination`."""
        self.destination: bytes = destination

    @property
    def header_checksum_right(self) -> bool:
        """Whether the IP header's checksum fits."""
        return internet_checksum(self.data[: self.payload_at]) == 0

    def transport_checksum_right(self) -> bool:
        """Whether the checksum over pseudo-header, transport header and payload fits (TCP, UDP)."""
        length = len(self.data) - self.payload_at
        initial = pseudo_header_sum(self.source, self.destination, self.protocol, length)
        return internet_checksum(memoryview(self.data)[self.payload_at :], initial) == 0


class TcpSegment(Ipv4Packet):
    """An IPv4 packet that holds a whole TCP segment."""

    __slots__ = ("ack", "data_at", "destination_port", "flags", "options", "seq", "source_port", "urgent", "window")

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        at = self.payload_at
        if self.protocol != TCP:
            raise SegmentError("ip-protocol", f"protocol {self.protocol} is not TCP", 9)
        if self.fragment:
            raise SegmentError("ip-fragment", "a fragment holds no whole segment", 6)
        if len(self.data) < at + 20:
            raise SegmentError("tcp-header", f"{len(self.data) - at} bytes are no TCP header", at)
        self.source_port, self.destination_port, self.seq, self.ack, offset, self.flags, self.window, _, self.urgent = (
            TCP_HEADER.unpack_from(self.data, at)
        )
        self.data_at: int = at + (offset >> 4) * 4
        """Where the payload starts, in bytes."""
        if not at + 20 <= self.data_at <= len(self.data):
            raise SegmentError("tcp-data-offset", f"data offset {offset >> 4} does not fit", at + 12)
        self.options: TcpOptions = scan_options(self.data[at + 20 : self.data_at], at + 20)

    @property
    def option_bytes(self) -> bytes:
        """The TCP options as they stand."""
        return self.data[self.payload_at + 20 : self.data_at]

    @property
    def payload(self) -> bytes:
        """The bytes of the stream."""
        return self.data[self.data_at :]

    @property
    def payload_length(self) -> int:
        """Bytes of the stream."""
        return len(self.data) - self.data_at

    def revised(
        self,
        seq: int,
        ack: int,
        window: int,
        *,
        flags: int | None = None,
        options: bytes | None = None,
        payload: bytes | None = None,
    ) -> bytes:
        """The packet with these numbers; options, if given, are as long as before. Flags None: as they are."""
        at = self.payload_at
        revised = bytearray(self.data)
        old = self.data[at + 4 : at + 16]
        new = _REVISED.pack(seq, ack, old[8], self.flags if flags is None else flags, window)
        revised[at + 4 : at + 16] = new
        checksum = int.from_bytes(revised[at + 16 : at + 18], "big")
        if options is not None:
            assert len(options) == self.data_at - at - 20, "options keep their length"
            checksum = updated_checksum(checksum, self.option_bytes, options)
            revised[at + 20 : self.data_at] = options
        if payload is None:
            revised[at + 16 : at + 18] = updated_checksum(checksum, old, new).to_bytes(2, "big")
            return bytes(revised)
        revised[self.data_at :] = payload
        revised[2:4] = len(revised).to_bytes(2, "big")
        header = internet_checksum_without(revised[:at], 10)
        revised[10:12] = header.to_bytes(2, "big")
        revised[at + 16 : at + 18] = b"\0\0"
        initial = pseudo_header_sum(self.source, self.destination, TCP, len(revised) - at)
        revised[at + 16 : at + 18] = internet_checksum(memoryview(revised)[at:], initial).to_bytes(2, "big")
        return bytes(revised)


def internet_checksum_without(block: bytes | bytearray, at: int) -> int:
    """The checksum of a block whose checksum field, at `at`, still holds something."""
    return internet_checksum(block, 0xFFFF - int.from_bytes(block[at : at + 2], "big"))


def build_header(
    source: bytes,
    destination: bytes,
    protocol: int,
    length: int,
    *,
    tos: int = 0,
    ttl: int = 64,
    identification: int = 0,
) -> bytes:
    """An IPv4 header without options, Don't Fragment set, for a transport header and payload of `length` bytes."""
    fields = (0x45, tos, 20 + length, identification, DO_NOT_FRAGMENT, ttl, protocol)
    checksum = internet_checksum(IP_HEADER.pack(*fields, 0, source, destination))
    return IP_HEADER.pack(*fields, checksum, source, destination)


def build_segment(
    source: tuple[bytes, int],
    destination: tuple[bytes, int],
    *,
    seq: int,
    ack: int = 0,
    flags: int = ACK,
    window: int = 0xFFFF,
    options: bytes = b"",
    payload: bytes = b"",
    tos: int = 0,
    ttl: int = 64,
    identification: int = 0,
) -> bytes:
    """A TCP packet between (address of four bytes, port) and another; options are a multiple of four bytes."""
    assert len(options) in range(0, 41, 4), "options fill whole words"
    ports_to_ack = (source[1], destination[1], seq, ack)
    rest = ((5 + len(options) // 4) << 4, flags, window)
    length = 20 + len(options) + len(payload)
    initial = pseudo_header_sum(source[0], destination[0], TCP, length)
    blank = b"".join((TCP_HEADER.pack(*ports_to_ack, *rest, 0, 0), options, payload))
    checksum = internet_checksum(blank, initial)
    ip = build_header(source[0], destination[0], TCP, length, tos=tos, ttl=ttl, identification=identification)
    return b"".join((ip, TCP_HEADER.pack(*ports_to_ack, *rest, checksum, 0), options, payload))
