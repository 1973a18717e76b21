"""Puts IPv4 fragments together, as a NAT has to: only the first one shows the ports (RFC 5382 2, RFC 4787 9).

Strategy: fragments are kept per (source, destination, protocol, identification) until they cover the packet from its
start to its last byte (RFC 791 3.2). Overlaps make the whole packet void (RFC 5722 4 for IPv6, and the safe reading for
IPv4). What waits is bounded in number and in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.tcp.checksum import internet_checksum
from alg.tcp.packet import Ipv4Packet

_Key = tuple[bytes, bytes, int, int]
_MORE = 0x2000
_OFFSET = 0x1FFF


@dataclass(slots=True)
class _Parts:
    began: float
    """seconds"""
    pieces: dict[int, bytes] = field(default_factory=dict)
    """Payloads by their offset in bytes."""
    header: bytes = b""
    """IP header of the first fragment."""
    total: int | None = None
    """Bytes of payload, once the last fragment has come."""


class FragmentQueue:
    """The packets that wait for the rest of their fragments."""

    def __init__(self, timeout: float = 30.0, most: int = 256) -> None:
        self.timeout = timeout
        """Seconds that a packet may take to be complete (RFC 791 3.2 suggests 15, RFC 1122 3.3.2 60 to 120)."""
        self.most = most
        """Packets that may wait at a time; the oldest gives way."""
        self._waiting: dict[_Key, _Parts] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, fragment: Ipv4Packet, now: float) -> bytes | None:
        """One fragment; the whole packet when it was the last that was missing."""
        self._expire(now)
        key = fragment.source, fragment.destination, fragment.protocol, fragment.identification
        parts = self._waiting.setdefault(key, _Parts(now))
        word = int.from_bytes(fragment.data[6:8], "big")
        start = (word & _OFFSET) * 8
        payload = fragment.data[fragment.payload_at :]
        if any(start < at + len(piece) and at < start + len(payload) for at, piece in parts.pieces.items()):
            if parts.pieces.get(start) != payload:
                del self._waiting[key]
            return None
        parts.pieces[start] = payload
        if not start:
            parts.header = fragment.data[: fragment.payload_at]
        if not word & _MORE:
            parts.total = start + len(payload)
        if parts.total is None or sum(map(len, parts.pieces.values())) < parts.total or not parts.header:
            return None
        del self._waiting[key]
        return _whole(parts)

    def _expire(self, now: float) -> None:
        for key in [key for key, parts in self._waiting.items() if now - parts.began >= self.timeout]:
            del self._waiting[key]
        while len(self._waiting) >= self.most:
            del self._waiting[next(iter(self._waiting))]


def _whole(parts: _Parts) -> bytes | None:
    """The packet that the parts make; None if they leave a gap or are too much."""
    payload = b"".join(piece for _, piece in sorted(parts.pieces.items()))
    length = len(parts.header) + len(payload)
    if len(payload) != parts.total or length > 0xFFFF:
        return None
    header = bytearray(parts.header)
    header[2:4] = length.to_bytes(2, "big")
    header[6:8] = b"\0\0"
    header[10:12] = b"\0\0"
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(header) + payload
