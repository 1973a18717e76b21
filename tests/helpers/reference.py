"""A slow and clear reference of what the default profile does to a byte stream.

Strategy: the whole stream of one direction comes in and is read message by message. Of each message the
start line, the logical header fields and the body are rewritten by walking their grammar, and joined again.
Three outcomes: a message is rewritten; a message past a limit passes as it is; from a message that cannot
be framed on, all the rest passes as it is. Nothing here looks for an address first: that is what the
product does, and this is its judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.helpers.reference_body import rewrite_body
from tests.helpers.reference_fields import TOKEN_CHARACTERS, rewrite_address_list, rewrite_uri
from tests.helpers.reference_header import (
    Field,
    joined_fields,
    read_content_length,
    rewrite_content_length,
    split_fields,
)
from tests.helpers.reference_maps import Maps
from tests.helpers.reference_via import rewrite_via

CRLF = b"\r\n"
MAX_HEADER_BYTES = 65536
"""From the start line through the empty line."""
MAX_BODY_BYTES = 16 * 1024 * 1024

ADDRESS_FIELDS = {
    b"contact",
    b"from",
    b"to",
    b"route",
    b"record-route",
    b"path",
    b"service-route",
    b"p-asserted-identity",
    b"p-preferred-identity",
    b"remote-party-id",
    b"refer-to",
    b"referred-by",
    b"reply-to",
    b"diversion",
    b"history-info",
}


@dataclass(frozen=True)
class Message:
    """One framed message; the slices make up its bytes: start line, fields, CRLF, body."""

    start_line: bytes
    fields: list[Field]
    body: bytes
    header_size: int
    """bytes from the start line through the empty line"""


def rewrite(stream: bytes, maps: list[tuple[str, str]], direction: str) -> bytes:
    """The stream as it leaves, for static mappings and direction "out" or "in"."""
    table = Maps(maps, direction)
    out = b""
    position = 0
    while position < len(stream):
        if stream[position] in CRLF:  # RFC 3261 7.5 and the keep-alives of RFC 5626 3.5.1
            out += stream[position : position + 1]
            position += 1
            continue
        message = read_message(stream, position)
        if message is None:
            break
        out += rewrite_message(message, table)
        position += message.header_size + len(message.body)
    return out + stream[position:]


def read_message(stream: bytes, position: int) -> Message | None:
    """The message that begins at `position`; None if it is incomplete, no SIP, or its length is in doubt."""
    line_feed = stream.find(b"\n", position)
    header_end = stream.find(CRLF + CRLF, position) + 4
    if line_feed < 0 or header_end < 4:
        return None
    start_line = stream[position : line_feed + 1]
    if not start_line.endswith(CRLF) or not is_start_line(start_line[:-2]):
        return None
    fields = split_fields(stream[line_feed + 1 : header_end - 2], compact=True)
    lengths = {read_content_length(field.value) for field in fields if field.name == b"content-length"}
    if None in lengths or len(lengths) > 1:
        return None
    length = next(iter(lengths)) if lengths else 0
    if length is None or header_end + length > len(stream):
        return None
    body = stream[header_end : header_end + length]
    return Message(start_line, fields, body, header_end - position)


def is_start_line(line: bytes) -> bool:
    """`token SP+ ... SP+ SIP/x.y` or `SIP/x.y SP+ digits...` (RFC 3261 7.1, 7.2), white space at the end ignored."""
    first, space, rest = line.partition(b" ")
    if _is_version(first):
        return bool(space) and rest.lstrip(b" ")[:1].isdigit()
    words = [word for word in line.rstrip(b" \t").split(b" ") if word]
    return (
        len(words) >= 3
        and bool(first)
        and b"\r" not in line
        and all(character in TOKEN_CHARACTERS for character in first)
        and _is_version(words[-1])
    )


def _is_version(word: bytes) -> bool:
    """RFC 3261 25.1: "SIP" is a string of the grammar, so its case does not matter."""
    name, _, number = word.partition(b"/")
    major, _, minor = number.partition(b".")
    return name.upper() == b"SIP" and major.isdigit() and minor.isdigit()


def rewrite_message(message: Message, maps: Maps) -> bytes:
    """One message, body first because Content-Length depends on it."""
    if message.header_size > MAX_HEADER_BYTES or len(message.body) > MAX_BODY_BYTES:
        return message.start_line + joined_fields(message.fields) + CRLF + message.body
    body = rewrite_body(message.fields, message.body, maps)
    fields: list[Field] = []
    seen_via = False
    for field in message.fields:
        value = field.value
        if field.name == b"via":
            value = rewrite_via(value, maps, first_field=not seen_via)
            seen_via = True
        elif field.name in ADDRESS_FIELDS:
            value = rewrite_address_list(value, maps)
        elif field.name == b"content-length":
            value = rewrite_content_length(field, len(body)).value
        fields.append(Field(field.head, value, field.name))
    return rewrite_start_line(message.start_line, maps) + joined_fields(fields) + CRLF + body


def rewrite_start_line(line: bytes, maps: Maps) -> bytes:
    """The Request-URI of a request, with the spaces around it as they were; a status line stays.

    More than three words are a malformed request line, whose URI cannot be told.
    """
    if _is_version(line.partition(b" ")[0]) or len([word for word in line.rstrip().split(b" ") if word]) > 3:
        return line
    start = len(line) - len(line.partition(b" ")[2].lstrip(b" "))
    stop = line.index(b" ", start)
    return line[:start] + rewrite_uri(line[start:stop], maps) + line[stop:]
