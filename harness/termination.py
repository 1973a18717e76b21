"""The settings of an inspection that terminates TLS, from `[tls]` and the command line, and what they come to.

Strategy: one table of options; each flag wins over the key of the same name. Files are read once, when the settings
are, and an error calls a setting what it is called where it was set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from cryptography.x509 import Certificate

from alg.edge.observing import Tap
from alg.edge.terminating import Terminator
from alg.errors import ConfigError
from alg.tls.bridge import Inspector
from alg.tls.issuer import Issuer
from alg.tls.policy import (
    Ask,
    BridgePolicy,
    ClientLegPolicy,
    Identity,
    OnFailure,
    Present,
    ServerLegPolicy,
    TlsRange,
    TlsVersion,
    parse_certificates,
)

_FROM_SNI = "sni"


class TlsSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[tls]`: paths are of PEM files."""

    ca: tuple[str, str] | None = None
    """Certificate (with its chain behind it) and key of the inspecting CA."""
    names: list[str] = []
    ask: Ask = Ask.FOLLOW
    present: Present | None = None
    identity: tuple[str, str] | None = None
    """Certificate and key for `present = "given"`."""
    trust_clients: str | None = None
    trust_servers: str | None = None
    verify_name: str | None = None
    lowest: TlsVersion = TlsVersion.TLS_1_2
    highest: TlsVersion = TlsVersion.TLS_1_3
    on_failure: OnFailure = OnFailure.ALERT
    ciphers: str | None = None
    """An OpenSSL cipher list for TLS up to 1.2; versions below 1.2 need one that ends in `@SECLEVEL=0`."""
    keylog: str | None = None


_OPTIONS = (
    click.option(
        "--tls-ca",
        "ca",
        nargs=2,
        metavar="CERT KEY",
        help="terminate: the firewall's CA (PEM), which signs the certificates that it shows; `sipalg certs make` "
        "makes one called firewall-root.",
    ),
    click.option(
        "--tls-name",
        "names",
        multiple=True,
        metavar="NAME",
        help="terminate: names in the certificate shown to clients, in place of those of the server's. Repeatable.",
    ),
    click.option(
        "--tls-ask",
        "ask",
        type=click.Choice([each.value for each in Ask]),
        help="terminate: whether the client is asked for its certificate.  [default: follow, as the server does]",
    ),
    click.option(
        "--tls-present",
        "present",
        type=click.Choice([each.value for each in Present]),
        help="terminate: what the server is shown when it asks: the client's certificate re-signed, a given one, or "
        "none, which is the usual way inspection breaks mutual TLS.  [default: resigned]",
    ),
    click.option(
        "--tls-identity", "identity", nargs=2, metavar="CERT KEY", help="terminate: what --tls-present given shows."
    ),
    click.option(
        "--tls-trust-clients", "trust_clients", metavar="CAFILE", help="terminate: verify clients against these roots."
    ),
    click.option(
        "--tls-trust-servers", "trust_servers", metavar="CAFILE", help="terminate: verify servers against these roots."
    ),
    click.option(
        "--tls-verify-name",
        "verify_name",
        metavar="NAME",
        help="terminate: the name that the server's certificate must have; `sni`: the one that the client asked for.",
    ),
    click.option(
        "--tls-highest",
        "highest",
        type=click.Choice([each.value for each in TlsVersion]),
        help="terminate: highest TLS version on both legs.  [default: 1.3]",
    ),
    click.option(
        "--tls-on-failure",
        "on_failure",
        type=click.Choice([each.value for each in OnFailure]),
        help="terminate: how both legs end when the inspection fails.  [default: alert]",
    ),
    click.option(
        "--tls-keylog",
        "keylog",
        metavar="FILE",
        help="terminate: append the secrets of both legs there, in SSLKEYLOGFILE format; a new file gets mode 0600. A "
        "--capture has them anyway.",
    ),
)
_KEYS = tuple(TlsSection.__struct_fields__)


