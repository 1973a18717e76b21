"""Cuts what one connection brings into messages, for an element that is to understand them (RFC 3261 18.3, RFC 5626).

Strategy: bytes come in in any segmentation. Out come whole messages as `bytes`, keep-alives, and at most one ending:
`Oversize` as soon as a message is known to exceed the limit, or when a patient reader has read up to that, `Unframed`
where no end of a message can be told. Behind an ending nothing comes any more: what becomes of the connection is the
element's rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from alg.errors import SipSyntaxError
from alg.sip import grammar

_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE)
_HEADER_END = b"\r\n\r\n"
_TELLING = 256
"""Bytes of a start line that tell whether it can be one, before all of it has come."""


class KeepAlive(Enum):
    """RFC 5626 3.5.1."""

    PING = "CRLFCRLF"
    PONG = "CRLF"


@dataclass(frozen=True, slots=True)
class Oversize:
    """A message is larger than the element takes."""

    header: bytes
    """As far as it has come."""
    content_length: int | None
    """None while the header has not ended."""
    held: int
    """Bytes of the message that have come."""

    @property
    def size(self) -> int:
        """Of the whole message, as far as it is known."""
        return self.held if self.content_length is None else len(self.header) + self.content_length


@dataclass(frozen=True, slots=True)
class Unframed:
    """No message begins here, or none whose end can be told."""

    error: SipSyntaxError
    data: bytes
    """What has come of it."""


Item = bytes | KeepAlive | Oversize | Unframed


class StreamReader:
    """One direction of one connection; `serves` if the other side made it, and so sends the pings."""

    def __init__(self, serves: bool, max_message: int, patient: bool = False) -> None:
        """`max_message` is in bytes, header and body; who is `patient` reads as many before a message is too large."""
        self._serves = serves
        self._max = max_message
        self._patient = patient
        self._held = bytearray()
        self._scanned = 0
        """Bytes of the held header that were searched for its end."""
        self._body = 0
        """Bytes of the held message behind which it ends; 0 while its header has not ended."""
        self._header = 0
        """Of these, bytes of its header."""
        self._line_ends = 0
        self._over = False

    def feed(self, data: bytes) -> list[Item]:
        """What ends in these bytes."""
        items: list[Item] = []
        if self._over:
            return items
        self._held += data
        while not self._over and (item := self._next()) is not None:
            items.append(item)
            self._over = isinstance(item, Oversize | Unframed)
        return items

    def _next(self) -> Item | None:
        while not self._scanned and not self._body and self._held[:2] == b"\r\n":
            del self._held[:2]
            self._line_ends += 1
            if not self._serves:
                return KeepAlive.PONG
            if self._line_ends % 2 == 0:
                return KeepAlive.PING
        if not self._held or self._held == b"\r":
            return None
        self._line_ends = 0
        return self._message()

    def _message(self) -> Item | None:
        if not self._body and (ending := self._take_header()) is not None:
            return ending
        held = self._held
        if self._body > self._max and len(held) >= self._max:
            return Oversize(bytes(held[: self._header]), self._body - self._header, len(held))
        if not self._body or len(held) < self._body:
            return None
        message = bytes(held[: self._body])
        del held[: self._body]
        self._scanned = self._body = 0
        return message

    def _take_header(self) -> Oversize | Unframed | None:
        """Learn from the header where the message ends, once that has come; an ending if something is wrong with it."""
        held = self._held
        if not self._scanned and not _can_begin(held):
            return Unframed(SipSyntaxError("start-line", "no SIP start line", 0), bytes(held))
        end = held.find(_HEADER_END, max(0, self._scanned - 3))
        if end < 0:
            self._scanned = len(held) if b"\n" in held else 0
            return Oversize(bytes(held), None, len(held)) if len(held) > self._max else None
        self._header = end + len(_HEADER_END)
        try:
            length = _content_length(bytes(held[: self._header]))
        except SipSyntaxError as error:
            return Unframed(error, bytes(held))
        self._body = self._header + length
        oversize = self._body > self._max and not self._patient
        return Oversize(bytes(held[: self._header]), length, len(held)) if oversize else None


def _can_begin(held: bytearray) -> bool:
    """Whether this is a start line, or may become one."""
    if b"\n" in held:
        return grammar.START_LINE.match(held) is not None
    return grammar.START_LINE_PREFIX.match(held[:_TELLING]) is not None


def _content_length(header: bytes) -> int:
    """0 if there is none; several have to agree."""
    lengths = set()
    for found in _LENGTH.finditer(header):
        digits = found[1].strip()
        if not (digits.isdigit() and len(digits) <= 12):
            raise SipSyntaxError("content-length", "Content-Length is no number", found.start(1))
        lengths.add(int(digits))
    if len(lengths) > 1:
        raise SipSyntaxError("content-length", "contradicting Content-Lengths", header.find(b"\n"))
    return lengths.pop() if lengths else 0
