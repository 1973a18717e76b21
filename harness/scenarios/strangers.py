"""Real peers in scenarios: who they are, where they find the built-in ones, and what they need.

Strategy: whoever is not on this machine is not reached from loopback and does not reach it. For such a peer the
network of the run is one that the user names; its 254 addresses have to be this machine's, and the way to it known to
the peer: on Linux, `ip route add local 10.9.8.0/24 dev lo`, and a route on the other side.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.scenarios.scenario import Scenario
from harness.scenarios.stage import Network
from harness.settings import resolve

_LONGEST_WAIT: Final = 86400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Strangers:
    """All of one run."""

    peers: Mapping[str, Address] = field(default_factory=dict)
    """By the names of their parts."""
    wait: float = 60.0
    """Seconds that they have for what they do of their own accord."""
    network: str = ""
    """Where the built-in peers are that they talk to, such as `10.9.8`; empty for loopback."""
    certificates: str = ""
    """The directory of those that they know; empty for new ones."""

    @property
    def alone(self) -> bool:
        """One scenario at a time: who is on one call may be busy for another, and a network is had once."""
        return bool(self.peers or self.network)

    @classmethod
    def parse(cls, peers: Iterable[str], wait: float, network: str | None, certificates: str | None) -> Strangers:
        """Values of `--peer`, `--wait`, `--network` and `--certs`; ConfigError that names the one that cannot be."""
        named = [_peer(text) for text in peers]
        found = dict(named)
        twice = next((name for name in found if [each for each, _ in named].count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"--peer {twice}: given twice")
        if not 0 < wait <= _LONGEST_WAIT:
            raise ConfigError(f"--wait {wait:g}: not between 0 and {_LONGEST_WAIT:g} seconds")
        prefix = _prefix(network) if network is not None else ""
        far = next((name for name, (host, _) in found.items() if not _is_loopback(host)), None)
        if far is not None and not prefix:
            raise ConfigError(
                f"--peer {far}: {found[far][0]} cannot be reached from loopback, where the other peers are; give "
                "--network NET, a /24 of which this machine has all addresses"
            )
        if certificates is not None and not Path(certificates).is_dir():
            raise ConfigError(f"--certs {certificates}: no directory; `sipalg certs make` writes one")
        return cls(found, wait, prefix, certificates or "")

    def admit(self, scenarios: Iterable[Scenario]) -> None:
        """ConfigError if one of them has a part in a scenario that needs certificates, and there are none."""
        if self.certificates:
            return
        for scenario in scenarios:
            for part in scenario.parts:
                if part.tls and part.name in self.peers:
                    raise ConfigError(
                        f"--peer {part.name}: speaks TLS in {scenario.name}, and has to know certificates before; give "
                        "--certs DIR, which `sipalg certs make DIR` writes"
                    )


def _peer(text: str) -> tuple[str, Address]:
    name, equals, address = text.partition("=")
    if not (name and equals):
        raise ConfigError(f"--peer {text}: not NAME=HOST:PORT")
    return name, resolve(address, f"--peer {name}")


def _prefix(text: str) -> str:
    """The first three numbers of a network whose addresses are here."""
    if ":" in text:
        raise ConfigError(f"--network {text}: an IPv6 network; only IPv4 is translated")
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ConfigError(f"--network {text}: {error}") from None
    if network.prefixlen != 24:
        raise ConfigError(f"--network {text}: not a /24")
    prefix = str(network.network_address).rpartition(".")[0]
    try:
        with Network([prefix]):
            return prefix
    except OSError as error:
        remedy = f"; try `ip route add local {network} dev lo`" if error.errno == errno.EADDRNOTAVAIL else ""
        raise ConfigError(f"--network {text}: {error.args[-1]}{remedy}") from None


def _is_loopback(host: str) -> bool:
    return ipaddress.IPv4Address(host).is_loopback
