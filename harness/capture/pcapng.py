"""Writing pcapng (draft-ietf-opsawg-pcapng).

Strategy: a file is one section of little-endian blocks: Section Header, one Interface Description for each interface,
then an Enhanced Packet Block for each packet. Every block is written and flushed by itself, so that whoever reads the
file, now or after the writer was killed, finds whole blocks. Nothing of a packet is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO, Final

SECTION_HEADER: Final = 0x0A0D0D0A
INTERFACE_DESCRIPTION: Final = 1
OBSOLETE_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
DECRYPTION_SECRETS: Final = 10
"""Block types (draft 11.1)."""

BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
"""Draft 4.1."""

COMMENT, SECTION_APPLICATION = 1, 4
INTERFACE_NAME, INTERFACE_TEXT, INTERFACE_RESOLUTION, INTERFACE_OFFSET = 2, 3, 9, 14
PACKET_FLAGS = 2
"""Option codes (draft 3.5, 4.1, 4.2, 4.3)."""

LINK_RAW: Final = 101
"""Link type of packets that begin with their IP header (LINKTYPE_RAW)."""

_TLS_KEY_LOG = 0x544C534B
"""Secrets type of lines in SSLKEYLOGFILE format (draft 4.7)."""
_NANOSECONDS = b"\x09"
"""if_tsresol: ten to the power of minus nine."""
_MOST_OPTION_BYTES = 0xFFFF


class Flow(IntEnum):
    """Which way a packet went, as its interface saw it: bits 0 and 1 of epb_flags (draft 4.3.1)."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


@dataclass(frozen=True, slots=True)
class Interface:
    """Where packets were captured."""

    name: str = ""
    description: str = ""
    link_type: int = LINK_RAW


def block(kind: int, body: bytes) -> bytes:
    """A block of any type: type, total length, body, padding, and the length again (draft 3.1)."""
    padded = _pad(body)
    length = struct.pack("<I", len(padded) + 12)
    return b"".join((struct.pack("<I", kind), length, padded, length))


def options(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """Options by code, closed by opt_endofopt; none at all take no room (draft 3.5). A long value is cut."""
    encoded = b"".join(
        struct.pack("<HH", code, min(len(value), _MOST_OPTION_BYTES)) + _pad(value[:_MOST_OPTION_BYTES])
        for code, value in pairs
    )
    return encoded + bytes(4) if encoded else b""


def section_header(application: str, comment: str = "") -> bytes:
    """The start of a file, version 1.0, of a section whose length is not known (draft 4.1)."""
    fixed = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    said = [(COMMENT, comment.encode())] if comment else []
    return block(SECTION_HEADER, fixed + options([*said, (SECTION_APPLICATION, application.encode())]))


def interface_description(interface: Interface) -> bytes:
    """An interface without a snap length, whose timestamps are in nanoseconds (draft 4.2)."""
    described = [
        (INTERFACE_NAME, interface.name.encode()),
        (INTERFACE_TEXT, interface.description.encode()),
        (INTERFACE_RESOLUTION, _NANOSECONDS),
    ]
    return block(INTERFACE_DESCRIPTION, struct.pack("<HHI", interface.link_type, 0, 0) + options(described))


def enhanced_packet(
    number: int, timestamp: int, data: bytes, comments: Iterable[str] = (), flow: int = 0, missing: int = 0
) -> bytes:
    """A packet of the interface of that number; `timestamp` in nanoseconds since 1970 (draft 4.3).

    On the wire it was longer by the `missing` bytes.
    """
    fixed = struct.pack("<IIIII", number, timestamp >> 32, timestamp & 0xFFFFFFFF, len(data), len(data) + missing)
    pairs = [(COMMENT, comment.encode()) for comment in comments]
    if flow:
        pairs.append((PACKET_FLAGS, struct.pack("<I", flow)))
    return block(ENHANCED_PACKET, b"".join((fixed, _pad(data), options(pairs))))


def _pad(value: bytes) -> bytes:
    """Filled up with zeros to whole words."""
    return value + bytes(-len(value) % 4)


def decryption_secrets(key_log: bytes) -> bytes:
    """TLS secrets, as lines of the SSLKEYLOGFILE format, for the packets that follow (draft 4.7)."""
    return block(DECRYPTION_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(key_log)) + key_log)


class PcapngWriter:
    """Writes a file, block by block. Any method may raise OSError, after which the file is to be closed."""

    def __init__(self, file: BinaryIO, application: str, interfaces: Sequence[Interface], comment: str = "") -> None:
        """`comment` is on the file as a whole."""
        self._file = file
        self._interfaces = 0
        self._write(section_header(application, comment))
        for interface in interfaces:
            self.add(interface)

    def add(self, interface: Interface) -> int:
        """One more interface; its number."""
        self._write(interface_description(interface))
        self._interfaces += 1
        return self._interfaces - 1

    def packet(
        self,
        interface: int,
        timestamp: int,
        data: bytes,
        comments: Iterable[str] = (),
        flow: Flow = Flow.UNKNOWN,
        missing: int = 0,
    ) -> None:
        """One packet; `interface` counts from 0 as they were given, `timestamp` is in nanoseconds since 1970.

        `missing` bytes at its end are not known.
        """
        self._write(enhanced_packet(interface, timestamp, data, comments, flow, missing))

    def secrets(self, key_log: bytes) -> None:
        """What decrypts packets that are written from now on: lines of the SSLKEYLOGFILE format."""
        self._write(decryption_secrets(key_log))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, whole: bytes) -> None:
        self._file.write(whole)
        self._file.flush()
