"""The configuration file and the command line, decoded once into the values that the ALG works with.

A file says all of it in TOML; a flag on the command line wins over the file. Unknown keys are errors that name the key.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alg import profiles
from alg.config import (
    PRIVATE_NETWORKS,
    AddressMap,
    AlgConfig,
    Limits,
    Malformed,
    MediaMode,
    NatConfig,
    NatTimeouts,
    parse_address,
    parse_network,
    parse_port,
)
from alg.direction import Direction
from alg.edge.entrance import Address, Entrance, Listener
from alg.edge.interception import Method
from alg.edge.transparent import Source, TransparentListener
from alg.errors import ConfigError
from alg.faults.spec import FaultSpec
from alg.tls.rules import Rule
from harness.termination import TlsSection

DEFAULT_SIP_PORTS = frozenset({5060})
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_SIDES = {"inside": Direction.OUTWARD, "outside": Direction.INWARD}


class AlgSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[alg]`"""

    l4f: bool = True
    sip_ports: list[int] | None = None
    profile: str = "complete"
    pool: list[str] = []
    inside: list[str] = []
    malformed: Malformed = Malformed.PASS
    max_header_bytes: int = Limits().max_header_bytes
    max_body_bytes: int = Limits().max_body_bytes


class MapSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[[map]]`"""

    inside: str
    outside: str


class NatSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[nat]`: how long what the pool gave out is kept unused, in seconds; see `alg.config.NatTimeouts`."""

    udp_timeout: _Seconds = NatTimeouts().udp
    tcp_timeout: _Seconds = NatTimeouts().tcp
    tcp_transitory_timeout: _Seconds = NatTimeouts().tcp_transitory
    icmp_timeout: _Seconds = NatTimeouts().icmp
    named_timeout: _Seconds = NatTimeouts().named


class ListenerSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[[listener]]`"""

    listen: str
    to: str | None = None
    side: str | None = None
    transparent: bool = False
    intercept: Method = Method.TPROXY
    source: Source = Source.MAPPED
    tls_inspect: list[str] = []


class MediaSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[media]`"""

    mode: MediaMode | None = None
    idle_timeout: _Seconds = 300.0
    """seconds"""


class CaptureSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[capture]`"""

    file: str | None = None
    """Path of the pcapng file."""
    clear: str | None = None
    """Path of the pcapng file for the clear text of terminated connections."""


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Everything a configuration file may say."""

    alg: AlgSection = msgspec.field(default_factory=AlgSection)
    map: list[MapSection] = []
    nat: NatSection = msgspec.field(default_factory=NatSection)
    listener: list[ListenerSection] = []
    media: MediaSection = msgspec.field(default_factory=MediaSection)
    tls: TlsSection = msgspec.field(default_factory=TlsSection)
    capture: CaptureSection = msgspec.field(default_factory=CaptureSection)
    fault: list[dict[str, str | int | float]] = []
    """`[[fault]]`: a `name`, parameters and conditions."""
    events: str | None = None
    """Path of the JSONL file."""
    debug_ip_nat_sip: bool = False


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; None and empty mean that it says nothing."""

    maps: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    sip_ports: tuple[int, ...] = ()
    no_l4f: bool = False
    profile: str | None = None
    media: str | None = None
    transparent: bool = False
    intercept: str | None = None
    source: str | None = None
    tls_inspect: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def load_settings(path: str | None) -> Settings:
    """The settings of a file, or the defaults; ConfigError naming file, key and place."""
    if path is None:
        return Settings()
    try:
        return msgspec.toml.decode(Path(path).read_bytes(), type=Settings)
    except OSError as error:
        raise ConfigError(f"--config {path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: {error}") from None


def sip_ports(settings: Settings, flags: Flags) -> frozenset[int] | None:
    """The SIP ports that were asked for; None if none was, which makes every listening port one, beside 5060."""
    ports = flags.sip_ports or settings.alg.sip_ports
    return frozenset(parse_port(str(port), "[alg] sip_ports") for port in ports) if ports else None


def alg_config(settings: Settings, flags: Flags) -> AlgConfig:
    """The ALG's configuration."""
    section = settings.alg
    maps = [
        AddressMap.parse(f"{entry.inside}={entry.outside}", f"[[map]] {number}")
        for number, entry in enumerate(settings.map, 1)
    ]
    maps = [AddressMap.parse(text) for text in flags.maps] or maps
    media = MediaMode(flags.media) if flags.media else settings.media.mode or MediaMode.RELAY
    return AlgConfig(
        nat=NatConfig(
            tuple(maps),
            tuple(parse_address(text, "--pool") for text in flags.pool)
            or tuple(parse_address(text, "[alg] pool") for text in section.pool),
            tuple(parse_network(text, "--inside") for text in flags.inside)
            or tuple(parse_network(text, "[alg] inside") for text in section.inside)
            or PRIVATE_NETWORKS,
            NatTimeouts(
                settings.nat.udp_timeout,
                settings.nat.tcp_timeout,
                settings.nat.tcp_transitory_timeout,
                settings.nat.icmp_timeout,
                settings.nat.named_timeout,
            ),
        ),
        sip_ports=sip_ports(settings, flags) or DEFAULT_SIP_PORTS,
        l4f=section.l4f and not flags.no_l4f,
        profile=profiles.load(flags.profile or section.profile, "--profile" if flags.profile else "[alg] profile"),
        media=media,
        malformed=section.malformed,
        limits=Limits(section.max_header_bytes, section.max_body_bytes),
        faults=fault_specs(settings, flags),
    )


