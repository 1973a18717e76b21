"""The NAT table: which address and port stands for which on the other side.

Strategy: an address or an (address, port) in wire form comes in with its direction; what stands for it comes out, or
None. Three kinds of entry, asked in this order: static maps of one address and port, static maps of one address
(ports kept), and the pool, whose bindings are made as they are first asked for. Pool bindings are
endpoint-independent: one per inside (address, port) and protocol, whatever the far end (RFC 4787 4.1, RFC 5382 4.1),
and paired: an inside address stays with one pool address (RFC 4787 4.1, REQ-2).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from netaddr import IPAddress, IPNetwork, IPSet

from alg.config import NatConfig
from alg.direction import Direction
from alg.errors import ConfigError
from alg.nat.finder import FindAddresses, address_finder


class Endpoint(NamedTuple):
    """A transport address in wire form."""

    address: bytes
    """Dotted decimal."""
    port: int

    def __str__(self) -> str:
        return f"{self.address.decode()}:{self.port}"


class Protocol(Enum):
    """Bindings of different protocols do not share ports."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    """Its port is the identifier of a query (RFC 5508 3.1)."""


FIRST_DYNAMIC_PORT = 1024
LAST_PORT = 65535


class PoolBindings:
    """The bindings made so far; they outlive a change of configuration."""

    def __init__(self) -> None:
        self._of: tuple[dict[tuple[Protocol, Endpoint], Endpoint], dict[tuple[Protocol, Endpoint], Endpoint]] = ({}, {})
        self._paired: dict[bytes, bytes] = {}
        self._searched: dict[tuple[Protocol, bytes, int], int] = {}
        """Per protocol, pool address and wanted port, the port that was given last: those before it are taken."""

    def get(self, direction: Direction, protocol: Protocol, endpoint: Endpoint) -> Endpoint | None:
        """What stands for an endpoint, if a binding was made."""
        return self._of[direction].get((protocol, endpoint))

    def pool_address(self, inside: bytes, pool: list[bytes]) -> bytes:
        """The pool address that an inside address is paired with; new ones go round the pool."""
        paired = self._paired.get(inside)
        if paired not in pool:
            paired = self._paired[inside] = pool[len(self._paired) % len(pool)]
        return paired

    def bind_pair(self, inside: Endpoint, address: bytes, reserved: frozenset[Endpoint]) -> Endpoint | None:
        """The binding of an RTP endpoint over UDP, and on the next port that of its RTCP (RFC 4787 4.2.3)."""
        bound = self._of[Direction.OUTWARD]
        taken = self._of[Direction.INWARD]
        beside = Endpoint(inside.address, inside.port + 1)
        if (Protocol.UDP, inside) in bound or (Protocol.UDP, beside) in bound:
            self.bind(Protocol.UDP, beside, address, reserved)
            return self.bind(Protocol.UDP, inside, address, reserved)
        for port in _candidate_ports(inside.port, inside.port):
            pair = Endpoint(address, port), Endpoint(address, port + 1)
            if port < LAST_PORT and not any((Protocol.UDP, end) in taken or end in reserved for end in pair):
                for here, there in zip((inside, beside), pair, strict=True):
                    bound[Protocol.UDP, here] = there
                    taken[Protocol.UDP, there] = here
                return pair[0]
        return None

    def bind(
        self, protocol: Protocol, inside: Endpoint, address: bytes, reserved: frozenset[Endpoint]
    ) -> Endpoint | None:
        """The binding of an inside endpoint on a pool address; None when the address has no port left.

        The same port where it is free; otherwise the next free one of the same parity (RFC 4787 4.2.2), so that an RTP
        port stays even.
        """
        bound = self._of[Direction.OUTWARD].get((protocol, inside))
        if bound is not None and bound.address == address:
            return bound
        taken = self._of[Direction.INWARD]
        search = protocol, address, inside.port
        for port in _candidate_ports(inside.port, self._searched.get(search, inside.port)):
            outside = Endpoint(address, port)
            if (protocol, outside) not in taken and outside not in reserved:
                self._searched[search] = port
                self._of[Direction.OUTWARD][protocol, inside] = outside
                taken[protocol, outside] = inside
                return outside
        return None

    def __len__(self) -> int:
        return len(self._of[Direction.OUTWARD])


def _candidate_ports(wanted: int, last: int) -> Iterator[int]:
    """The port itself, then from the last one upwards and around, keeping its parity, above the well-known ports."""
    yield wanted
    lowest = FIRST_DYNAMIC_PORT + wanted % 2
    start = max(last + 2, lowest)
    yield from range(start, LAST_PORT + 1, 2)
    yield from range(lowest, start, 2)


class NatTable:
    """The translations of one configuration, with the bindings made under it."""

    def __init__(self, config: NatConfig, bindings: PoolBindings | None = None) -> None:
        self.config = config
        self.bindings = bindings if bindings is not None else PoolBindings()
        self._addresses: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
        self._endpoints: tuple[dict[Endpoint, Endpoint], dict[Endpoint, Endpoint]] = ({}, {})
        for entry in config.maps:
            inside, outside = str(entry.inside).encode(), str(entry.outside).encode()
            for address in (entry.inside, entry.outside):
                if _never_mapped(address):
                    raise ConfigError(f"map {entry}: {address} cannot be mapped")
            if entry.inside_port is not None and entry.outside_port is not None:
                here, there = Endpoint(inside, entry.inside_port), Endpoint(outside, entry.outside_port)
                self._endpoints[Direction.OUTWARD][here] = there
                self._endpoints[Direction.INWARD][there] = here
            else:
                self._addresses[Direction.OUTWARD][inside] = outside
                self._addresses[Direction.INWARD][outside] = inside
        self._pool = [str(address).encode() for address in config.pool]
        self._networks = IPSet(config.inside)
        self._outside = {*self._pool, *self._addresses[Direction.INWARD]}
        self._outside |= {endpoint.address for endpoint in self._endpoints[Direction.INWARD]}
        self._reserved = frozenset(self._endpoints[Direction.INWARD])
        self._is_inside: dict[bytes, bool] = {}
        self.fixed = tuple(self._port_independent(direction) for direction in Direction)
        """Per direction: the addresses whose translation does not depend on a port."""
        self.find = tuple(self._finder(direction) for direction in Direction)
        """Per direction: the function that finds addresses worth asking about."""

    def _port_independent(self, direction: Direction) -> dict[bytes, bytes]:
        with_ports = {endpoint.address for endpoint in self._endpoints[direction]}
        return {old: new for old, new in self._addresses[direction].items() if old not in with_ports}

    def _finder(self, direction: Direction) -> FindAddresses:
        literals = {*self._addresses[direction], *(endpoint.address for endpoint in self._endpoints[direction])}
        if not self._pool:
            return address_finder(literals)
        if direction is Direction.INWARD:
            return address_finder(literals | set(self._pool))
        return address_finder(literals, {_leading_octets(network) for network in self.config.inside})

    def address(self, direction: Direction, address: bytes) -> bytes | None:
        """What stands for an address where no port is known: a static map, or outward the pool."""
        fixed = self._addresses[direction].get(address)
        if fixed is not None or direction is Direction.INWARD or not self._pool_translates(address):
            return fixed
        return self.bindings.pool_address(address, self._pool)

    def is_inside(self, address: bytes) -> bool:
        """Whether an address is of a network that the pool translates, if there is one."""
        return self._contains(address)

    def exact(self, direction: Direction, protocol: Protocol, endpoint: Endpoint) -> Endpoint | None:
        """What stands for exactly this endpoint: a static map with ports, or a binding looked up from outside."""
        found = self._endpoints[direction].get(endpoint)
        if found is None and direction is Direction.INWARD:
            found = self.bindings.get(direction, protocol, endpoint)
        return found

    def endpoint(self, direction: Direction, protocol: Protocol, endpoint: Endpoint) -> Endpoint | None:
        """What stands for an endpoint by any kind of entry; outward the pool binds it if it has to."""
        return self.exact(direction, protocol, endpoint) or self.general(direction, protocol, endpoint)

    def media(self, direction: Direction, endpoint: Endpoint) -> Endpoint | None:
        """As `general`, for an RTP endpoint: the pool binds the next port, RTCP's, beside it."""
        address = self.address(direction, endpoint.address)
        if address is None or endpoint.address in self._addresses[direction]:
            return None if address is None else Endpoint(address, endpoint.port)
        return self.bindings.bind_pair(endpoint, address, self._reserved)

    def is_outside(self, address: bytes) -> bool:
        """Whether an address is one that inside hosts have outside."""
        return address in self._outside

    def general(self, direction: Direction, protocol: Protocol, endpoint: Endpoint) -> Endpoint | None:
        """What stands for an endpoint by the map of its address, or outward by the pool."""
        address = self.address(direction, endpoint.address)
        if address is None:
            return None
        if endpoint.address in self._addresses[direction]:
            return Endpoint(address, endpoint.port)
        return self.bindings.bind(protocol, endpoint, address, self._reserved)

    def _pool_translates(self, address: bytes) -> bool:
        """Whether the pool takes this address; remembered per address."""
        if not self._pool or address in self._outside:
            return False
        known = self._is_inside.get(address)
        if known is None:
            if len(self._is_inside) > 65536:
                self._is_inside.clear()
            known = self._is_inside[address] = _is_canonical(address) and self._contains(address)
        return known

    def _contains(self, address: bytes) -> bool:
        parsed = IPAddress(address.decode())
        return parsed in self._networks and not _never_mapped(parsed)


def _is_canonical(address: bytes) -> bool:
    """Four octets from 0 to 255 without leading zeros."""
    return all(octet == b"%d" % int(octet) and int(octet) <= 255 for octet in address.split(b"."))


def _never_mapped(address: IPAddress) -> bool:
    """0.0.0.0 and multicast stand for no host."""
    return bool(int(address) == 0 or address.is_multicast())


def _leading_octets(network: IPNetwork) -> bytes:
    """The octets that all addresses of a network begin with, each with its dot: b"10.0.30." for 10.0.30.0/24."""
    whole = network.prefixlen // 8
    return b"".join(b"%s." % octet for octet in str(network.network).encode().split(b".")[: min(whole, 3)])
