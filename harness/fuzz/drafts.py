"""Messages before they grow: start line, header fields, body, and where each kind of growth may be put.

Strategy: built-in methods are texts with fields; a template file is a request of the user's, whose branch, tag and
Call-ID are replaced, since a server takes a second request with the same ones for a retransmission (RFC 3261 17.2.3).
Either becomes a `Draft`; `harness.fuzz.growing` adds bytes and the Content-Length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.sip.message import field_value

BOUNDARY = b"sipalg"
"""Of the multipart bodies that are made here."""
MAGIC = "z9hG4bK"
"""Every branch begins with it (RFC 3261 8.1.1.7)."""
_REQUIRED = (b"via", b"from", b"to", b"call-id", b"cseq")
_COMPACT = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id", b"l": b"content-length", b"c": b"content-type"}
_BRANCH = re.compile(rb"(;[ \t]*branch[ \t]*=[ \t]*)[^;,\s]+", re.IGNORECASE)
_TAG = re.compile(rb"(;[ \t]*tag[ \t]*=[ \t]*)[^;,\s>]+(?=[^>]*\Z)", re.IGNORECASE)
"""Behind the URI: a display name may look like one."""


class Body(Enum):
    """What a message carries behind its header fields."""

    PLAIN = "plain"
    """What its method has of its own: a session description in INVITE, a text in MESSAGE, nothing in OPTIONS."""
    SDP = "SDP"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a message."""

    address: Address
    token: str
    """In branch, tag and Call-ID: never the same twice, always of the same length."""
    secure: bool = False
    """Over TLS."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message without its Content-Length, to which bytes can be added."""

    start: bytes
    fields: tuple[bytes, ...]
    """Header fields with their folds, without the last line end."""
    body: bytes
    vias: int
    """Index in `fields` behind the topmost Via."""
    elastic: int
    """Index of a field that may end with one more character without changing its meaning."""
    content: int
    """Offset in `body` where more content may stand."""


_HEAD = """\
{method} {uri} SIP/2.0
Via: SIP/2.0/{transport} {host}:{port};branch={magic}{token}
Max-Forwards: 70
From: <sip:sipalg@{host}>;tag={token}
To: <{uri}>
Call-ID: {token}
CSeq: 1 {method}
"""

_CONTACT = "Contact: <sip:sipalg@{host}:{port};transport={lower}>\n"

METHODS = {
    "OPTIONS": "Accept: application/sdp\n",
    "INVITE": _CONTACT,
    "MESSAGE": "",
}
"""Built-in methods, and the header fields that each has beside those of every request."""

OFFER = """\
v=0
o=- 1 1 IN IP4 {host}
s=-
c=IN IP4 {host}
t=0 0
m=audio 49170 RTP/AVP 0
a=inactive
"""
"""Inactive: nobody is to send media to a port where nobody listens (RFC 3264 5.1)."""

TEXT = b"sipalg\r\n"


def session_description(host: str, text: str = OFFER) -> bytes:
    """The session description of an endpoint."""
    return wire(text.format(host=host))


def wire(text: str) -> bytes:
    """A text with the line ends of SIP."""
    return text.replace("\n", "\r\n").encode()


def built_in(method: str, uri: str, body: Body, sender: Sender) -> Draft:
    """A request of one of METHODS."""
    host, port = sender.address
    transport = "TLS" if sender.secure else "TCP"
    head = wire(
        (_HEAD + METHODS[method]).format(
            method=method,
            uri=uri,
            host=host,
            port=port,
            magic=MAGIC,
            token=sender.token,
            transport=transport,
            lower=transport.lower(),
        )
    )
    start, *fields = head.split(b"\r\n")[:-1]
    media_type, content = _content(method, body, host)
    if media_type:
        fields.append(b"Content-Type: " + media_type)
    return draft(start, fields, content, body)


def _content(method: str, body: Body, host: str) -> tuple[bytes, bytes]:
    """(media type, content) of a built-in request."""
    if body is Body.MULTIPART:
        parts = b""
        if method == "INVITE":
            parts = (
                b"--" + BOUNDARY + b"\r\nContent-Type: application/sdp\r\n\r\n" + session_description(host) + b"\r\n"
            )
        return b"multipart/mixed;boundary=" + BOUNDARY, parts + b"--" + BOUNDARY + b"--\r\n"
    if body is Body.SDP or method == "INVITE":
        return b"application/sdp", session_description(host)
    return (b"text/plain", TEXT) if method == "MESSAGE" else (b"", b"")


