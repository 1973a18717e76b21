"""What comes out of a bridge: bytes for each leg, clear text from each leg, how a leg ends, and what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum


class Leg(IntEnum):
    """One of the two TLS connections; also an index into a pair."""

    CLIENT = 0
    """To whoever opened the connection; we are the TLS server."""
    SERVER = 1
    """To the real server; we are the TLS client."""

    @property
    def other(self) -> Leg:
        """The other one."""
        return Leg(1 - self)

    @property
    def label(self) -> str:
        """`client` or `server`, as reasons and events spell it."""
        return self.name.lower()


class Ending(Enum):
    """What is to be done to a leg's TCP connection, behind the bytes that come with it."""

    FIN = "fin"
    """We send no more; what the peer still sends may be read."""
    RESET = "reset"
    """Cut at once, in both directions."""


@dataclass(frozen=True, slots=True)
class CertificateShown:
    """We chose what to show on a leg."""

    leg: Leg
    origin: str
    """`mirrored`, `own`, `resigned`, `given`, or `none` for an empty Certificate message."""
    subject: str = ""
    """RFC 4514."""
    names: tuple[str, ...] = ()
    """Subject alternative names."""


@dataclass(frozen=True, slots=True)
class LegUp:
    """The handshake of a leg is complete, as far as our side of it goes.

    In TLS 1.3 the server's refusal of our certificate comes after that, as an alert (RFC 8446 4.4.2.4).
    """

    leg: Leg
    version: str
    """Such as `TLS 1.3`."""
    cipher: str
    """As OpenSSL calls it."""
    peer_subject: str | None
    """RFC 4514; None of a peer without a certificate."""
    peer_names: tuple[str, ...]
    """Subject alternative names of the peer's certificate."""
    server_name: str | None
    """The name that the client asks for on this leg."""
    alpn: str | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A TLS alert; `close_notify` is one."""

    leg: Leg
    sent: bool
    """By us; else received."""
    level: str
    """`warning` or `fatal`."""
    description: str
    """Such as `unknown_ca`."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A leg came to an end that nobody wanted."""

    leg: Leg
    reason: str
    """In OpenSSL's words, such as `certificate verify failed` or `tlsv13 alert certificate required`."""
    detail: str = ""
    """Why a certificate was not accepted, in OpenSSL's words."""


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """With both legs up, the peer of one sends no more clear text."""

    leg: Leg
    clean: bool
    """It said so with close_notify; otherwise the stream was cut (RFC 8446 6.1)."""


Event = CertificateShown | LegUp | Alert | Failed | StreamEnded


@dataclass(slots=True)
class Output:
    """What is to be done now; the lists have an entry per leg."""

    to_send: list[bytes] = field(default_factory=lambda: [b"", b""])
    """Bytes for the leg's TCP connection."""
    clear: list[bytes] = field(default_factory=lambda: [b"", b""])
    """Clear text that came on the leg."""
    endings: list[Ending | None] = field(default_factory=lambda: [None, None])
    """Each leg has one, once."""
    events: list[Event] = field(default_factory=list)
