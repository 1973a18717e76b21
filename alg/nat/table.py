"""The NAT table: which address and port stands for which on the other side.

Strategy: an address or an (address, port) in wire form comes in with its direction; what stands for it comes out, or
None. Three kinds of entry, asked in this order: static maps of one address and port, static maps of one address
(ports kept), and the pool, whose bindings are made as they are first asked for. Pool bindings are
endpoint-independent: one per inside (address, port) and protocol, whatever the far end (RFC 4787 4.1, RFC 5382 4.1),
and paired: an inside address stays with one pool address (RFC 4787 4.1, REQ-2).

Look-ups know no time: they leave a mark on a binding, what for it was wanted. Whoever has a clock calls `expire` every
few seconds: marked bindings live on from then, those whose time is over are released, and others may have their ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from netaddr import IPAddress, IPNetwork, IPSet

from alg.config import NatConfig, NatTimeouts
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


class Use(IntEnum):
    """What a binding is looked up for; the greater keeps it longer."""

    QUOTED = 0
    """An ICMP error is about it, which keeps nothing alive (RFC 5508 REQ-6)."""
    CARRIED = 1
    """It is the address of a packet or of a connection."""
    NAMED = 2
    """A message names it."""


FIRST_DYNAMIC_PORT = 1024
LAST_PORT = 65535
_MOST_PAIRS = 65536
"""Inside addresses that keep their pool address without a binding."""

_Key = tuple[Protocol, Endpoint]
_Ports = tuple[Protocol, bytes, int]
"""Those of a protocol, a pool address and a parity."""


@dataclass(slots=True)
class _Binding:
    protocol: Protocol
    inside: Endpoint
    outside: Endpoint
    mark: int
    """The greatest use since `expire` last came by."""
    expires: float = 0.0
    """seconds"""


class PoolBindings:
    """The bindings made so far; they outlive a change of configuration."""

    def __init__(self) -> None:
        self._of: tuple[dict[_Key, _Binding], dict[_Key, _Binding]] = ({}, {})
        """By inside and by outside endpoint; an inside host that had to move has older ones by outside endpoint."""
        self._paired: dict[bytes, bytes] = {}
        self._searched: dict[tuple[Protocol, bytes, int], int] = {}
        """Per protocol, pool address and wanted port, the port that was given last: the search goes on behind it."""
        self._full: set[_Ports] = set()
        """Where every port has been taken once: since then those that were released are all there are."""
        self._released: dict[_Ports, dict[int, None]] = {}

    def inside(self, protocol: Protocol, outside: Endpoint, use: Use) -> Endpoint | None:
        """Which inside endpoint an outside one stands for, if a binding was made."""
        binding = self._of[Direction.INWARD].get((protocol, outside))
        if binding is None:
            return None
        if binding.mark < use:  # noqa: PLR1730 - max() costs three times as much, for every address of every message
            binding.mark = use
        return binding.inside

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
                    self._add(_Binding(Protocol.UDP, here, there, Use.NAMED))
                return pair[0]
        return None

    def bind(
        self,
        protocol: Protocol,
        inside: Endpoint,
        address: bytes,
        reserved: frozenset[Endpoint],
        use: Use = Use.NAMED,
    ) -> Endpoint | None:
        """The binding of an inside endpoint on a pool address; None when the address has no port left.

        The same port where it is free; otherwise the next free one of the same parity (RFC 4787 4.2.2), so that an RTP
        port stays even.
        """
        bound = self._of[Direction.OUTWARD].get((protocol, inside))
        if bound is not None and bound.outside.address == address:
            if bound.mark < use:  # noqa: PLR1730 - as above
                bound.mark = use
            return bound.outside
        taken = self._of[Direction.INWARD]
        for port in self._candidates(protocol, address, inside.port):
            outside = Endpoint(address, port)
            if (protocol, outside) not in taken and outside not in reserved:
                self._searched[protocol, address, inside.port] = port
                self._add(_Binding(protocol, inside, outside, use))
                return outside
        return None

    def _candidates(self, protocol: Protocol, address: bytes, wanted: int) -> Iterator[int]:
        """Ports that may be free, in the order in which they are wanted."""
        ports = protocol, address, wanted % 2
        if ports in self._full:
            yield wanted
            released = self._released.get(ports, {})
            while released:
                yield released.popitem()[0]
            return
        yield from _candidate_ports(wanted, self._searched.get((protocol, address, wanted), wanted))
        self._full.add(ports)

    def _add(self, binding: _Binding) -> None:
        self._of[Direction.OUTWARD][binding.protocol, binding.inside] = binding
        self._of[Direction.INWARD][binding.protocol, binding.outside] = binding

    def expire(self, now: float, timeouts: NatTimeouts, in_use: Set[_Key]) -> None:
        """Release what nothing has used for its time; inside endpoints that are `in_use` are being used.

        `now` is in seconds of any clock that does not go backwards.
        """
        for binding in list(self._of[Direction.INWARD].values()):
            if binding.mark or (binding.protocol, binding.inside) in in_use:
                lifetime = timeouts.named if binding.mark == Use.NAMED else _idle_timeout(binding.protocol, timeouts)
                binding.expires = max(binding.expires, now + lifetime)
                binding.mark = 0
            elif binding.expires <= now:
                self._release(binding)
        if len(self._paired) > _MOST_PAIRS:
            hosts = {inside.address for _, inside in self._of[Direction.OUTWARD]}
            self._paired = {inside: address for inside, address in self._paired.items() if inside in hosts}

    def _release(self, binding: _Binding) -> None:
        del self._of[Direction.INWARD][binding.protocol, binding.outside]
        address, port = binding.outside
        if port >= FIRST_DYNAMIC_PORT:
            self._released.setdefault((binding.protocol, address, port % 2), {})[port] = None
        key = binding.protocol, binding.inside
        if self._of[Direction.OUTWARD].get(key) is binding:
            del self._of[Direction.OUTWARD][key]

    def __len__(self) -> int:
        return len(self._of[Direction.OUTWARD])


def _idle_timeout(protocol: Protocol, timeouts: NatTimeouts) -> float:
    """For how long a packet keeps a binding; while a TCP connection stands, whoever knows it says so."""
    if protocol is Protocol.TCP:
        return timeouts.tcp_transitory
    return timeouts.udp if protocol is Protocol.UDP else timeouts.icmp


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

    def exact(
        self, direction: Direction, protocol: Protocol, endpoint: Endpoint, use: Use = Use.NAMED
    ) -> Endpoint | None:
        """What stands for exactly this endpoint: a static map with ports, or a binding looked up from outside."""
        found = self._endpoints[direction].get(endpoint)
        if found is None and direction is Direction.INWARD:
            found = self.bindings.inside(protocol, endpoint, use)
        return found

    def endpoint(
        self, direction: Direction, protocol: Protocol, endpoint: Endpoint, use: Use = Use.NAMED
    ) -> Endpoint | None:
        """What stands for an endpoint by any kind of entry; outward the pool binds it if it has to."""
        return self.exact(direction, protocol, endpoint, use) or self.general(direction, protocol, endpoint, use)

    def media(self, direction: Direction, endpoint: Endpoint) -> Endpoint | None:
        """As `general`, for an RTP endpoint: the pool binds the next port, RTCP's, beside it."""
        address = self.address(direction, endpoint.address)
        if address is None or endpoint.address in self._addresses[direction]:
            return None if address is None else Endpoint(address, endpoint.port)
        return self.bindings.bind_pair(endpoint, address, self._reserved)

    def is_outside(self, address: bytes) -> bool:
        """Whether an address is one that inside hosts have outside."""
        return address in self._outside

    def general(
        self, direction: Direction, protocol: Protocol, endpoint: Endpoint, use: Use = Use.NAMED
    ) -> Endpoint | None:
        """What stands for an endpoint by the map of its address, or outward by the pool."""
        address = self.address(direction, endpoint.address)
        if address is None:
            return None
        if endpoint.address in self._addresses[direction]:
            return Endpoint(address, endpoint.port)
        return self.bindings.bind(protocol, endpoint, address, self._reserved, use)

    def expire(self, now: float, in_use: Set[tuple[Protocol, Endpoint]] = frozenset()) -> None:
        """Take back what the pool gave out for as long as nothing used it; see `PoolBindings.expire`."""
        self.bindings.expire(now, self.config.timeouts, in_use)

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