def draft(start: bytes, fields: list[bytes], content: bytes, body: Body, elastic: bytes = b"call-id") -> Draft:
    """A draft, its landmarks found; `elastic` names the field that may grow by a character."""
    names = [_name(field) for field in fields]
    closing = _closing_delimiter(fields, content) if body is Body.MULTIPART else len(content)
    return Draft(start, tuple(fields), content, names.index(b"via") + 1, names.index(elastic), closing)


def _name(field: bytes) -> bytes:
    """Of a header field, in lower case and not compact."""
    name = field.partition(b":")[0].strip().lower()
    return _COMPACT.get(name, name)


class Template:
    """A request out of a file, to be sent again and again under other identities."""

    def __init__(self, path: str) -> None:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"--method {path}: {error.strerror or error}") from None
        if b"\r\n" not in data:
            data = data.replace(b"\n", b"\r\n")
        head, empty_line, self._body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if not empty_line:
            head = head.removesuffix(b"\r\n")
        self._start, *lines = head.split(b"\r\n")
        self._fields: list[bytes] = []
        for line in lines:
            if line[:1] in (b" ", b"\t") and self._fields:
                self._fields[-1] += b"\r\n" + line
            else:
                self._fields.append(line)
        self._check(path)

    def _check(self, path: str) -> None:
        """ConfigError unless the file holds a request that can be sent."""
        if re.fullmatch(rb"[^ ]+ [^ ]+ SIP/2\.0", self._start) is None:
            raise ConfigError(f"--method {path}: its first line is no request line")
        names = {_name(field) for field in self._fields}
        for name in _REQUIRED:
            if name not in names:
                raise ConfigError(f"--method {path}: no {name.decode()} field")
        self._fields = [field for field in self._fields if _name(field) != b"content-length"]

    @property
    def method(self) -> str:
        """Of the request."""
        return self._start.partition(b" ")[0].decode()

    @property
    def body(self) -> Body:
        """What kind of content can be added."""
        head = self._start + b"\r\n" + b"".join(field + b"\r\n" for field in self._fields) + b"\r\n"
        media_type = (field_value(head, b"content-type", b"c") or b"").lower()
        if media_type.startswith(b"multipart/"):
            return Body.MULTIPART
        return Body.SDP if media_type.startswith(b"application/sdp") else Body.PLAIN

    def draft(self, uri: str | None, sender: Sender) -> Draft:
        """The request under an identity of its own; `uri` replaces its Request-URI."""
        token = sender.token.encode()
        start = self._start
        if uri is not None:
            start = b" ".join((start.split(b" ")[0], uri.encode(), b"SIP/2.0"))
        fields = list(self._fields)
        names = [_name(field) for field in fields]
        for name, pattern, value in ((b"via", _BRANCH, MAGIC.encode() + token), (b"from", _TAG, token)):
            at = names.index(name)
            fields[at] = pattern.sub(rb"\g<1>" + value, fields[at], count=1)
        at = names.index(b"call-id")
        fields[at] = fields[at].partition(b":")[0] + b": " + token
        return draft(start, fields, self._body, self.body)


def boundary_of(fields: list[bytes]) -> bytes:
    """The boundary that a multipart Content-Type names (RFC 2046 5.1.1); BOUNDARY if it names none."""
    found = next((field for field in fields if _name(field) == b"content-type"), b"")
    match = re.search(rb';[ \t]*boundary[ \t]*=[ \t]*(?:"([^"]+)"|([^;\s]+))', found, re.IGNORECASE)
    return (match[1] or match[2]) if match else BOUNDARY


def _closing_delimiter(fields: list[bytes], content: bytes) -> int:
    """Where the line starts that ends a multipart body."""
    at = content.rfind(b"--" + boundary_of(fields) + b"--")
    if at < 0:
        raise ConfigError("--method: the multipart body has no closing delimiter")
    return at