def fault_specs(settings: Settings, flags: Flags) -> tuple[FaultSpec, ...]:
    """The faults that were asked for: flags in place of those of the file."""
    if flags.faults:
        return tuple(FaultSpec.parse(text) for text in flags.faults)
    found = []
    for number, entry in enumerate(settings.fault, 1):
        pairs = ",".join(f"{key}={value}" for key, value in entry.items() if key != "name")
        found.append(FaultSpec.parse(f"{entry.get('name', '')}:{pairs}", f"[[fault]] {number}"))
    return tuple(found)


def listeners(settings: Settings, flags: Flags, listen: str | None, to: str | None, side: str | None) -> list[Entrance]:
    """The listeners of the command line, or those of the file; ConfigError when neither names one."""
    ports = sip_ports(settings, flags)
    found: list[Entrance] = []
    if flags.transparent and not listen:
        raise ConfigError("--listen is missing")
    if listen or to:
        if not listen:
            raise ConfigError("--listen is missing")
        entry = ListenerSection(listen, to, side, flags.transparent)
        found.append(_entrance(entry, flags, ports, ("--listen", "--to", "--side")))
    else:
        for number, entry in enumerate(settings.listener, 1):
            keys = tuple(f"[[listener]] {number} {key}" for key in ("listen", "to", "side"))
            chosen = msgspec.structs.replace(entry, side=side or entry.side)
            found.append(_entrance(chosen, flags, ports, keys))
    if not found:
        raise ConfigError("nothing to do: give --listen and --to, or a --config with a [[listener]]")
    if (flags.intercept or flags.source) and not any(isinstance(entrance, TransparentListener) for entrance in found):
        raise ConfigError(f"--{'intercept' if flags.intercept else 'source'}: nothing is --transparent")
    return found


def inspection_rules(settings: Settings, flags: Flags, count: int, of_file: bool = True) -> list[tuple[Rule, ...]]:
    """What the connections of each of so many listeners are inspected by; flags hold for all of them.

    `of_file`: the listeners are those of the file, as it was when they were opened.
    """
    if flags.tls_inspect:
        return [tuple(Rule.parse(text) for text in flags.tls_inspect)] * count
    found = [
        tuple(Rule.parse(text, f"[[listener]] {number} tls_inspect") for text in entry.tls_inspect)
        for number, entry in enumerate(settings.listener, 1)
    ]
    return [*(found if of_file else ()), *[()] * count][:count]


def _entrance(entry: ListenerSection, flags: Flags, ports: frozenset[int] | None, keys: tuple[str, ...]) -> Entrance:
    host, port = split_host_port(entry.listen, keys[0], lowest=0)
    listen = str(parse_address(host, keys[0])), port
    if entry.transparent:
        if entry.to or entry.side:
            raise ConfigError(f"{keys[1] if entry.to else keys[2]}: a transparent proxy finds it out by itself")
        if port in (ports or DEFAULT_SIP_PORTS):
            raise ConfigError(f"{keys[0]}: {port} is a SIP port, which a transparent proxy intercepts: take another")
        return TransparentListener(
            listen, Method(flags.intercept or entry.intercept), Source(flags.source or entry.source)
        )
    if not entry.to:
        raise ConfigError(f"{keys[1]} is missing")
    side = entry.side or "inside"
    if side not in _SIDES:
        raise ConfigError(f"{keys[2]}: {side!r} is neither inside nor outside")
    return Listener(listen, resolve(entry.to, keys[1]), _SIDES[side], sip=ports is None)


def split_host_port(text: str, setting: str, lowest: int = 1) -> Address:
    """`HOST:PORT` taken apart; ConfigError naming `setting`."""
    host, colon, port = text.rpartition(":")
    if not (colon and host):
        raise ConfigError(f"{setting}: {text!r} is not HOST:PORT")
    return host, parse_port(port, setting, lowest)


def resolve(text: str, setting: str) -> Address:
    """The IPv4 address and port of a target, its name looked up; ConfigError if it has none."""
    host, port = split_host_port(text, setting)
    if ":" in host:
        raise ConfigError(f"{setting}: {host!r}: an IPv6 address; only IPv4 is translated")
    try:
        found: list[Any] = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{setting}: cannot resolve {host!r}: {getattr(error, 'strerror', None) or error}") from None
    return found[0][4][0], port
