"""The switches of an inspection that terminates TLS: frozen, typed, checked once.

Strategy: what contradicts itself is a ConfigError here or when the contexts are made, never a surprise in a handshake.
The defaults are those of an inspection that does everything right: the client is asked for its certificate when the
server asks, and the server is shown that certificate, re-signed. `present=Present.NONE` is the usual way inspection
breaks mutual TLS.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from alg.errors import ConfigError


class TlsVersion(Enum):
    """A version of the protocol, as people write it."""

    TLS_1_0 = "1.0"
    """Needs `ciphers` that end in `@SECLEVEL=0`, as 1.1 does."""
    TLS_1_1 = "1.1"
    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


_ORDER: Final = tuple(TlsVersion)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
"""Keys that sign in TLS and in certificates."""


class Ask(Enum):
    """Whether the client is asked for its certificate."""

    FOLLOW = "follow"
    """If the server asks us for one; the client may have none."""
    NEVER = "never"
    REQUEST = "request"
    """Always; the client may have none."""
    REQUIRE = "require"
    """Always; a client without one is refused."""


class Present(Enum):
    """What the server is shown when it asks for a certificate."""

    RESIGNED = "resigned"
    """The client's, re-signed by the inspecting CA; none if the client has none."""
    GIVEN = "given"
    """Always the same, from the configuration."""
    NONE = "none"
    """An empty Certificate message: the server goes on without or refuses, as it likes."""


class OnFailure(Enum):
    """How a leg ends when the inspection fails."""

    ALERT = "alert"
    """With a TLS alert where there is a way to send one, then FIN."""
    CLOSE = "close"
    """FIN alone."""
    RESET = "reset"
    """RST."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A private key and the certificates that go with it, as they are sent: its own first, each signed by the next."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey

    @classmethod
    def parse(cls, certificates: bytes, key: bytes, setting: str) -> Identity:
        """From PEM; ConfigError naming `setting` if either is none, or they do not belong together."""
        chain = parse_certificates(certificates, setting)
        try:
            private = serialization.load_pem_private_key(key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigError(f"{setting}: no private key in PEM without a passphrase") from None
        if not isinstance(private, PrivateKey):
            raise ConfigError(f"{setting}: a key of this kind signs nothing")
        try:
            belongs = chain[0].public_key() == private.public_key()
        except (ValueError, UnsupportedAlgorithm):
            belongs = False
        if not belongs:
            raise ConfigError(f"{setting}: the key does not belong to the first certificate")
        return cls(chain, private)


def parse_certificates(pem: bytes, setting: str) -> tuple[x509.Certificate, ...]:
    """All certificates in a PEM file, at least one; ConfigError naming `setting` otherwise."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise ConfigError(f"{setting}: no certificate in PEM, or one that cannot be read") from None


_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}")
"""Of labels (RFC 1123 2.1), the first of which may be a wildcard (RFC 6125 6.4.3)."""
_LONGEST_NAME: Final = 253
"""Characters (RFC 1035 2.3.4)."""


def general_name(name: str) -> x509.GeneralName:
    """A name for a certificate: an IP address, or else a DNS name; ConfigError if it can be neither."""
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    if not _HOST_NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ConfigError(f"client leg: {name!r} is no name for a certificate")
    return x509.DNSName(name)


@dataclass(frozen=True, slots=True)
class TlsRange:
    """What a leg agrees to."""

    lowest: TlsVersion = TlsVersion.TLS_1_2
    highest: TlsVersion = TlsVersion.TLS_1_3
    ciphers: str | None = None
    """An OpenSSL cipher list for versions up to 1.2, which may also lower the security level; None is OpenSSL's own."""

    def __post_init__(self) -> None:
        if _ORDER.index(self.lowest) > _ORDER.index(self.highest):
            raise ConfigError(f"TLS version: lowest is {self.lowest.value}, highest is {self.highest.value}")


@dataclass(frozen=True, slots=True)
class ClientLegPolicy:
    """The leg to the client, on which we are the server."""

    ask: Ask = Ask.FOLLOW
    trust: tuple[x509.Certificate, ...] = ()
    """Roots that the client's certificate must lead to; none: it is not verified."""
    names: tuple[str, ...] = ()
    """DNS names or IP addresses of the certificate that we show, the first also its common name; none: subject and
    alternative names are those of the server's certificate."""
    tls: TlsRange = field(default_factory=TlsRange)

    def __post_init__(self) -> None:
        if self.trust and self.ask is Ask.NEVER:
            raise ConfigError("client leg: a certificate is verified that nobody asks for")
        for name in self.names:
            general_name(name)


@dataclass(frozen=True, slots=True)
class ServerLegPolicy:
    """The leg to the server, on which we are the client."""

    present: Present = Present.RESIGNED
    given: Identity | None = None
    """What `Present.GIVEN` shows."""
    trust: tuple[x509.Certificate, ...] = ()
    """Roots that the server's certificate must lead to; none: it is not verified."""
    check_name: bool = False
    """Whether the server's certificate must be for `name`, or else for the server name that the client asked for. A
    client that asks for none leaves nothing to check."""
    name: str | None = None
    """A DNS name or an IP address."""
    sni: str | None = None
    """Server name to ask for; None passes the client's on, an empty one asks for none."""
    tls: TlsRange = field(default_factory=TlsRange)

    def __post_init__(self) -> None:
        if (self.given is not None) is not (self.present is Present.GIVEN):
            raise ConfigError(
                f"server leg: present is {self.present.value}, and a certificate is "
                f"{'not ' if self.given is None else ''}given"
            )
        if self.check_name and not self.trust:
            raise ConfigError("server leg: a name is checked in a certificate that nobody verifies; it needs trust")
        if self.name is not None and not self.check_name:
            raise ConfigError(f"server leg: name {self.name!r} is given, and names are not checked")
        for setting, text in (("name", self.name), ("sni", self.sni)):
            if text is not None and not (text.isascii() and text.isprintable() and len(text) <= 253):
                raise ConfigError(f"server leg: {setting} {text!r} is no host name")


@dataclass(frozen=True, slots=True)
class BridgePolicy:
    """Everything that decides how a connection is terminated and re-created."""

    client: ClientLegPolicy = field(default_factory=ClientLegPolicy)
    server: ServerLegPolicy = field(default_factory=ServerLegPolicy)
    failed_leg: OnFailure = OnFailure.ALERT
    """How the leg ends on which we find the fault."""
    other_leg: OnFailure = OnFailure.ALERT
    """How the other one ends then. As an alert it gets `internal_error` while its handshake waits for us, and
    `close_notify` once that is complete, as OpenSSL sends no alert of our choice: a client in the middle of its
    handshake is led to its end first, and a server there sees FIN alone."""

    def __post_init__(self) -> None:
        if self.server.present is Present.RESIGNED and self.client.ask is Ask.NEVER:
            raise ConfigError(
                "the server is shown the client's certificate re-signed, and the client is never asked for it"
            )
