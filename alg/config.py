"""The configuration of an ALG: frozen, typed, checked once at the border.

Text from a command line or a file becomes these values through the `parse` class methods; inside, an `AddressMap` or a
`Limits` is already valid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING

from netaddr import AddrFormatError, IPAddress, IPNetwork

from alg.errors import ConfigError
from alg.profiles import COMPLETE, Profile

if TYPE_CHECKING:
    from alg.faults.spec import FaultSpec

PRIVATE_NETWORKS = tuple(
    IPNetwork(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""What a pool takes for inside unless told otherwise (RFC 1918, RFC 6598)."""


class MediaMode(Enum):
    """What happens to the media that an SDP body describes."""

    RELAY = "relay"
    """A door (relay port pair) on our side for each media line that we translate."""
    REWRITE = "rewrite"
    """Addresses are mapped, nothing listens."""
    OFF = "off"
    """SDP bodies stay as they are."""


class Malformed(Enum):
    """What happens to a connection whose bytes cannot be framed as SIP."""

    PASS = "pass"
    """That direction passes bytes untouched from there on."""
    CLOSE = "close"
    """The connection is cut after the bytes before the fault."""


def parse_address(text: str, setting: str) -> IPAddress:
    """An IPv4 address in dotted decimal; ConfigError naming `setting` otherwise."""
    try:
        address = IPAddress(text)
    except (AddrFormatError, ValueError):
        raise ConfigError(f"{setting}: {text!r} is no IPv4 address") from None
    if address.version != 4 or str(address) != text:
        raise ConfigError(f"{setting}: {text!r} is no IPv4 address in dotted decimal")
    return address


def parse_port(text: str, setting: str, lowest: int = 1) -> int:
    """A port number from `lowest` to 65535; ConfigError naming `setting` otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and lowest <= int(text) <= 65535):
        raise ConfigError(f"{setting}: {text!r} is no port ({lowest}-65535)")
    return int(text)


def parse_network(text: str, setting: str) -> IPNetwork:
    """An IPv4 network such as 10.0.30.0/24; ConfigError naming `setting` otherwise."""
    try:
        network = IPNetwork(text)
    except (AddrFormatError, ValueError):
        raise ConfigError(f"{setting}: {text!r} is no IPv4 network") from None
    if network.version != 4:
        raise ConfigError(f"{setting}: {text!r} is no IPv4 network")
    return network


@dataclass(frozen=True, slots=True)
class AddressMap:
    """One static translation; with ports it maps one address and port, without it maps the address and keeps ports."""

    inside: IPAddress
    outside: IPAddress
    inside_port: int | None = None
    outside_port: int | None = None

    @classmethod
    def parse(cls, text: str, setting: str = "--map") -> AddressMap:
        """`10.0.30.2=64.100.0.10` or `10.0.30.2:27901=64.100.0.10:4401`."""
        inside, equals, outside = text.partition("=")
        if not equals:
            raise ConfigError(f"{setting}: {text!r} is not INSIDE=OUTSIDE")
        inside_address, inside_colon, inside_port = inside.strip().partition(":")
        outside_address, outside_colon, outside_port = outside.strip().partition(":")
        if bool(inside_colon) != bool(outside_colon):
            raise ConfigError(f"{setting}: {text!r} has a port on one side only")
        return cls(
            parse_address(inside_address, setting),
            parse_address(outside_address, setting),
            parse_port(inside_port, setting) if inside_colon else None,
            parse_port(outside_port, setting) if outside_colon else None,
        )

    def __str__(self) -> str:
        if self.inside_port is None:
            return f"{self.inside}={self.outside}"
        return f"{self.inside}:{self.inside_port}={self.outside}:{self.outside_port}"


@dataclass(frozen=True, slots=True)
class NatTimeouts:
    """How long a binding or a connection is kept that nothing uses, in seconds."""

    udp: float = 300.0
    """RFC 4787 REQ-5 asks for 2 minutes at least, and recommends 5."""
    tcp: float = 7440.0
    """A silent TCP connection; RFC 5382 REQ-5 asks for 2 hours and 4 minutes at least."""
    tcp_transitory: float = 240.0
    """One that was never answered or is over; RFC 5382 REQ-5 asks for 4 minutes at least."""
    icmp: float = 60.0
    """RFC 5508 REQ-2 asks for 60 seconds at least."""
    named: float = 7440.0
    """What an address in a message stands for, since one last named it. Dialogs and registrations are refreshed more
    often: RFC 4028 recommends half an hour, an hour is what registrars usually give."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            if not getattr(self, entry.name) > 0:
                raise ConfigError(f"timeouts: {entry.name} is {getattr(self, entry.name)} seconds")


@dataclass(frozen=True, slots=True)
class NatConfig:
    """Which addresses become which."""

    maps: tuple[AddressMap, ...] = ()
    """Static translations; no inside and no outside (address, port) may stand twice."""
    pool: tuple[IPAddress, ...] = ()
    """Outside addresses given to inside hosts that no static map names (RFC 4787: endpoint-independent, paired)."""
    inside: tuple[IPNetwork, ...] = PRIVATE_NETWORKS
    """Networks whose addresses the pool translates."""
    timeouts: NatTimeouts = field(default_factory=NatTimeouts)
    """When what the pool gave out is taken back."""

    def __post_init__(self) -> None:
        for side in ("inside", "outside"):
            seen: dict[tuple[IPAddress, int | None], AddressMap] = {}
            for entry in self.maps:
                key = (getattr(entry, side), getattr(entry, f"{side}_port"))
                if key in seen:
                    raise ConfigError(f"map {entry}: its {side} is taken by {seen[key]}")
                seen[key] = entry


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one message is held before it passes on unrewritten."""

    max_header_bytes: int = 64 * 1024
    """Bytes from the start line to the empty line, both included."""
    max_body_bytes: int = 16 * 1024 * 1024
    """Bytes that Content-Length announces."""

    def __post_init__(self) -> None:
        if self.max_header_bytes < 1 or self.max_body_bytes < 0:
            raise ConfigError(f"limits: {self.max_header_bytes} and {self.max_body_bytes} bytes are no limits")


@dataclass(frozen=True, slots=True)
class AlgConfig:
    """Everything that decides what the ALG does to a connection."""

    nat: NatConfig = field(default_factory=NatConfig)
    """The translations."""
    sip_ports: frozenset[int] = frozenset({5060})
    """TCP ports whose connections carry SIP; the ALG looks at no other (seed 004)."""
    l4f: bool = True
    """Layer 4 forwarding: without it SIP over TCP is plain TCP and passes untouched (seed 004)."""
    profile: Profile = COMPLETE
    """Which fixups are done."""
    media: MediaMode = MediaMode.REWRITE
    """What happens to SDP."""
    malformed: Malformed = Malformed.PASS
    """What happens after bytes that cannot be framed."""
    limits: Limits = field(default_factory=Limits)
    """How much is held."""
    faults: tuple[FaultSpec, ...] = ()
    """What is done wrong on purpose."""

    def applies_to(self, ports: frozenset[int] | None) -> bool:
        """Whether a connection with these local and remote ports is looked into; None stands for a SIP port."""
        return self.l4f and (ports is None or not self.sip_ports.isdisjoint(ports))
