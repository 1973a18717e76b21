"""The fixup of an ALG that does not know TLS: four bytes of cipher text that look like an address are translated.

Strategy: the length stays, so nothing on the wire shows it but the receiver's record check (RFC 8446 5.2, `bad record
MAC`). What looks like an address shares its first bits with one of a static mapping. Record headers are stepped over,
as the tale is of cipher text; a hit has to lie within one read, since an ALG of that kind looks at segments.
"""

from __future__ import annotations

from collections.abc import Iterable

from alg.config import AddressMap
from alg.direction import Direction
from alg.tls.sightings import Message, Sighting

_HEADER = 5
"""Bytes of a record's header (RFC 8446 5.1)."""


class BlindFixup:
    """One direction of one connection."""

    def __init__(self, maps: Iterable[AddressMap], direction: Direction, bits: int) -> None:
        pairs = [(entry.inside.packed, entry.outside.packed) for entry in maps]
        if direction is Direction.INWARD:
            pairs = [(outside, inside) for inside, outside in pairs]
        self._shift = 32 - bits
        self._news = {int.from_bytes(old, "big") >> self._shift: new for old, new in pairs}
        self._encrypted_from: int | None = None
        self._offset = 0
        """Bytes of the stream so far."""
        self._header = b""
        self._left = 0
        """Bytes of the record at hand that are still to come."""

    def saw(self, sighting: Sighting) -> None:
        """A message of this direction; its first encrypted record begins the cipher text."""
        if self._encrypted_from is None and sighting.message in _ENCRYPTED:
            self._encrypted_from = sighting.start

    def apply(self, data: bytes) -> tuple[bytes, list[int]]:
        """The bytes as they leave, and the offsets of the hits in their stream; sightings in them are told first."""
        out = bytearray(data)
        hits: list[int] = []
        at = 0
        while at < len(out):
            if not self._left:
                taken = _HEADER - len(self._header)
                self._header += bytes(out[at : at + taken])
                at += min(taken, len(out) - at)
                if len(self._header) < _HEADER:
                    break
                self._left = int.from_bytes(self._header[3:], "big")
                self._header = b""
            stop = min(at + self._left, len(out))
            if self._encrypted_from is not None and self._offset + at > self._encrypted_from:
                hits += [self._offset + hit for hit in self._fix(out, at, stop)]
            self._left -= stop - at
            at = stop
        self._offset += len(data)
        return bytes(out), hits

    def _fix(self, out: bytearray, start: int, stop: int) -> Iterable[int]:
        at = start
        while at + 4 <= stop:
            new = self._news.get(int.from_bytes(out[at : at + 4], "big") >> self._shift)
            if new is None or out[at : at + 4] == new:
                at += 1
                continue
            out[at : at + 4] = new
            yield at
            at += 4


_ENCRYPTED = frozenset(
    (
        Message.ENCRYPTED,
        Message.CLIENT_FINISHED,
        Message.SERVER_FINISHED,
        Message.ENCRYPTED_HANDSHAKE,
        Message.APPLICATION_DATA,
    )
)
