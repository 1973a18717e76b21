"""Bodies of the reference rewriter: which part is SDP (RFC 3261 7.4, RFC 2046 5.1).

Strategy: header fields and a body come in, the new body goes out. SDP goes to the SDP walk; of a multipart
each part that a delimiter ends is treated in the same way, and its own Content-Length corrected if it was
right before.
"""

from __future__ import annotations

from tests.helpers.reference_fields import SPACE, TOKEN_CHARACTERS, run_length
from tests.helpers.reference_header import (
    Field,
    joined_fields,
    read_content_length,
    rewrite_content_length,
    split_fields,
)
from tests.helpers.reference_maps import Maps
from tests.helpers.reference_sdp import rewrite_sdp

CRLF = b"\r\n"


def rewrite_body(fields: list[Field], body: bytes, maps: Maps) -> bytes:
    """The body of a message or of a part, by its Content-Type."""
    if not _is_readable(fields):
        return body
    for field in fields:
        if field.name == b"content-type":
            media_type, boundary = read_content_type(field.value)
            if media_type == b"application/sdp":
                return rewrite_sdp(body, maps)
            if media_type.startswith(b"multipart/") and boundary:
                return rewrite_multipart(body, boundary, maps)
            return body
    return body


def _is_readable(fields: list[Field]) -> bool:
    """A coded body (RFC 3261 20.12, RFC 2045 6.1) is not looked into."""
    for field in fields:
        value = field.value.strip(SPACE).lower()
        if field.name == b"content-encoding" and value != b"identity":
            return False
        if field.name == b"content-transfer-encoding" and value not in (b"7bit", b"8bit", b"binary"):
            return False
    return True


def read_content_type(value: bytes) -> tuple[bytes, bytes]:
    """Media type in lower case, and boundary; both empty where the grammar is broken (RFC 3261 20.15)."""
    position = run_length(value, 0, SPACE)
    names: list[bytes] = []
    for separator in (b"/", b""):
        length = run_length(value, position, TOKEN_CHARACTERS)
        names.append(value[position : position + length])
        position += length
        position += run_length(value, position, SPACE)
        if not length or (separator and value[position : position + 1] != separator):
            return b"", b""
        if separator:
            position += 1 + run_length(value, position + 1, SPACE)
    if value[position : position + 1] not in (b"", b";"):
        return b"", b""
    return b"/".join(names).lower(), _read_boundary(value, position)


def _read_boundary(value: bytes, position: int) -> bytes:
    """Walk the parameters from the semicolon at `position`; a broken one ends the walk."""
    while value[position : position + 1] == b";":
        position += 1 + run_length(value, position + 1, SPACE)
        length = run_length(value, position, TOKEN_CHARACTERS)
        name = value[position : position + length].lower()
        position += length
        position += run_length(value, position, SPACE)
        text = b""
        if value[position : position + 1] == b"=":
            position += 1 + run_length(value, position + 1, SPACE)
            text, position = _read_parameter_value(value, position)
            position += run_length(value, position, SPACE)
        if name == b"boundary":
            return text if value[position : position + 1] in (b"", b";") else b""
    return b""


def _read_parameter_value(value: bytes, position: int) -> tuple[bytes, int]:
    text = b""
    if value[position : position + 1] != b'"':
        while position < len(value) and value[position] not in b';,"' + SPACE:
            text += value[position : position + 1]
            position += 1
        return text, position
    position += 1
    while position < len(value) and value[position] not in b'"':
        if value[position] in b"\\":
            position += 1
        text += value[position : position + 1]
        position += 1
    return (text, position + 1) if position < len(value) else (b"", len(value))


def rewrite_multipart(body: bytes, boundary: bytes, maps: Maps) -> bytes:
    """RFC 2046 5.1.1: parts stand between delimiter lines; the CRLF before a delimiter belongs to it."""
    out = b""
    copied = 0
    part_start: int | None = None
    position = 0
    while position < len(body):
        line_end = body.find(CRLF, position)
        stop = len(body) if line_end < 0 else line_end + 2
        kind = _delimiter_kind(body[position:stop], boundary)
        if kind:
            if part_start is not None and part_start <= position - 2:
                out += body[copied:part_start] + _rewrite_part(body[part_start : position - 2], maps)
                copied = position - 2
            part_start = stop
        if kind == "close":
            break
        position = stop
    return out + body[copied:]


def _delimiter_kind(line: bytes, boundary: bytes) -> str:
    """'open', 'close' or '' for a line with its CRLF; only a closing one may end the body without CRLF."""
    if not line.startswith(b"--" + boundary):
        return ""
    rest = line[2 + len(boundary) :]
    closing = rest.startswith(b"--")
    rest = rest[2:] if closing else rest
    if rest.strip(b" \t") not in ((b"", CRLF) if closing else (CRLF,)):
        return ""
    return "close" if closing else "open"


def _rewrite_part(part: bytes, maps: Maps) -> bytes:
    """A part that begins with CRLF has no header fields, so it is text/plain and stays."""
    end = part.find(CRLF + CRLF)
    if part.startswith(CRLF) or end < 0:
        return part
    fields = split_fields(part[: end + 2], compact=False)
    body = part[end + 4 :]
    new_body = rewrite_body(fields, body, maps)
    if len(new_body) != len(body):
        fields = [
            rewrite_content_length(field, len(new_body))
            if field.name == b"content-length" and read_content_length(field.value) == len(body)
            else field
            for field in fields
        ]
    return joined_fields(fields) + CRLF + new_body