def termination_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of termination."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Termination:
    """The settings, and which of them the command line has."""

    section: TlsSection
    flags: frozenset[str]
    """Keys."""

    @classmethod
    def read(cls, section: TlsSection, options: dict[str, Any]) -> Termination:
        """A section with the flags that were given in place of its keys."""
        flags = {key: options[key] for key in _KEYS if options.get(key)}
        try:
            merged = msgspec.convert(msgspec.to_builtins(section) | flags, TlsSection)
        except msgspec.ValidationError as error:
            raise ConfigError(f"[tls]: {error}") from None
        return cls(merged, frozenset(flags))

    def name(self, key: str) -> str:
        """What a key is called where it was set."""
        return flag_name(key) if key in self.flags else f"[tls] {key}"

    def terminator(self, key_log: Callable[[bytes], None], tap: Callable[[int], Tap] | None) -> Terminator:
        """What the settings come to; ConfigError for what contradicts itself or cannot be read."""
        section = self.section
        if section.ca is None:
            raise ConfigError(
                "--tls-inspect terminate: --tls-ca (or [tls] ca) is missing: certificate and key of the CA"
            )
        self._expect_harmony()
        authority = self._identity("ca", section.ca)
        policy = self._policy()
        with _named(self.name("ca")):
            issuer = Issuer(authority)
        with _named("[tls]"):
            return Terminator(Inspector(issuer, policy), _now, key_log, tap)

    @property
    def _present(self) -> Present:
        section = self.section
        if section.present is not None:
            return section.present
        return Present.GIVEN if section.identity else Present.NONE if section.ask is Ask.NEVER else Present.RESIGNED

    def _expect_harmony(self) -> None:
        """ConfigError for settings that contradict each other."""
        section, name, present = self.section, self.name, self._present
        never = f"{name('ask')} is never"
        if present is Present.GIVEN and not section.identity:
            raise ConfigError(f"{name('present')} given: --tls-identity (or [tls] identity) is missing")
        if section.identity and present is not Present.GIVEN:
            raise ConfigError(f"{name('identity')}: not shown, as {name('present')} is {present.value}")
        if section.ask is Ask.NEVER and present is Present.RESIGNED:
            raise ConfigError(f"{name('present')} resigned: nothing to re-sign, as {never}")
        if section.ask is Ask.NEVER and section.trust_clients:
            raise ConfigError(f"{name('trust_clients')}: nothing to verify, as {never}")
        if section.verify_name and not section.trust_servers:
            raise ConfigError(f"{name('verify_name')}: --tls-trust-servers (or [tls] trust_servers) is missing")
        if list(TlsVersion).index(section.lowest) > list(TlsVersion).index(section.highest):
            raise ConfigError(f"{name('highest')} {section.highest.value}: {name('lowest')} is {section.lowest.value}")

    def _policy(self) -> BridgePolicy:
        section = self.section
        versions = TlsRange(section.lowest, section.highest, section.ciphers)
        clients = self._roots("trust_clients", section.trust_clients)
        servers = self._roots("trust_servers", section.trust_servers)
        given = self._identity("identity", section.identity) if section.identity else None
        name = None if section.verify_name == _FROM_SNI else section.verify_name
        with _named(self.name("names")):
            client = ClientLegPolicy(section.ask, clients, tuple(section.names), versions)
        with _named(self.name("verify_name")):
            server = ServerLegPolicy(
                self._present, given, servers, check_name=bool(section.verify_name), name=name, tls=versions
            )
        return BridgePolicy(client, server, section.on_failure, section.on_failure)

    def _identity(self, key: str, paths: tuple[str, str]) -> Identity:
        name = self.name(key)
        certificates, private = (_content(path, name) for path in paths)
        return Identity.parse(certificates, private, name)

    def _roots(self, key: str, path: str | None) -> tuple[Certificate, ...]:
        name = self.name(key)
        return parse_certificates(_content(path, name), f"{name} {path}") if path else ()


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """What is found wrong here is called by the name of its setting."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from None


def flag_name(key: str) -> str:
    """The option that stands for a key of `[tls]`."""
    return "--tls-name" if key == "names" else f"--tls-{key.replace('_', '-')}"


def flags_given(options: dict[str, Any]) -> list[str]:
    """The options of termination that the command line has."""
    return [flag_name(key) for key in _KEYS if options.get(key)]


def _now() -> datetime:
    return datetime.now(UTC)


def _content(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as failure:
        raise ConfigError(f"{setting} {path}: {failure.strerror}") from None
