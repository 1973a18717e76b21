"""Where the session descriptions are in a message body.

Strategy: a body and its Content-Type come in; out come the spans of all `application/sdp` bodies, of whatever depth,
and for each part on the way to one, where its own Content-Length stands (RFC 2046 5.1, RFC 3261 7.4). Compact names
are SIP's (RFC 3261 7.3.3), so a part has none; what is compressed or encoded is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from alg.sip.framing import Framed

Span = tuple[int, int]


def _field(names: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?:" + names + rb")[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE)


_VALUE = re.compile(rb"(?:[^\r\n]|\r?\n[ \t])*")
_PART_TYPE = _field(rb"content-type")
_PART_ENCODING = _field(rb"content-encoding|content-transfer-encoding")
_PLAIN = b" application/sdp\r\n"
_PART_LENGTH = re.compile(rb"\ncontent-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r\n(?![ \t])", re.IGNORECASE)
_READABLE = frozenset({b"", b"identity", b"7bit", b"8bit", b"binary"})
_BOUNDARY = re.compile(rb';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_MAX_DEPTH = 16


@dataclass(slots=True)
class SdpBody:
    """One session description within a message."""

    start: int
    stop: int
    enclosing: list[PartLength] = field(default_factory=list)
    """The Content-Lengths of the parts that hold it, outermost first."""


@dataclass(frozen=True, slots=True)
class PartLength:
    """A part's own Content-Length."""

    digits: Span
    body: Span


def sdp_bodies(message: Framed) -> list[SdpBody]:
    """The session descriptions of a message."""
    data, content = message.data, message.content
    if len(content) == 1 and data.startswith(_PLAIN, content[0][1]) and data[content[0][1] + len(_PLAIN)] not in b" \t":
        return [SdpBody(message.body, len(data))]
    found: list[SdpBody] = []
    content_type: bytes | None = None
    for start, colon in content:
        value = _VALUE.match(data, colon)
        assert value is not None, "matches anything"
        if data[start:colon].lower().startswith((b"content-e", b"e")):
            if value[0].strip().lower() not in _READABLE:
                return []
        elif content_type is None:
            content_type = value[0]
    if content_type is not None:
        _collect(data, message.body, len(data), content_type, [], found, 0)
    return found


def _collect(
    data: bytes, body: int, stop: int, content_type: bytes, lengths: list[PartLength], found: list[SdpBody], depth: int
) -> None:
    """Add what the entity of that type with its content in body:stop holds."""
    value = content_type.strip()
    media_type = b"".join(value.partition(b";")[0].lower().split())
    if media_type == b"application/sdp":
        found.append(SdpBody(body, stop, lengths))
    elif media_type.startswith(b"multipart/"):
        parameter = _BOUNDARY.search(value)
        if parameter is None:
            return
        boundary = parameter[2] or re.sub(rb"\\(.)", rb"\1", parameter[1] or b"", flags=re.DOTALL)
        if not boundary or depth == _MAX_DEPTH:
            return
        for fields, part, part_stop in _parts(data, body, stop, boundary):
            part_type = _PART_TYPE.search(data, fields, part)
            if part_type is not None and _readable(data, fields, part):
                own = _part_length(data, fields, part, part_stop)
                _collect(data, part, part_stop, part_type[1], lengths + own, found, depth + 1)


def _readable(data: bytes, fields: int, part: int) -> bool:
    """Whether a part is neither compressed nor encoded."""
    return all(encoding[1].strip().lower() in _READABLE for encoding in _PART_ENCODING.finditer(data, fields, part))


def _parts(data: bytes, start: int, stop: int, boundary: bytes) -> Iterator[tuple[int, int, int]]:
    """(line feed before the header fields, content, end) of each part that has header fields and an end."""
    delimiter = re.compile(rb"(?:\r\n|(?<=\r\n))--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    position = start
    opened: int | None = None
    while (match := delimiter.search(data, position, stop)) is not None:
        if opened is not None and data[opened + 1 : opened + 3] != b"\r\n":
            empty_line = data.find(b"\r\n\r\n", opened - 1, match.start() + 2)
            if empty_line >= 0 and empty_line + 4 <= match.start():
                yield opened, empty_line + 4, match.start()
        if match[1] or not match[0].endswith(b"\r\n"):
            return
        opened = match.end() - 1
        position = match.end() - 2


def _part_length(data: bytes, start: int, body: int, stop: int) -> list[PartLength]:
    """The part's Content-Length if it has one that is right; a wrong one is not ours to mend."""
    match = _PART_LENGTH.search(data, start, body)
    if match is None or int(match[1]) != stop - body:
        return []
    return [PartLength(match.span(1), (body, stop))]
