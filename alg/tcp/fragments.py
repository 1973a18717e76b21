"""Puts IPv4 fragments together, as a NAT has to: only the first one shows the ports (RFC 5382 2, RFC 4787 9).

Strategy: fragments are kept per (source, destination, protocol, identification) until they cover the packet from its
start to its last byte (RFC 791 3.2). Overlaps make the whole packet void (RFC 5722 4 for IPv6, and the safe reading for
IPv4). What waits is bounded in number and in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.errors import SegmentError
from alg.tcp.checksum import internet_checksum
from alg.tcp.packet import Ipv4Packet

_Key = tuple[bytes, bytes, int, int]
_MORE = 0x2000
_OFFSET = 0x1FFF
_LARGEST_PACKET = 0xFFFF
_MOST_PIECES = 1500
"""Of one packet: 65535 bytes over a path of 68 bytes, the least that IPv4 asks for (RFC 791 3.2)."""


@dataclass(slots=True)
class _Parts:
    began: float
    """seconds"""
    pieces: dict[int, bytes] = field(default_factory=dict)
    """Payloads by their offset in bytes."""
    size: int = 0
    """Bytes of all pieces."""
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
        """One fragment; the whole packet when it was the last that was missing.

        SegmentError if it cannot be part of a packet; what came of that packet before is forgotten then.
        """
        self._expire(now)
        key = fragment.source, fragment.destination, fragment.protocol, fragment.identification
        parts = self._parts(key, now)
        try:
            _put(parts, fragment)
        except SegmentError:
            del self._waiting[key]
            raise
        if parts.total is None or not parts.header or parts.size < parts.total:
            return None
        del self._waiting[key]
        return _whole(parts)

    def _parts(self, key: _Key, now: float) -> _Parts:
        parts = self._waiting.get(key)
        if parts is None:
            if len(self._waiting) >= self.most:
                del self._waiting[next(iter(self._waiting))]
            parts = self._waiting[key] = _Parts(now)
        return parts

    def _expire(self, now: float) -> None:
        for key, parts in list(self._waiting.items()):
            if now - parts.began < self.timeout:
                return
            del self._waiting[key]


def _put(parts: _Parts, fragment: Ipv4Packet) -> None:
    """Add a piece, unless the very same is there."""
    word = int.from_bytes(fragment.data[6:8], "big")
    start = (word & _OFFSET) * 8
    payload = fragment.data[fragment.payload_at :]
    stop = start + len(payload)
    if parts.pieces.get(start) == payload:
        return
    last = not word & _MORE
    if not payload or (not last and len(payload) % 8):
        raise SegmentError("fragment-length", f"a fragment of {len(payload)} bytes", 2)
    if stop + fragment.payload_at > _LARGEST_PACKET or len(parts.pieces) >= _MOST_PIECES:
        raise SegmentError("fragment-size", f"fragments up to {stop}, {len(parts.pieces)} of them", 6)
    if any(start < at + len(piece) and at < stop for at, piece in parts.pieces.items()):
        raise SegmentError("fragment-overlap", f"another fragment covers part of {start}-{stop}", 6)
    if last:
        beyond = parts.total is not None or any(at >= stop for at in parts.pieces)
    else:
        beyond = parts.total is not None and stop > parts.total
    if beyond:
        raise SegmentError("fragment-end", "two fragments differ about the packet's end", 6)
    if last:
        parts.total = stop
    if not start:
        parts.header = fragment.data[: fragment.payload_at]
    parts.pieces[start] = payload
    parts.size += len(payload)


def _whole(parts: _Parts) -> bytes:
    """The packet that the parts make."""
    payload = b"".join(piece for _, piece in sorted(parts.pieces.items()))
    header = bytearray(parts.header)
    header[2:4] = (len(header) + len(payload)).to_bytes(2, "big")
    header[6:8] = b"\0\0"
    header[10:12] = b"\0\0"
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(header) + payload
