"""Where a connection goes, from its addresses and the NAT: the explicit entrance and the transparent one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from alg.config import AddressMap, NatConfig, parse_address, parse_network
from alg.direction import Direction
from alg.edge.entrance import Address, Listener, Path
from alg.edge.transparent import Source, TransparentListener
from alg.nat.table import Endpoint, NatTable, Protocol

BOUND: Address = ("0.0.0.0", 15060)
CLIENT: Address = ("10.0.30.2", 40000)
SERVER: Address = ("203.0.113.20", 5060)
NET = parse_network("10.0.30.0/24", "")
POOL = NatConfig(pool=(parse_address("203.0.113.10", ""),), inside=(NET,))


@dataclass
class Accepted:
    """The transport of a connection that TPROXY has handed over."""

    peer: Address
    host: Address

    def getPeer(self) -> IPv4Address:  # noqa: N802 - Twisted's
        """The client."""
        return IPv4Address("TCP", *self.peer)

    def getHost(self) -> IPv4Address:  # noqa: N802 - Twisted's
        """What it connected to."""
        return IPv4Address("TCP", *self.host)


def path(peer: Address, host: Address, nat: NatConfig, **options: Any) -> Path:
    """The path of a connection through a transparent entrance."""
    return TransparentListener(BOUND, **options).path(Accepted(peer, host), BOUND, NatTable(nat))


def static(*maps: str) -> NatConfig:
    """A configuration of static maps."""
    return NatConfig(tuple(map(AddressMap.parse, maps)), inside=(NET,))


def test_the_explicit_entrance() -> None:
    """Everybody goes to the same target, from whatever address the kernel takes."""
    listener = Listener(("0.0.0.0", 5060), SERVER, Direction.INWARD)
    found = listener.path(Accepted(CLIENT, ("127.0.0.1", 5060)), ("0.0.0.0", 5060), NatTable(NatConfig()))
    assert found == Path(("127.0.0.1", 5060), SERVER, Direction.INWARD)


@pytest.mark.parametrize(
    ("source", "seen"),
    [(Source.CLIENT, CLIENT), (Source.MAPPED, ("203.0.113.10", 40000))],
)
def test_outward(source: Source, seen: Address) -> None:
    """The target is what the client connected to."""
    assert path(CLIENT, SERVER, POOL, source=source) == Path(SERVER, SERVER, Direction.OUTWARD, seen)


def test_a_map_of_one_port_translates_that_port_only() -> None:
    """Another port of the same client stays."""
    nat = static("10.0.30.2:27901=64.100.0.10:4401")
    assert path(("10.0.30.2", 27901), SERVER, nat).source == ("64.100.0.10", 4401)
    assert path(CLIENT, SERVER, nat).source == CLIENT


def test_inward() -> None:
    """An outside address leads to the endpoint behind it; the caller keeps its own address."""
    caller = ("203.0.113.20", 40000)
    found = path(caller, ("64.100.0.10", 5060), static("10.0.30.2=64.100.0.10"))
    assert found == Path(("64.100.0.10", 5060), ("10.0.30.2", 5060), Direction.INWARD, caller)


def test_inward_without_a_map() -> None:
    """An inside address that is called as it is, is the target."""
    caller = ("203.0.113.20", 40000)
    assert path(caller, ("10.0.30.2", 5060), NatConfig(inside=(NET,))).target == ("10.0.30.2", 5060)


def test_inward_through_the_pool() -> None:
    """A binding leads inside, a port without one leads nowhere."""
    table = NatTable(POOL)
    table.endpoint(Direction.OUTWARD, Protocol.TCP, Endpoint(b"10.0.30.2", 5060))
    entrance, caller = TransparentListener(BOUND), ("203.0.113.20", 40000)
    assert entrance.path(Accepted(caller, ("203.0.113.10", 5060)), BOUND, table).target == ("10.0.30.2", 5060)
    stray = entrance.path(Accepted(caller, ("203.0.113.10", 5070)), BOUND, table)
    assert stray.refusal == "no inside endpoint has this address and port"


def test_reflection() -> None:
    """A client inside that calls an outside address is translated at both ends (seed 000)."""
    nat = static("10.0.10.2=64.100.0.10", "10.0.30.2:27901=64.100.0.10:4401")
    found = path(("10.0.30.2", 27901), ("64.100.0.10", 7003), nat)
    assert found == Path(("64.100.0.10", 7003), ("10.0.10.2", 7003), Direction.OUTWARD, ("64.100.0.10", 4401))


def test_a_pool_without_a_free_port() -> None:
    """The connection is refused, not sent on with its inside address."""
    table = NatTable(POOL)
    for port in range(1, 65536):
        table.endpoint(Direction.OUTWARD, Protocol.TCP, Endpoint(b"10.0.30.3", port))
    assert TransparentListener(BOUND).path(Accepted(CLIENT, SERVER), BOUND, table).refusal == (
        "the pool has no port left"
    )


def test_a_connection_to_the_proxy_itself() -> None:
    """What was not intercepted would lead back to us."""
    found = path(CLIENT, ("10.0.30.1", 15060), POOL)
    assert found.refusal == "it was not intercepted, but made to the proxy itself"
