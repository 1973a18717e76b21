"""Reading captures: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), in either byte order.

Strategy: the first four bytes tell which of the two it is. Packets are yielded as they are read, one record or block in
memory at a time. A file that is cut or damaged yields everything before the fault, then raises CaptureError with the
offset of the record that is at fault. Blocks without packets, and options that nobody asks for, are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from alg.errors import ConfigError, SipalgError
from harness.capture.pcapng import (
    BYTE_ORDER_MAGIC,
    COMMENT,
    ENHANCED_PACKET,
    INTERFACE_DESCRIPTION,
    INTERFACE_NAME,
    INTERFACE_OFFSET,
    INTERFACE_RESOLUTION,
    INTERFACE_TEXT,
    OBSOLETE_PACKET,
    PACKET_FLAGS,
    SECTION_HEADER,
    SIMPLE_PACKET,
    Flow,
    Interface,
)

_SECOND = 10**9
"""nanoseconds"""
_PCAP_MAGICS = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}
"""Nanoseconds in a unit of the fraction (draft-ietf-opsawg-pcap 4)."""
_MOST_PCAP_BYTES = 0x40000
_MOST_BLOCK_BYTES = 0x1000000
"""A packet or block that claims more than this is taken for damage, as Wireshark does."""
_SECTION_START = struct.pack("<I", SECTION_HEADER)
"""The same in either byte order."""
_FIXED_BYTES = {INTERFACE_DESCRIPTION: 8, OBSOLETE_PACKET: 20, SIMPLE_PACKET: 4, ENHANCED_PACKET: 20}
"""What a block of this type has before its data and options."""


class CaptureError(SipalgError):
    """A capture file that is cut or damaged."""

    def __init__(self, file: str, reason: str, offset: int) -> None:
        super().__init__(f"{file}: {reason} (offset {offset})")
        self.file = file
        """Its name."""
        self.reason = reason
        """One sentence for a person."""
        self.offset = offset
        """Bytes from the start of the file to the record or block that is at fault."""


class CapturedPacket(NamedTuple):
    """A packet of a capture."""

    interface: Interface
    """Of a pcap file, the only one, without a name."""
    timestamp: int
    """Nanoseconds since 1970; 0 where the file has none (Simple Packet Block)."""
    data: bytes
    """With its link layer."""
    original_length: int
    """Bytes on the wire; more than are here if the capture cut the packet."""
    comments: tuple[str, ...] = ()
    flow: Flow = Flow.UNKNOWN


def read_capture(path: str) -> Iterator[CapturedPacket]:
    """The packets of a file; ConfigError if it cannot be opened, CaptureError where it is damaged."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb"))
        except OSError as failure:
            raise ConfigError(f"{path}: {failure.strerror}") from None
        yield from read_packets(file, path)


def read_packets(file: BinaryIO, name: str) -> Iterator[CapturedPacket]:
    """The packets of an open file, from its start; CaptureError where it is damaged."""
    source = _Source(file, name)
    magic = source.take(4)
    if magic == _SECTION_START:
        yield from _Pcapng(source).packets()
        return
    for order in "<>":
        unit = _PCAP_MAGICS.get(int.from_bytes(magic, "little" if order == "<" else "big"))
        if len(magic) == 4 and unit is not None:
            yield from _pcap(source, order, unit)
            return
    raise source.fault("neither a pcap nor a pcapng file" if magic else "empty, no capture file", 0)


class _Source:
    """The bytes of a file, and how far they are read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.offset = 0

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        data = self._file.read(size)
        self.offset += len(data)
        return data

    def fault(self, reason: str, offset: int) -> CaptureError:
        """What is to be raised."""
        return CaptureError(self._name, reason, offset)


def _pcap(source: _Source, order: str, unit: int) -> Iterator[CapturedPacket]:
    header = source.take(20)
    if len(header) < 20:
        raise source.fault("file ends inside its header", 0)
    link_type: int = struct.unpack_from(order + "I", header, 16)[0] & 0xFFFF
    interface = Interface(link_type=link_type)
    while True:
        start = source.offset
        record = source.take(16)
        if not record:
            return
        if len(record) < 16:
            raise source.fault("file ends inside the header of a packet", start)
        seconds, fraction, size, original = struct.unpack(order + "IIII", record)
        if size > _MOST_PCAP_BYTES:
            raise source.fault(f"a packet that claims {size} bytes", start)
        data = source.take(size)
        if len(data) < size:
            raise source.fault(f"file ends inside a packet of {size} bytes", start)
        yield CapturedPacket(interface, seconds * _SECOND + fraction * unit, data, original)


@dataclass(frozen=True, slots=True)
class _Described:
    """An interface, and what its packets' timestamps mean."""

    interface: Interface
    snap_length: int
    """Bytes; 0 for no limit."""
    ticks: int
    """In a second."""
    offset: int
    """Seconds to add."""

    def nanoseconds(self, high: int, low: int) -> int:
        """A timestamp as it stands in a packet block."""
        return (high << 32 | low) * _SECOND // self.ticks + self.offset * _SECOND


