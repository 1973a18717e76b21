"""Header fields as slices, and Content-Length, for the reference rewriter (RFC 3261 7.3, 20.14)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.helpers.reference_fields import TOKEN_CHARACTERS

COMPACT_FORMS = {
    b"v": b"via",
    b"m": b"contact",
    b"f": b"from",
    b"t": b"to",
    b"r": b"refer-to",
    b"b": b"referred-by",
    b"l": b"content-length",
    b"c": b"content-type",
    b"e": b"content-encoding",
}


@dataclass(frozen=True)
class Field:
    """One logical header field: `head` up to the colon, `value` the rest with folds and line ending."""

    head: bytes
    value: bytes
    name: bytes
    """In lower case and long form; empty if the line is no header field."""


def split_fields(block: bytes, *, compact: bool) -> list[Field]:
    """Lines end with LF; one that begins with space or tab continues the one before (RFC 3261 7.3.1)."""
    lines: list[bytes] = []
    position = 0
    while position < len(block):
        line_feed = block.find(b"\n", position)
        stop = len(block) if line_feed < 0 else line_feed + 1
        line = block[position:stop]
        if lines and line[:1] in (b" ", b"\t"):
            lines[-1] += line
        else:
            lines.append(line)
        position = stop
    return [_read_field(line, compact) for line in lines]


def joined_fields(fields: list[Field]) -> bytes:
    """The block again, byte for byte."""
    return b"".join(field.head + field.value for field in fields)


def _read_field(line: bytes, compact: bool) -> Field:
    head, colon, value = line.partition(b":")
    name = head.rstrip(b" \t").lower()
    if not colon or not name or any(character not in TOKEN_CHARACTERS for character in name):
        return Field(line, b"", b"")
    return Field(head + colon, value, COMPACT_FORMS.get(name, name) if compact else name)


def read_content_length(value: bytes) -> int | None:
    """Digits with white space or folds around them; anything else is no length."""
    before, digits, after = _cut_digits(value)
    if not digits or not _is_blank(before) or not _is_blank(_without_line_ending(after)):
        return None
    return int(digits) if len(digits) <= 30 else 10**30


def rewrite_content_length(field: Field, length: int) -> Field:
    """The digits alone are replaced, and only if the number is another one."""
    before, digits, after = _cut_digits(field.value)
    if int(digits) == length:
        return field
    return replace(field, value=before + b"%d" % length + after)


def _cut_digits(value: bytes) -> tuple[bytes, bytes, bytes]:
    start = 0
    while start < len(value) and value[start] not in b"0123456789":
        start += 1
    stop = start
    while stop < len(value) and value[stop] in b"0123456789":
        stop += 1
    return value[:start], value[start:stop], value[stop:]


def _without_line_ending(text: bytes) -> bytes:
    for ending in (b"\r\n", b"\n"):
        if text.endswith(ending):
            return text[: -len(ending)]
    return text


def _is_blank(text: bytes) -> bool:
    """Only spaces, tabs and folds; a carriage return alone is neither."""
    return not text.replace(b"\r\n", b"").replace(b"\n", b"").strip(b" \t")
