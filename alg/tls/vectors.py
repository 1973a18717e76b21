"""The fields that TLS messages are made of: numbers, and vectors led by their length (RFC 8446 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alg.errors import SipalgError

MOST_LISTED = 32
"""Entries of a list that events show."""
_MOST_TEXT = 256
"""Characters of a name that events show; a host name has at most 253."""
_CUT = "..."
"""Stands for what is not shown."""


class TlsSyntaxError(SipalgError):
    """Bytes that are no TLS; the message is the reason."""


class FieldReader:
    """Takes fields from the front of some bytes; one that is not all there is a TlsSyntaxError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """The next bytes."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise TlsSyntaxError(f"a field of {size} bytes where {len(self._data) - start} are left")
        return self._data[start : self._at]

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> FieldReader:
        """What is in a vector whose length takes `size` bytes."""
        return FieldReader(self.take(self.number(size)))

    def opaque(self, size: int) -> bytes:
        """A vector of bytes whose length takes `size` bytes."""
        return self.take(self.number(size))

    def opaques(self, size: int) -> Iterator[bytes]:
        """All that is left, as vectors of bytes whose lengths take `size` bytes each."""
        while self:
            yield self.opaque(size)

    def numbers(self, size: int) -> Iterator[int]:
        """All that is left, as numbers of `size` bytes."""
        while self:
            yield self.number(size)


def shown(raw: bytes) -> str:
    """A name from the wire as text: what is not printable ASCII is escaped, what is very long is cut."""
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in raw[:_MOST_TEXT])
    return text if len(raw) <= _MOST_TEXT else text + _CUT


def listed(entries: Iterable[str]) -> list[str]:
    """The first of them; the last one tells if there are more."""
    found: list[str] = []
    for entry in entries:
        if len(found) == MOST_LISTED:
            return [*found, _CUT]
        found.append(entry)
    return found
