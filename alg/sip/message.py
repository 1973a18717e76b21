"""A SIP message as spans: start line, header fields with their folds, body. For those who need more than edits.

The rewriter does not come here; records, the debug text and the doors of a dialog do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from alg.sip import grammar

_STATUS = re.compile(rb"SIP/\d+\.\d+ +(\d+)", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]+")


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One header field: offsets into its message."""

    name: bytes
    """As written."""
    start: int
    """Of the name."""
    value: int
    """Start of the value, behind the colon and white space."""
    stop: int
    """Of the value, before its line end."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person tells messages apart by."""

    method: str | None
    """Of a request."""
    status: int | None
    """Of a response."""
    call_id: str
    cseq: str

    @property
    def title(self) -> str:
        """`INVITE` or `200`."""
        return self.method or str(self.status)

    @property
    def cseq_method(self) -> str:
        """The method of the transaction; empty if CSeq is missing or malformed."""
        return self.cseq.rpartition(" ")[2]


def header_fields(data: bytes) -> Iterator[HeaderField]:
    """The header fields of a message in order, folded lines joined; lines that are none are left out."""
    position = data.find(b"\n") + 1
    while 0 < position < len(data) and data[position : position + 2] != b"\r\n":
        stop = data.find(b"\n", position)
        while stop >= 0 and data[stop + 1 : stop + 2] in (b" ", b"\t"):
            stop = data.find(b"\n", stop + 1)
        end = stop if stop >= 0 else len(data)
        match = grammar.FIELD_NAME.match(data, position, end)
        if match is not None:
            written = data[match.end() : end].rstrip()
            value = match.end() + len(written) - len(written.lstrip())
            yield HeaderField(match[1], position, value, match.end() + len(written))
        position = end + 1


def field_value(data: bytes, *names: bytes) -> bytes | None:
    """The value of the first field with one of these names (in any case), unfolded; None if there is none."""
    match = _field_pattern(*names).search(data, 0, data.find(b"\r\n\r\n") + 2)
    return _FOLD.sub(b" ", match[1]).strip() if match else None


@lru_cache
def _field_pattern(*names: bytes) -> re.Pattern[bytes]:
    """Header fields of these names; group 1 is the value with its folds."""
    alternatives = b"|".join(re.escape(name) for name in names)
    return re.compile(rb"\n(?:" + alternatives + rb")[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE)


def summarise(data: bytes) -> Summary:
    """What kind of message this is; bytes that are no text come out as replacement characters."""
    status = status_code(data)
    method = None if status is not None else data.partition(b" ")[0].decode("utf-8", "replace")
    call_id = (field_value(data, b"call-id", b"i") or b"").decode("utf-8", "replace")
    cseq = " ".join((field_value(data, b"cseq") or b"").decode("utf-8", "replace").split())
    return Summary(method, status, call_id, cseq)


def status_code(data: bytes) -> int | None:
    """The status of a response, None for a request."""
    match = _STATUS.match(data)
    return int(match[1][:9]) if match else None