class _Pcapng:
    """The blocks of a file whose first four bytes are read."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._order = "<"
        self._start = 0
        """Offset of the block under way."""
        self._interfaces: list[_Described] = []
        """Of the section under way."""

    def packets(self) -> Iterator[CapturedPacket]:
        """The packets of all sections."""
        kind = _SECTION_START
        while kind:
            body = self._block(kind)
            number = self._unpack("I", kind)[0]
            if len(body) < _FIXED_BYTES.get(number, 0):
                raise self._fault(f"a block of type {number} too short for its fields")
            if number == SECTION_HEADER:
                self._begin_section(body)
            elif number == INTERFACE_DESCRIPTION:
                self._interfaces.append(self._interface(body))
            elif number == SIMPLE_PACKET:
                yield self._simple(body)
            elif number in (ENHANCED_PACKET, OBSOLETE_PACKET):
                yield self._packet(body, "IIIII" if number == ENHANCED_PACKET else "HxxIIII")
            self._start = self._source.offset
            kind = self._source.take(4)

    def _fault(self, reason: str) -> CaptureError:
        return self._source.fault(reason, self._start)

    def _unpack(self, fields: str, data: bytes, at: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(self._order + fields, data, at)

    def _block(self, kind: bytes) -> bytes:
        """The body of the block that starts with these four bytes."""
        if len(kind) < 4:
            raise self._fault("file ends inside a block")
        head, body = self._take(4), b""
        if kind == _SECTION_START:
            body = self._take(4)
            orders = [order for order in "<>" if struct.unpack(order + "I", body)[0] == BYTE_ORDER_MAGIC]
            if not orders:
                raise self._fault("a section without a byte-order magic")
            self._order = orders[0]
        (length,) = self._unpack("I", head)
        if not 12 + len(body) <= length <= _MOST_BLOCK_BYTES or length % 4:
            raise self._fault(f"a block that claims {length} bytes")
        body += self._take(length - 12 - len(body))
        if self._take(4) != head:
            raise self._fault("a block whose two lengths differ")
        return body

    def _take(self, size: int) -> bytes:
        data = self._source.take(size)
        if len(data) < size:
            raise self._fault("file ends inside a block")
        return data

    def _begin_section(self, body: bytes) -> None:
        if len(body) < 16:
            raise self._fault("a section header too short for its fields")
        major = self._unpack("H", body, 4)[0]
        if major != 1:
            raise self._fault(f"pcapng version {major} is not known")
        self._interfaces.clear()

    def _interface(self, body: bytes) -> _Described:
        link_type, snap_length = self._unpack("HxxI", body)
        texts = {INTERFACE_NAME: "", INTERFACE_TEXT: ""}
        ticks, offset = 10**6, 0
        for code, value in self._options(body, 8):
            if code in texts:
                texts[code] = value.decode("utf-8", "replace")
            elif code == INTERFACE_RESOLUTION and len(value) == 1:
                ticks = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == INTERFACE_OFFSET and len(value) == 8:
                (offset,) = self._unpack("q", value)
        interface = Interface(texts[INTERFACE_NAME], texts[INTERFACE_TEXT], link_type)
        return _Described(interface, snap_length, ticks, offset)

    def _described(self, number: int) -> _Described:
        if number >= len(self._interfaces):
            raise self._fault(f"a packet of interface {number}, which is not described")
        return self._interfaces[number]

    def _simple(self, body: bytes) -> CapturedPacket:
        """Draft 4.4: of the first interface, as long as its snap length allows."""
        described = self._described(0)
        (original,) = self._unpack("I", body)
        size = min(original, described.snap_length or original)
        return CapturedPacket(described.interface, 0, self._data(body, 4, size), original)

    def _packet(self, body: bytes, fields: str) -> CapturedPacket:
        """Draft 4.3, and its predecessor (appendix A): the same but for the width of the interface's number."""
        number, high, low, size, original = self._unpack(fields, body)
        described = self._described(number)
        data = self._data(body, 20, size)
        comments, flow = [], Flow.UNKNOWN
        for code, value in self._options(body, 20 + size + -size % 4):
            if code == COMMENT:
                comments.append(value.decode("utf-8", "replace"))
            elif code == PACKET_FLAGS and len(value) == 4:
                bits = self._unpack("I", value)[0] & 3
                flow = Flow(bits) if bits < 3 else Flow.UNKNOWN
        return CapturedPacket(
            described.interface, described.nanoseconds(high, low), data, original, tuple(comments), flow
        )

    def _data(self, body: bytes, at: int, size: int) -> bytes:
        if size > len(body) - at:
            raise self._fault(f"a packet of {size} bytes in a block that has room for {len(body) - at}")
        return body[at : at + size]

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """Codes and values up to opt_endofopt or the end of the block (draft 3.5)."""
        while at + 4 <= len(body):
            code, size = self._unpack("HH", body, at)
            if code == 0:
                return
            if at + 4 + size > len(body):
                raise self._fault(f"option {code} reaches beyond its block")
            yield code, body[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4
