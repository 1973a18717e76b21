"""Who stands where in a lab: an inside, a router, an outside, and their addresses.

Strategy: addresses such as 10.0.30.2/24 come in, one or more per side; iproute2 batches come out. Each side is one
namespace with one interface that has all addresses of the side, and a default route to the router. The router has an
interface per side, named after it, with a gateway address in each of the side's networks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netaddr import AddrFormatError, IPAddress, IPNetwork

from alg.errors import ConfigError

ROUTER = "router"
ENDPOINT_DEVICE = "eth0"
"""The one interface of an endpoint's namespace."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the router."""

    name: str
    """Also the name of the router's interface towards it."""
    addresses: tuple[IPNetwork, ...]
    """Its endpoints, each with its prefix length: 10.0.30.2/24."""

    @classmethod
    def parse(cls, name: str, texts: tuple[str, ...]) -> Side:
        """Addresses as people write them; ConfigError naming `--NAME`."""
        return cls(name, tuple(_parse_address(text, f"--{name}") for text in texts))

    def gateways(self) -> tuple[IPNetwork, ...]:
        """The router's address in each network: the first that no endpoint has."""
        taken = {address.ip for address in self.addresses}
        networks = dict.fromkeys(address.cidr for address in self.addresses)
        found = []
        for network in networks:
            free = next((host for host in network.iter_hosts() if host not in taken), None)
            if free is None:
                raise ConfigError(f"--{self.name}: {network} has no address left for the router")
            found.append(IPNetwork(f"{free}/{network.prefixlen}"))
        return tuple(found)


INSIDE = Side("inside", (IPNetwork("10.0.30.2/24"),))
"""The Expressway-C of seed 000."""
OUTSIDE = Side("outside", (IPNetwork("203.0.113.20/24"),))
"""TEST-NET-3 (RFC 5737)."""


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole lab."""

    name: str = ""
    """Tells labs of one machine apart."""
    sides: tuple[Side, ...] = (INSIDE, OUTSIDE)

    def __post_init__(self) -> None:
        if self.name and not _NAME.fullmatch(self.name):
            raise ConfigError(f"--name: {self.name!r} has more than small letters, digits and hyphens")
        seen: dict[IPNetwork, str] = {}
        for side in self.sides:
            for network in {address.cidr for address in side.addresses}:
                for other, owner in seen.items():
                    if owner != side.name and (network in other or other in network):
                        raise ConfigError(f"--{side.name}: {network} overlaps {other} of --{owner}")
                seen[network] = side.name

    @property
    def places(self) -> tuple[str, ...]:
        """The namespaces by what they are: inside, router, outside."""
        return (self.sides[0].name, ROUTER, *(side.name for side in self.sides[1:]))

    def namespace(self, place: str) -> str:
        """The name that iproute2 knows a namespace by."""
        return "-".join(part for part in ("sipalg", self.name, place) if part)

    def addresses(self, place: str) -> dict[str, frozenset[str]]:
        """By device: the addresses that a namespace has when the lab is up."""
        if place == ROUTER:
            return {side.name: _texts(side.gateways()) for side in self.sides}
        return {ENDPOINT_DEVICE: _texts(self._side(place).addresses)}

    def gateway(self, place: str) -> IPAddress:
        """Where an endpoint's default route goes."""
        return self._side(place).gateways()[0].ip

    def batches(self) -> dict[str, str]:
        """By place: what `ip -batch` has to do there, in this order; the namespaces exist already."""
        lines = {ROUTER: ["link set lo up"]}
        for side in self.sides:
            peer = self.namespace(side.name)
            lines[ROUTER].append(f"link add {side.name} type veth peer name {ENDPOINT_DEVICE} netns {peer}")
            lines[ROUTER] += _configure(side.name, side.gateways())
            lines[side.name] = ["link set lo up", *_configure(ENDPOINT_DEVICE, side.addresses)]
            lines[side.name].append(f"route add default via {self.gateway(side.name)}")
        return {place: "\n".join(batch) for place, batch in lines.items()}

    def _side(self, place: str) -> Side:
        return next(side for side in self.sides if side.name == place)


def _configure(device: str, addresses: tuple[IPNetwork, ...]) -> list[str]:
    return [*(f"address add {address} dev {device}" for address in addresses), f"link set {device} up"]


def _texts(addresses: tuple[IPNetwork, ...]) -> frozenset[str]:
    return frozenset(str(address) for address in addresses)


def _parse_address(text: str, setting: str) -> IPNetwork:
    address, slash, _ = text.partition("/")
    try:
        parsed = IPNetwork(text)
    except (AddrFormatError, ValueError):
        raise ConfigError(f"{setting}: {text!r} is no ADDRESS/LENGTH such as 10.0.30.2/24") from None
    if not slash or parsed.version != 4 or str(parsed.ip) != address:
        raise ConfigError(f"{setting}: {text!r} is no ADDRESS/LENGTH such as 10.0.30.2/24")
    if parsed.prefixlen > 30 or parsed.ip in (parsed.network, parsed.broadcast):
        raise ConfigError(f"{setting}: {text!r} is no host of a network with room for a router")
    return parsed
