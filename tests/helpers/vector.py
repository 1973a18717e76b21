"""One hand-written example of the default profile, and the frames that keep examples short.

Strategy: most examples are about one header line or one session description. The frames below put it into a
complete message, the same way before and after, so that only what matters is written out twice.
"""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]

STATIC: Pairs = (("10.0.30.2", "64.100.0.10"),)
SIGNALLING: Pairs = (("10.0.30.2:5060", "64.100.0.10:5080"),)
"""The default port is mapped to another one, so it has to be written."""
SECURE: Pairs = (("10.0.30.2:5061", "64.100.0.10:5091"),)
APPARENT: Pairs = (("10.0.30.2:27901", "64.100.0.10:4401"),)
MEDIA: Pairs = (("10.0.30.2:5004", "64.100.0.10:6004"), ("10.0.30.2:5005", "64.100.0.10:6005"))


@dataclass(frozen=True)
class Vector:
    """`data` goes in, `expected` comes out, both written by hand."""

    name: str
    maps: Pairs
    direction: str
    """"out" (inside to outside) or "in" """
    data: bytes
    expected: bytes


def in_request(line: bytes) -> bytes:
    """A request with this header line (or lines) and no body."""
    return b"OPTIONS sip:service.example.com SIP/2.0\r\n" + line + b"\r\nMax-Forwards: 70\r\n\r\n"


def in_offer(body: bytes, content_type: bytes = b"application/sdp") -> bytes:
    """A request with this body; its Content-Length is right."""
    return (
        b"INVITE sip:bob@example.com SIP/2.0\r\n"
        b"Call-ID: offer@example.com\r\n"
        b"Content-Type: %s\r\n"
        b"Content-Length: %d\r\n"
        b"\r\n"
        b"%s" % (content_type, len(body), body)
    )


def line(name: str, before: bytes, after: bytes, maps: Pairs = STATIC, direction: str = "out") -> Vector:
    """A header line that changes."""
    return Vector(name, maps, direction, in_request(before), in_request(after))


def same_line(name: str, before: bytes, maps: Pairs = STATIC, direction: str = "out") -> Vector:
    """A header line that stays."""
    return line(name, before, before, maps, direction)


def offer(name: str, before: bytes, after: bytes, maps: Pairs = STATIC, direction: str = "out") -> Vector:
    """A session description that changes."""
    return Vector(name, maps, direction, in_offer(before), in_offer(after))


def same_offer(name: str, before: bytes, maps: Pairs = STATIC, direction: str = "out") -> Vector:
    """A session description that stays."""
    return offer(name, before, before, maps, direction)
