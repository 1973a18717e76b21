"""The settings of an inspection that terminates TLS, from `[tls]` and the command line, and what they come to.

Strategy: one table of options; each flag wins over the key of the same name. Files are read once, at the start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

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
        help="terminate: append the secrets of both legs there (SSLKEYLOGFILE format, mode 0600). A --capture has them "
        "anyway.",
    ),
)
_NAMES = tuple(TlsSection.__struct_fields__)


def termination_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of termination."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def tls_section(section: TlsSection, options: dict[str, Any]) -> TlsSection:
    """The section with the flags that were given in place of its keys."""
    flags = {name: options[name] for name in _NAMES if options.get(name)}
    try:
        return msgspec.convert(msgspec.to_builtins(section) | flags, TlsSection)
    except msgspec.ValidationError as error:
        raise ConfigError(f"[tls]: {error}") from None


def flags_given(options: dict[str, Any]) -> list[str]:
    """The options of termination that the command line has."""
    return [
        f"--tls-{name.removesuffix('s') if name == 'names' else name.replace('_', '-')}"
        for name in _NAMES
        if options.get(name)
    ]


def terminator(section: TlsSection, key_log: Callable[[bytes], None], tap: Callable[[int], Tap] | None) -> Terminator:
    """What these settings come to; ConfigError for what contradicts itself or cannot be read."""
    if section.ca is None:
        raise ConfigError("--tls-inspect terminate: --tls-ca (or [tls] ca) is missing: certificate and key of the CA")
    identity = _identity(section.identity, "identity") if section.identity else None
    present = section.present
    if present is None:
        present = Present.GIVEN if identity else Present.NONE if section.ask is Ask.NEVER else Present.RESIGNED
    versions = TlsRange(section.lowest, section.highest)
    policy = BridgePolicy(
        ClientLegPolicy(section.ask, _roots(section.trust_clients, "trust_clients"), tuple(section.names), versions),
        ServerLegPolicy(
            present,
            identity,
            _roots(section.trust_servers, "trust_servers"),
            check_name=section.verify_name is not None,
            name=None if section.verify_name == _FROM_SNI else section.verify_name,
            tls=versions,
        ),
        section.on_failure,
        section.on_failure,
    )
    inspector = Inspector(Issuer(_identity(section.ca, "ca")), policy)
    return Terminator(inspector, lambda: datetime.now(UTC), key_log, tap)


def _identity(paths: tuple[str, str], key: str) -> Identity:
    setting = f"[tls] {key}"
    return Identity.parse(_read(paths[0], setting), _read(paths[1], setting), setting)


def _roots(path: str | None, key: str) -> Any:
    setting = f"[tls] {key}"
    return parse_certificates(_read(path, setting), setting) if path else ()


def _read(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as failure:
        raise ConfigError(f"{setting} {path}: {failure.strerror}") from None


def open_key_log(path: str) -> BinaryIO:
    """A key log that lines are appended to, readable by its owner only; ConfigError if it cannot be written."""
    try:
        return open(path, "ab", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))
    except OSError as failure:
        raise ConfigError(f"[tls] keylog {path}: {failure.strerror}") from None
