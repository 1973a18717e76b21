"""A message taken apart so that it can be spoilt: start line, header fields, body.

Strategy: a specimen is made under a sample address and a sample identity, and keeps its length when it gets those that
it is sent with, so that chance, which counts bytes, comes to the same whatever they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from alg.edge.entrance import Address

SAMPLE_TOKEN = "sipalg0123456789"
SAMPLE_PORT = 65535
IDENTITY = frozenset({b"via", b"v", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq"})
"""Fields without which no response can be made (RFC 3261 8.2.6.2); lower-case names, compact ones too."""
LENGTHS = frozenset({b"content-length", b"l"})
_LINE_END = re.compile(rb"\r\n(?![ \t])")
_LENGTH = re.compile(rb"(?:Content-Length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*(\d{1,30})[ \t]*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Specimen:
    """The parts of a message; joined by CRLF and an empty line."""

    start: bytes
    fields: tuple[bytes, ...]
    """Each with its folds, without its last line end."""
    body: bytes
    ended: bool = True
    """There is an empty line behind the fields."""

    @classmethod
    def of(cls, message: bytes) -> Specimen:
        """Any bytes, as far as they have such parts; `data` gives them back. Empty lines before belong to the start."""
        before = message[: len(message) - len(message.lstrip(b"\r\n"))]
        head, empty_line, body = message[len(before) :].partition(b"\r\n\r\n")
        start, *fields = _LINE_END.split(head)
        return cls(before + start, tuple(fields), body, bool(empty_line))

    @property
    def data(self) -> bytes:
        """The message."""
        head = b"\r\n".join((self.start, *self.fields))
        return head + b"\r\n\r\n" + self.body if self.ended else head

    @property
    def honest(self) -> bool:
        """Whether one Content-Length says how long the body is, and there is no other."""
        lengths = [field for field in self.fields if name_of(field) in LENGTHS]
        said = _LENGTH.match(lengths[0]) if len(lengths) == 1 else None
        return self.ended and said is not None and int(said[1]) == len(self.body)

    def with_fields(self, fields: list[bytes]) -> Specimen:
        """Other header fields."""
        return replace(self, fields=tuple(fields))

    def with_body(self, body: bytes) -> Specimen:
        """Another body, and every Content-Length that told the truth before tells it again."""
        if not self.honest:
            return replace(self, body=body)
        fields = tuple(
            field[: field.index(b":") + 1] + b" %d" % len(body) if name_of(field) in LENGTHS else field
            for field in self.fields
        )
        return replace(self, fields=fields, body=body)

    def indices(self, names: frozenset[bytes]) -> list[int]:
        """Where the fields of these lower-case names stand."""
        return [index for index, field in enumerate(self.fields) if name_of(field) in names]


def name_of(field: bytes) -> bytes:
    """Of a header field, in lower case, as it is written."""
    return field.partition(b":")[0].strip().lower()


def under(message: bytes, sample_host: str, here: Address, token: str) -> bytes:
    """A message that was made under the samples, with the address and the identity that it is sent with."""
    sample = b"%s:%d" % (sample_host.encode(), SAMPLE_PORT)
    return message.replace(sample, b"%s:%d" % (here[0].encode(), here[1])).replace(
        SAMPLE_TOKEN.encode(), token.encode()
    )
