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

_LINE_END = b"\r\n"
_LINE_ENDS = re.compile(rb"[\r\n]+")
_START_LINE = grammar.START_LINE.match
_LANDMARK = grammar.LANDMARK.search
_MALFORMED = -1
"""Start of the span of a Content-Length that is no number; its stop is where the field starts."""
_TELLING = 256
"""Bytes of a start line that tell whether it can be one, before all of it has come."""
_LONGEST_FIELD = 4096
"""Bytes of one header field that are searched for a Content-Length in a header block that is not kept."""
_METHODS = frozenset(
    b"ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SERVICE SUBSCRIBE UPDATE".split()
)
"""By which a start line is told in mid-stream (IANA's SIP methods, and the Expressway's SERVICE)."""
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
    content: list[Span]
    """Where the names (with their colons) of fields that say what the body is stand: Content-Type, Content-Encoding."""


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
        self._line_complete = False
        """Whether the start line of the held bytes has come and was looked at."""
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
            if not self._worth_looking(data):
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
                if self._ordinary and data[position] not in _LINE_END:
                    taken = self._take_message(data, position, out)
                else:
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

    @property
    def _ordinary(self) -> bool:
        """Whether messages are taken one after the other, none being passed on in pieces."""
        return self._synchronised and not self._passing and self._skimmer is None

    def _worth_looking(self, data: bytes) -> bool:
        """Whether the held bytes, ending with `data`, can be a message or no SIP by now; nothing is searched twice."""
        if self._wanted:
            return len(self._held) >= self._wanted
        if len(self._held) > self.limits.max_header_bytes:
            return True
        if not self._line_complete:
            return len(self._held) <= _TELLING or b"\n" in data
        start = max(0, self._scanned - 3)
        self._scanned = len(self._held)
        return self._held.find(b"\r\n\r\n", start) >= 0

    def _hold(self, data: bytes) -> None:
        self._held += data
        if not self._wanted:
            self._scanned = len(data)
            self._line_complete = b"\n" in data

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
            if not begins_message(data, position):
                out.append(Passed(data[position:]))
                return len(data) - position
            self._synchronised = True
        return self._take_message(data, position, out)

    def _take_message(self, data: bytes, position: int, out: list[Framed | Passed]) -> int:
        if _START_LINE(data, position) is None:
            _check_beginning(data, position)
        lengths: list[Span] = []
        content: list[Span] = []
        scan = position
        while (landmark := _LANDMARK(data, scan)) is not None:
            scan = landmark.end()
            kind = landmark.lastgroup
            if kind == "end":
                break
            if kind == "content":
                content.append(landmark.span("content"))
            else:
                lengths.append(landmark.span("digits") if kind else (_MALFORMED, landmark.start() + 1))
        else:
            return self._incomplete(data, position, out)
        header = scan - position
        length = _content_length(data, position, lengths) if lengths else 0
        size = header + length
        limits = self.limits
        if header > limits.max_header_bytes or length > limits.max_body_bytes:
            taken = min(size, len(data) - position)
            self._passing = size - taken
            out.append(Passed(data[position : position + taken], self._past_limit(header, length)))
            return taken
        if position + size > len(data):
            self._wanted = size
            return 0
        self._wanted = 0
        if size != len(data):
            data = data[position : position + size]
        if position:
            lengths = [(start - position, stop - position) for start, stop in lengths]
            content = [(start - position, stop - position) for start, stop in content]
        out.append(Framed(data, header, lengths, content))
        return size

    def _incomplete(self, data: bytes, position: int, out: list[Framed | Passed]) -> int:
        """A header block whose end has not come: held, or passed on if it is too long."""
        if len(data) - position <= self.limits.max_header_bytes:
            self._wanted = 0
            return 0
        self._skimmer = _HeaderSkimmer()
        error = LimitExceeded("max_header_bytes", self._header_reason(), self.limits.max_header_bytes)
        return self._skim(data[position:], out, error)

    def _past_limit(self, header: int, length: int) -> LimitExceeded:
        if header > self.limits.max_header_bytes:
            return LimitExceeded("max_header_bytes", self._header_reason(), self.limits.max_header_bytes)
        reason = f"body of {length} bytes exceeds max_body_bytes {self.limits.max_body_bytes}"
        return LimitExceeded("max_body_bytes", reason, header)

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


def begins_message(data: bytes, position: int = 0) -> bool:
    """Whether a message certainly begins here, in bytes of which nothing is known: a start line with a method that is
    known or a status, and the end of its header block behind it (RFC 3261 7).
    """
    if _START_LINE(data, position) is None or data.find(b"\r\n\r\n", position) < 0:
        return False
    first = data[position : data.find(b" ", position)]
    return first in _METHODS or first.upper() == b"SIP/2.0"


class _HeaderSkimmer:
    """Finds the end and the Content-Length of a header block without keeping more than its last field."""

    def __init__(self) -> None:
        self._field = b""
        """The field that is not known to be complete, from the line end before it on."""
        self._value: int | None = None

    def feed(self, data: bytes) -> tuple[int | None, int]:
        """(bytes of `data` that belong to the header block, body length); (None, 0) while the end has not come."""
        text = self._field + data
        last = _last_field(text)
        position = 0
        while (landmark := _LANDMARK(text, position)) is not None:
            position = landmark.end()
            if landmark.lastgroup == "end":
                return max(0, position - len(self._field)), self._value or 0
            if landmark.start() < last and landmark.lastgroup != "content":
                digits = landmark.span("digits") if landmark.lastgroup else (_MALFORMED, landmark.start() + 1)
                self._value = _content_length(text, 0, [digits], self._value)
        kept = text[max(0, last - 1) :]
        self._field = kept if len(kept) <= _LONGEST_FIELD else kept[:2] + b"x" + kept[-2:]
        return None, 0


def _last_field(text: bytes) -> int:
    """Where the line feed before the last field stands; a fold may still follow a line end that nothing follows yet."""
    at = text.rfind(b"\n", 0, len(text) - 1)
    while at >= 0 and text[at + 1] in b" \t":
        at = text.rfind(b"\n", 0, at)
    return max(at, 0)


def _check_beginning(data: bytes, position: int) -> None:
    """SipSyntaxError unless what has come so far can become a start line."""
    if data.find(b"\n", position) >= 0:
        raise SipSyntaxError("start-line", "no SIP start line", 0)
    if grammar.START_LINE_PREFIX.match(data[position : position + _TELLING]) is None:
        raise SipSyntaxError("start-line", "bytes that begin no SIP start line", 0)


def _content_length(data: bytes, position: int, lengths: list[Span], value: int | None = None) -> int:
    """The body length that the Content-Lengths agree on, with each other and with `value` if there is one."""
    for start, stop in lengths:
        if start == _MALFORMED:
            raise SipSyntaxError("content-length", "Content-Length is no number", stop - position)
        digits = data[start:stop]
        if stop - start > _MOST_DIGITS and len(digits.lstrip(b"0")) > _MOST_DIGITS:
            raise SipSyntaxError("content-length", f"Content-Length of {len(digits)} digits", start - position)
        length = int(digits[-_MOST_DIGITS:])
        if value is not None and value != length:
            reason = f"contradicting Content-Lengths {value} and {length}"
            raise SipSyntaxError("content-length", reason, start - position)
        value = length
    assert value is not None, "asked only where there is a Content-Length"
    return value
