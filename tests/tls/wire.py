"""TLS written by hand, with `struct` and what the RFCs say: records, handshake messages, hellos."""

from __future__ import annotations

import struct
from collections.abc import Iterable

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = range(20, 25)
RETRY_RANDOM = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891 C2A211167ABB8C5E079E09E2C8A8339C")

Extension = tuple[int, bytes]


def record(kind: int, contents: bytes = b"", version: int = 0x0303) -> bytes:
    """One record."""
    return struct.pack(">BHH", kind, version, len(contents)) + contents


def vector(size: int, contents: bytes) -> bytes:
    """Led by its length in `size` bytes."""
    return len(contents).to_bytes(size, "big") + contents


def message(number: int, body: bytes = b"") -> bytes:
    """A handshake message."""
    return bytes((number,)) + vector(3, body)


def handshake(number: int, body: bytes = b"") -> bytes:
    """A handshake message in a record of its own."""
    return record(HANDSHAKE, message(number, body))


def extensions(entries: Iterable[Extension]) -> bytes:
    """As they end a hello; nothing if there are none."""
    packed = b"".join(struct.pack(">H", number) + vector(2, body) for number, body in entries)
    return vector(2, packed) if packed else b""


def client_hello(
    *entries: Extension, session_id: bytes = b"", version: int = 0x0303, suites: bytes = b"\x13\x01\x00\x2f"
) -> bytes:
    """The message, without a record."""
    body = struct.pack(">H", version) + b"R" * 32 + vector(1, session_id) + vector(2, suites) + b"\x01\x00"
    return message(1, body + extensions(entries))


def server_hello(
    *entries: Extension, version: int = 0x0303, suite: int = 0x002F, session_id: bytes = b"", random: bytes = b"r" * 32
) -> bytes:
    """The message, without a record."""
    body = struct.pack(">H", version) + random + vector(1, session_id) + struct.pack(">HB", suite, 0)
    return message(2, body + extensions(entries))


def server_name(name: bytes) -> Extension:
    """The client's server_name (RFC 6066 3)."""
    return 0, vector(2, b"\x00" + vector(2, name))


def protocols(*names: bytes) -> Extension:
    """ALPN (RFC 7301)."""
    return 16, vector(2, b"".join(vector(1, name) for name in names))


def supported_versions(*numbers: int) -> Extension:
    """Of a client (RFC 8446 4.2.1)."""
    return 43, vector(1, struct.pack(f">{len(numbers)}H", *numbers))


EARLY_DATA: Extension = (42, b"")
CHOOSES_1_3: Extension = (43, b"\x03\x04")
"""In a ServerHello."""
