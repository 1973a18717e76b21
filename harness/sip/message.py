"""SIP messages as values: a start line, header fields in their order, a body (RFC 3261 7).

Strategy: `parse` takes the bytes of one message and gives a `Request` or a `Response`, or raises SipSyntaxError;
`to_bytes` gives the same bytes again. A changed message is a new value, in which what was not changed is still as it
was written: case, folds, compact forms. `complete` tells what is missing in a message before anybody relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Self

from alg.errors import SipSyntaxError
from harness.sip.uri import NameAddr, split_values
from harness.sip.via import Via

_COMPACT: Final = {
    **{"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition"},
    **{"e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported"},
    **{"l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject"},
    **{"t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity"},
}
"""IANA's compact forms."""
REASONS: Final = {
    **{100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK"},
    **{202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"},
    **{404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required"},
    **{408: "Request Timeout", 413: "Request Entity Too Large", 415: "Unsupported Media Type"},
    **{416: "Unsupported URI Scheme", 420: "Bad Extension", 423: "Interval Too Brief"},
    **{480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected"},
    **{483: "Too Many Hops", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here"},
    **{491: "Request Pending", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway"},
    **{503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported"},
    **{513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 606: "Not Acceptable"},
}
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_REQUEST_LINE = re.compile(rf"(?P<method>{_TOKEN}) (?P<uri>[^\s<>]+) (?P<version>SIP/\d+\.\d+)", re.IGNORECASE)
_STATUS_LINE = re.compile(r"(?P<version>SIP/\d+\.\d+) (?P<status>[1-6]\d\d)(?: (?P<reason>.*))?", re.IGNORECASE)
_FIELD_NAME = re.compile(rf"({_TOKEN})[ \t]*:")
_FOLD = re.compile(r"\r?\n[ \t]+")
_CSEQ = re.compile(rf"\s*(\d{{1,10}})\s+({_TOKEN})\s*")
_MOST_SEQUENCE = 2**31
"""CSeq is less (RFC 3261 8.1.1.5)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One header field."""

    name: str
    """As written."""
    value: str
    """Unfolded."""
    written: str = field(repr=False)
    """The whole field, with its line end."""

    @classmethod
    def make(cls, name: str, value: str) -> Field:
        """A new one."""
        assert not {"\n", "\r"} & set(value), f"{name}: a value is one line, {value!r} is not"
        return cls(name, value, f"{name}: {value}\r\n")

    def is_named(self, name: str) -> bool:
        """In any case, long or compact."""
        return _long(self.name) == _long(name)


@dataclass(frozen=True, slots=True)
class CSeq:
    """The number of a request in its dialog, and its method."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True)
class Message:
    """What requests and responses have in common. Accessors of parsed values raise SipSyntaxError."""

    fields: tuple[Field, ...]
    body: bytes = b""
    written: str = field(default="", compare=False, repr=False)
    """The start line as it came, with its line end."""
    blank: str = field(default="\r\n", compare=False, repr=False, kw_only=True)
    """The empty line behind the fields."""

    def first(self, name: str) -> str | None:
        """The value of the first field of a name."""
        return next((each.value for each in self.fields if each.is_named(name)), None)

    def all(self, name: str) -> list[str]:
        """The values of all fields of a name, each as it is."""
        return [each.value for each in self.fields if each.is_named(name)]

    def values(self, name: str) -> list[str]:
        """The values of all fields of a name, those between commas apart."""
        return [value for each in self.all(name) for value in split_values(each)]

    def put(self, name: str, *values: str) -> Self:
        """With these values, a field each, where the first field of that name is, or behind the others; with none,
        without that field.
        """
        new = [Field.make(name, value) for value in values]
        fields: list[Field] = []
        for each in self.fields:
            if each.is_named(name):
                fields += new
                new = []
            else:
                fields.append(each)
        return replace(self, fields=(*fields, *new))

    def drop(self, *names: str) -> Self:
        """Without the fields of these names."""
        kept = (each for each in self.fields if not any(each.is_named(name) for name in names))
        return replace(self, fields=tuple(kept))

    def push(self, name: str, value: str) -> Self:
        """With a value above all others of that name; above everything if there is none."""
        places = [place for place, each in enumerate(self.fields) if each.is_named(name)]
        place = places[0] if places else 0
        return replace(self, fields=(*self.fields[:place], Field.make(name, value), *self.fields[place:]))

    def pop(self, name: str) -> Self:
        """Without the first value of a name."""
        for place, each in enumerate(self.fields):
            if each.is_named(name):
                rest = split_values(each.value)[1:]
                kept = (Field.make(each.name, ", ".join(rest)),) if rest else ()
                return replace(self, fields=(*self.fields[:place], *kept, *self.fields[place + 1 :]))
        return self

    def with_first(self, name: str, value: str) -> Self:
        """With another first value of a name that is there; the others stay."""
        return self.pop(name).push(name, value) if len(self.values(name)) > 1 else self.put(name, value)

    def with_body(self, body: bytes, content_type: str = "application/sdp") -> Self:
        """With another body, its type and its length; without all three if it is empty."""
        bare = self.drop("Content-Length", "Content-Type")
        typed = bare.put("Content-Type", content_type) if body else bare
        return replace(typed, body=body).put("Content-Length", str(len(body)))

    def with_length(self) -> Self:
        """With a Content-Length, if there is none yet: one that is there is left, right or wrong."""
        if any(each.is_named("Content-Length") for each in self.fields):
            return self
        return self.put("Content-Length", str(len(self.body)))

    def to_bytes(self) -> bytes:
        """What goes over the wire; nothing is added."""
        head = "".join((self.written or self.start_line + "\r\n", *(each.written for each in self.fields), self.blank))
        return head.encode("utf-8", "surrogateescape") + self.body

    @property
    def start_line(self) -> str:
        """Without its line end."""
        raise NotImplementedError

    @cached_property
    def vias(self) -> list[Via]:
        """Every Via, the topmost first."""
        return [Via.parse(value) for value in self.values("Via")]

    @cached_property
    def via(self) -> Via:
        """The topmost Via."""
        values = self.values("Via")
        if not values:
            raise SipSyntaxError("via", "no Via", 0)
        return Via.parse(values[0])

    @cached_property
    def cseq(self) -> CSeq:
        """CSeq."""
        found = _CSEQ.fullmatch(self._single("CSeq"))
        if found is None or int(found[1]) >= _MOST_SEQUENCE:
            raise SipSyntaxError("cseq", f"no CSeq: {self.first('CSeq')!r}", 0)
        return CSeq(int(found[1]), found[2])

    @cached_property
    def call_id(self) -> str:
        """Call-ID."""
        value = self._single("Call-ID").strip()
        if not value:
            raise SipSyntaxError("call-id", "empty Call-ID", 0)
        return value

    @cached_property
    def sender(self) -> NameAddr:
        """From."""
        return NameAddr.parse(self._single("From"))

    @cached_property
    def to(self) -> NameAddr:
        """To."""
        return NameAddr.parse(self._single("To"))

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact; None if there is none, or only `*`."""
        values = self.values("Contact")
        return NameAddr.parse(values[0]) if values and values[0] != "*" else None

    @property
    def is_sdp(self) -> bool:
        """Whether the body is a session description."""
        kind = (self.first("Content-Type") or "").partition(";")[0]
        return bool(self.body) and kind.strip().lower() == "application/sdp"

    def number(self, name: str) -> int | None:
        """The value of a field that is a number, such as Expires; None if it is not there."""
        value = self.first(name)
        if value is None:
            return None
        digits = value.partition(";")[0].strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            raise SipSyntaxError(name.lower(), f"{name} is no number: {value[:40]!r}", 0)
        return int(digits)

    def _single(self, name: str) -> str:
        values = self.all(name)
        if len(values) != 1:
            raise SipSyntaxError(name.lower(), f"{'several' if values else 'no'} {name}", 0)
        return values[0]


@dataclass(frozen=True)
class Request(Message):
    """A request."""

    method: str = ""
    uri: str = ""
    """As written."""
    version: str = "SIP/2.0"
    strict: bool = field(default=False, compare=False, repr=False)
    """The Request-URI is that of a strict router, and so the next hop, whatever the Routes are."""

    @classmethod
    def make(cls, method: str, uri: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """A new one."""
        return cls(tuple(Field.make(*each) for each in fields), body, method=method, uri=uri)

    def with_uri(self, uri: str) -> Request:
        """To another Request-URI."""
        return replace(self, uri=uri, written="")

    @property
    def start_line(self) -> str:
        """The Request-Line."""
        return f"{self.method} {self.uri} {self.version}"


@dataclass(frozen=True)
class Response(Message):
    """A response."""

    status: int = 0
    reason: str = ""
    version: str = "SIP/2.0"

    @classmethod
    def to_request(
        cls, request: Request, status: int, reason: str = "", fields: Iterable[tuple[str, str]] = (), tag: str = ""
    ) -> Response:
        """The response to a request (RFC 3261 8.2.6.2); `tag` goes into a To that has none, but not in a 100.

        A response that makes a dialog has the Record-Routes of its request (12.1.1).
        """
        copied = [each for each in request.fields if _long(each.name) in _COPIED]
        if status > 100 and request.method == "INVITE" and status < 300:
            copied += [each for each in request.fields if each.is_named("Record-Route")]
        response = cls(tuple(copied), status=status, reason=reason or REASONS.get(status, "Unknown"))
        if tag and status > 100 and not request.to.tag:
            response = response.put("To", str(request.to.with_tag(tag)))
        return replace(response, fields=(*response.fields, *(Field.make(*each) for each in fields)))

    @property
    def start_line(self) -> str:
        """The Status-Line."""
        return f"{self.version} {self.status} {self.reason}"

    @property
    def provisional(self) -> bool:
        """1xx."""
        return self.status < 200

    @property
    def success(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300


_COPIED = frozenset(("via", "from", "to", "call-id", "cseq", "timestamp"))


def parse(data: bytes) -> Request | Response:
    """One message, its body cut to Content-Length where there is one (RFC 3261 18.3).

    Lines may end in LF alone. SipSyntaxError for what is no message.
    """
    text = data.decode("utf-8", "surrogateescape")
    first, *lines = text.split("\n")
    fields: list[Field] = []
    position = len(first) + 1
    pending = ""
    for line in lines[:-1]:
        if line[:1] in (" ", "\t") and pending:
            pending += line + "\n"
            continue
        if pending:
            fields.append(_field(pending, position))
        position += len(pending)
        pending = line + "\n"
        if line in ("", "\r"):
            break
    else:
        raise SipSyntaxError("header-end", "no empty line behind the header", len(data))
    head = text[: position + len(pending)].encode("utf-8", "surrogateescape")
    message = replace(_with_start_line(first, tuple(fields), data[len(head) :]), blank=pending)
    length = message.number("Content-Length")
    if length is None:
        return message
    if length > len(message.body):
        reason = f"Content-Length {length}, but a body of {len(message.body)} bytes"
        raise SipSyntaxError("content-length", reason, len(data))
    return replace(message, body=message.body[:length])


def complete(message: Request | Response) -> None:
    """SipSyntaxError unless everything is there and well-formed that whoever handles it relies on (8.1.1)."""
    if message.version.upper() != "SIP/2.0":
        raise SipSyntaxError("version", f"{message.version} is not spoken here", 0)
    checked: list[Callable[[], object]] = [
        lambda: message.vias,
        lambda: message.via,
        lambda: message.sender,
        lambda: message.to,
        lambda: message.call_id,
        lambda: message.number("Max-Forwards"),
    ]
    for check in checked:
        check()
    if isinstance(message, Request) and message.cseq.method != message.method:
        raise SipSyntaxError("cseq", f"CSeq of {message.cseq.method} in a {message.method}", 0)
    _ = message.cseq


def _field(written: str, offset: int) -> Field:
    found = _FIELD_NAME.match(written)
    if found is None:
        raise SipSyntaxError("header-field", f"no header field: {written[:40]!r}", offset)
    value = _FOLD.sub(" ", written[found.end() :].rstrip("\r\n")).strip()
    if "\r" in value or "\n" in value:
        raise SipSyntaxError("header-field", "CR within a line", offset)
    return Field(found[1], value, written)


def _with_start_line(line: str, fields: tuple[Field, ...], body: bytes) -> Request | Response:
    bare = line.removesuffix("\r")
    written = line + "\n"
    if (found := _STATUS_LINE.fullmatch(bare)) is not None:
        status, reason = int(found["status"]), found["reason"] or ""
        return Response(fields, body, written, status, reason, found["version"])
    if (found := _REQUEST_LINE.fullmatch(bare)) is not None:
        return Request(fields, body, written, found["method"], found["uri"], found["version"])
    raise SipSyntaxError("start-line", f"no SIP start line: {bare[:80]!r}", 0)


def _long(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower, lower)
