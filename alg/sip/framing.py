"""Cuts a byte stream into SIP messages.

Strategy: bytes come in in any segmentation. Out come, in stream order and without loss: `Framed` messages (whole), and
`Passed` bytes that nobody is to touch: keep-alives at once; messages past a limit with the reason; and, once the stream
cannot be framed any more, everything. What is neither yet is held.

RFC 3261 7.5 and 18.3: over a stream, Content-Length ends a message; CRLF between messages is to be ignored.
RFC 5626 3.5.1: CRLFCRLF and CRLF are keep-alives, to be passed at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alg.config import Limits
from alg.errors import LimitExceeded, MessageError, SipSyntaxError
from alg.sip import grammar

Span = tuple[int, int]

_LINE_ENDS = re.compile(rb"[\r\n]+")
_MOST_DIGITS = 18
"""Of a Content-Length; more is past any limit."""


@dataclass(slots=True)
class Framed:
    """One whole message."""

    data: bytes
    body: int
    """Offset of the body."""
    lengths: list[Span]
    """Where the digits of its Content-Length stand; several that agree are all there."""


@dataclass(slots=True)
class Passed:
    """Bytes to pass on untouched."""

    data: bytes
    error: MessageError | None = None
    """Why, when it is not a keep-alive; only on the first piece of a stretch."""


class MessageFramer:
    """One direction of one connection.

    `synchronised=False` starts in mid-stream: bytes pass untouched until a chunk begins with a whole header block.
    """

    def __init__(self, limits: Limits, synchronised: bool = True) -> None:
        self.limits = limits
        self.lost = False
        """The stream cannot be framed any more; everything passes."""
        self._synchronised = synchronised
        self._held = bytearray()
        self._wanted = 0
        """Bytes that must be held before it is worth looking again, if the header block is complete."""
        self._scanned = 0
        """Bytes of the held header block that were searched for its end."""
        self._passing = 0
        """Bytes of an over-long message that are still to be passed."""
        self._skimmer: _HeaderSkimmer | None = None

    @property
    def held(self) -> int:
        """Bytes held back, waiting for the rest of their message."""
        return len(self._held)

    @property
    def at_boundary(self) -> bool:
        """Whether the next byte starts a message."""
        return not (self._held or self._passing or self._skimmer)

    def close(self) -> bytes:
        """The held bytes, to go out unchanged before the stream ends."""
        held = bytes(self._held)
        self._held.clear()
        return held

    def feed(self, data: bytes) -> list[Framed | Passed]:
        """What can go on its way now that `data` has come."""
        if self._held:
            self._held += data
            if not self._worth_looking():
                return []
            data = bytes(self._held)
            self._held.clear()
        out: list[Framed | Passed] = []
        position = 0
        while position < len(data):
            if self.lost:
                out.append(Passed(data[position:]))
                break
            try:
                taken = self._take(data, position, out)
            except MessageError as error:
                self.lost = True
                out.append(Passed(data[position:], error))
                break
            if not taken:
                self._hold(data[position:])
                break
            position += taken
        return out

    def _worth_looking(self) -> bool:
        """Whether the held bytes can have become a whole message, without searching any byte twice."""
        if self._wanted:
            return len(self._held) >= self._wanted
        if len(self._held) > self.limits.max_header_bytes or b"\n" not in self._held[:256]:
            return True
        start = max(0, self._scanned - 3)
        self._scanned = len(self._held)
        return self._held.find(b"\r\n\r\n", start) >= 0

    def _hold(self, data: bytes) -> None:
        self._held += data
        if not self._wanted:
            self._scanned = len(data)

    def _take(self, data: bytes, position: int, out: list[Framed | Passed]) -> int:
        """Append what starts at `position`; the bytes it took, 0 to hold them."""
        if self._passing:
            taken = min(self._passing, len(data) - position)
            self._passing -= taken
            out.append(Passed(data[position : position + taken]))
            return taken
        if self._skimmer is not None:
            return self._skim(data[position:], out)
        if data[position] in b"\r\n":
            line_ends = _LINE_ENDS.match(data, position)
            assert line_ends is not None, "a line end matches itself"
            out.append(Passed(line_ends[0]))
            return len(line_ends[0])
        if not self._synchronised:
            if grammar.START_LINE.match(data, position) is None or data.find(b"\r\n\r\n", position) < 0:
                out.append(Passed(data[position:]))
                return len(data) - position
            self._synchronised = True
        return self._take_message(data, position, out)

    def _take_message(self, data: bytes, position: int, out: list[Framed | Passed]) -> int:
        _check_start_line(data, position)
        body, lengths = _header_end(data, position)
        if body < 0:
            if len(data) - position > self.limits.max_header_bytes:
                self._skimmer = _HeaderSkimmer()
                error = LimitExceeded("max_header_bytes", self._header_reason(), self.limits.max_header_bytes)
                return self._skim(data[position:], out, error)
            self._wanted = 0
            return 0
        length = _content_length(data, position, lengths)
        size = body - position + length
        limit = self._past_limit(body - position, length)
        if limit is not None:
            taken = min(size, len(data) - position)
            self._passing = size - taken
            out.append(Passed(data[position : position + taken], limit))
            return taken
        if position + size > len(data):
            self._wanted = size
            return 0
        self._wanted = 0
        if position:
            data = data[position : position + size]
            lengths = [(start - position, stop - position) for start, stop in lengths]
        elif size < len(data):
            data = data[:size]
        out.append(Framed(data, body - position, lengths))
        return size

    def _past_limit(self, header: int, length: int) -> LimitExceeded | None:
        if header > self.limits.max_header_bytes:
            return LimitExceeded("max_header_bytes", self._header_reason(), self.limits.max_header_bytes)
        if length > self.limits.max_body_bytes:
            reason = f"body of {length} bytes exceeds max_body_bytes {self.limits.max_body_bytes}"
            return LimitExceeded("max_body_bytes", reason, header)
        return None

    def _header_reason(self) -> str:
        return f"header block exceeds max_header_bytes {self.limits.max_header_bytes}"

    def _skim(self, data: bytes, out: list[Framed | Passed], error: MessageError | None = None) -> int:
        """Pass a part of an over-long header block, looking for where its message ends."""
        assert self._skimmer is not None, "skims only an over-long header block"
        header, length = self._skimmer.feed(data)
        if header is None:
            out.append(Passed(data, error))
            return len(data)
        self._skimmer = None
        self._passing = length
        if header or error:
            out.append(Passed(data[:header], error))
        return header


class _HeaderSkimmer:
    """Finds the end and the Content-Length of a header block without keeping it."""

    def __init__(self) -> None:
        self._line = b""
        """The line that is not complete yet, with the line end before it."""
        self._value: int | None = None

    def feed(self, data: bytes) -> tuple[int | None, int]:
        """(bytes of `data` that belong to the header block, body length); (None, 0) while the end has not come."""
        text = self._line + data
        shift = len(self._line)
        last_line = text.rfind(b"\n")
        position = 0
        while (match := grammar.HEADER_END_OR_LENGTH.search(text, position)) is not None:
            if match[1]:
                return max(0, match.end() - shift), self._value or 0
            if match.start() == last_line:
                break
            length = _digits_value(match[2], match.start())
            if self._value not in (None, length):
                raise SipSyntaxError("content-length", "contradicting Content-Lengths", match.start())
            self._value = length
            position = match.end(2)
        start = max(0, last_line - 3)
        self._line = text[start:] if last_line >= 0 and len(text) - start <= 4096 else text[-3:]
        return None, 0


def _check_start_line(data: bytes, position: int) -> None:
    """SipSyntaxError unless a start line begins here, whole or as far as it has come."""
    if grammar.START_LINE.match(data, position) is not None:
        return
    line_end = data.find(b"\n", position)
    if line_end >= 0:
        raise SipSyntaxError("start-line", "no SIP start line", 0)
    if grammar.START_LINE_PREFIX.match(data[position : position + 256]) is None:
        raise SipSyntaxError("start-line", "bytes that begin no SIP start line", 0)


def _header_end(data: bytes, position: int) -> tuple[int, list[Span]]:
    """(offset behind the empty line or -1, spans of Content-Length digits; a malformed one has a negative start)."""
    lengths: list[Span] = []
    search = grammar.HEADER_END_OR_LENGTH.search
    scan = position
    while (match := search(data, scan)) is not None:
        kind = match.lastindex
        if kind == 1:
            return match.end(), lengths
        if kind is None:
            lengths.append((-1, match.start() + 1))
            scan = match.end()
        else:
            lengths.append(match.span(2))
            scan = match.end(2)
    return -1, lengths


def _content_length(data: bytes, position: int, lengths: list[Span]) -> int:
    """The body length that the Content-Lengths agree on, 0 if there is none."""
    value: int | None = None
    for start, stop in lengths:
        if start < 0:
            raise SipSyntaxError("content-length", "Content-Length is no number", stop - position)
        length = _digits_value(data[start:stop], start - position)
        if value not in (None, length):
            raise SipSyntaxError("content-length", f"contradicting Content-Lengths {value} and {length}", start - position)
        value = length
    return value or 0


def _digits_value(digits: bytes | None, offset: int) -> int:
    if digits is None:
        raise SipSyntaxError("content-length", "Content-Length is no number", offset)
    if len(digits) > _MOST_DIGITS and len(digits.lstrip(b"0")) > _MOST_DIGITS:
        raise SipSyntaxError("content-length", f"Content-Length of {len(digits)} digits", offset)
    return int(digits[-_MOST_DIGITS:])
