"""Cuts one sender's stream into TLS records, and their contents into handshake messages (RFC 8446 5.1, RFC 5246 6.2.1).

Strategy: bytes come in in any segmentation. Out come records whose last byte has come, with what they contain only if
the reader of the records can use it: handshake messages and alerts in clear. Everything else is counted, not kept. Who
takes a record says whether those that follow are still in clear, so records come one by one.

The version in a record's header is not looked at beyond its first byte: it is never more than a hint (RFC 8446 5.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from alg.tls.vectors import TlsSyntaxError

LONGEST_RECORD = 2**14 + 2048
"""Bytes of the contents of a record, encrypted, up to TLS 1.2 (RFC 5246 6.2.3)."""
LONGEST_RECORD_1_3 = 2**14 + 256
"""Bytes, in TLS 1.3 (RFC 8446 5.2)."""
LONGEST_MESSAGE = 128 * 1024
"""Bytes of a handshake message; TLS allows 16 MiB, and OpenSSL takes 100 KiB of certificates unless told otherwise."""

_HEADER = 5
_MAJOR_VERSION = 3
_MESSAGE_HEADER = 4
_ALERT = 2
"""Bytes of an alert in clear."""


class ContentType(IntEnum):
    """What is in a record."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24


_CONTENT_TYPES = {int(kind): kind for kind in ContentType}


@dataclass(slots=True)
class WireRecord:
    """One record that has come to its end."""

    kind: ContentType
    start: int
    """Offset of its header in the stream."""
    length: int
    """Bytes of its contents."""
    contents: bytes
    """Of a handshake record or an alert in clear; of others nothing."""

    @property
    def stop(self) -> int:
        """Offset behind it in the stream."""
        return self.start + _HEADER + self.length


class RecordReader:
    """The records of one stream."""

    def __init__(self) -> None:
        self.in_clear = True
        """Whether what comes next can be read."""
        self.longest = LONGEST_RECORD
        self._start = 0
        """Offset of the record that is being read."""
        self._header = bytearray()
        self._kind = ContentType.HANDSHAKE
        self._length = 0
        self._missing = 0
        """Bytes of its contents that have not come."""
        self._keeps = False
        self._contents = bytearray()

    @property
    def held(self) -> int:
        """Bytes kept until the rest of their record comes."""
        return len(self._header) + len(self._contents)

    def feed(self, data: bytes) -> Iterator[WireRecord]:
        """The records that end in `data`, each as it is asked for; TlsSyntaxError where no record stands."""
        at = 0
        while at < len(data):
            if len(self._header) < _HEADER:
                taken = data[at : at + _HEADER - len(self._header)]
                self._header += taken
                at += len(taken)
                if len(self._header) < _HEADER:
                    return
                self._begin()
            taken = data[at : at + self._missing] if self._keeps else b""
            self._contents += taken
            counted = min(self._missing, len(data) - at)
            self._missing -= counted
            at += counted
            if not self._missing:
                yield self._end()

    def _begin(self) -> None:
        """A header is complete."""
        kind = _CONTENT_TYPES.get(self._header[0])
        if kind is None or self._header[1] != _MAJOR_VERSION:
            raise TlsSyntaxError(self._no_record())
        self._kind = kind
        self._length = self._missing = int.from_bytes(self._header[3:])
        if self._length > self.longest:
            raise TlsSyntaxError(f"record of {self._length} bytes at offset {self._start}, longest is {self.longest}")
        alert = kind is ContentType.ALERT and self._length == _ALERT
        self._keeps = self.in_clear and (alert or kind is ContentType.HANDSHAKE)

    def _end(self) -> WireRecord:
        record = WireRecord(self._kind, self._start, self._length, bytes(self._contents))
        self._start = record.stop
        self._header.clear()
        self._contents.clear()
        return record

    def _no_record(self) -> str:
        header = self._header
        if self._start:
            return f"no TLS record at offset {self._start}: {header[:3].hex(' ')}"
        # RFC 5246 E.2: a length of two bytes with the highest bit set, message type 1, then the version asked for.
        if header[0] & 0x80 and header[2] == 1 and header[3:] in (b"\x00\x02", *(bytes((3, n)) for n in range(5))):
            return "SSLv2 ClientHello"
        return f"not TLS: starts with {header[:3].hex(' ')}"


@dataclass(slots=True)
class HandshakeMessage:
    """One handshake message in clear."""

    number: int
    """Its type, as IANA numbers them."""
    body: bytes
    """What follows its header."""
    start: int
    """Offset of the record in which it begins."""


class HandshakeReader:
    """The handshake messages in one stream's records: several in one record, or one in several."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._start = 0
        """Offset of the record in which the held message begins."""

    @property
    def held(self) -> int:
        """Bytes kept until the rest of their message comes."""
        return len(self._held)

    def feed(self, record: WireRecord) -> Iterator[HandshakeMessage]:
        """The messages that end in a record; TlsSyntaxError where one is longer than we hold."""
        if not self._held:
            self._start = record.start
        self._held += record.contents
        at = 0
        while len(self._held) - at >= _MESSAGE_HEADER:
            length = int.from_bytes(self._held[at + 1 : at + _MESSAGE_HEADER])
            if length > LONGEST_MESSAGE:
                raise TlsSyntaxError(
                    f"handshake message of {length} bytes at offset {self._start}, longest is {LONGEST_MESSAGE}"
                )
            stop = at + _MESSAGE_HEADER + length
            if stop > len(self._held):
                break
            yield HandshakeMessage(self._held[at], bytes(self._held[at + _MESSAGE_HEADER : stop]), self._start)
            self._start = record.start
            at = stop
        del self._held[:at]

    def expect_none_held(self) -> None:
        """TlsSyntaxError if a message was begun and cannot go on, as its sender changes keys (RFC 8446 5.1)."""
        if self._held:
            raise TlsSyntaxError(f"handshake message at offset {self._start} is cut by a change of keys")
