"""The transparent way in: connections to somebody else reach us, and leave us as somebody else's.

Strategy: the original destination, which TPROXY leaves in place and REDIRECT leaves with conntrack, is looked up among
the outside addresses of the NAT; where it is one, the inside endpoint that it stands for is the target, otherwise it is
the target itself. This holds for clients inside as well: that is NAT reflection, or hairpinning (RFC 5382 REQ-8; seed
000). What the client sends goes outward if its address is inside, otherwise inward. The server leg comes from where
`Source` says.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from twisted.internet import interfaces, protocol, tcp

from alg.config import AlgConfig
from alg.direction import Direction
from alg.edge.entrance import BACKLOG, Address, Path
from alg.edge.interception import Interception, Method
from alg.nat.table import Endpoint, NatTable, Protocol, Use

_SO_ORIGINAL_DST = 80
"""<linux/netfilter_ipv4.h>"""
_SOCKADDR_IN = struct.Struct("!2xH4s8x")


class Source(Enum):
    """What the server sees connections come from."""

    CLIENT = "client"
    """The client's address and port."""
    MAPPED = "mapped"
    """What the NAT makes of them; without an entry for them they stay."""
    OWN = "own"
    """An address of this machine, and any port."""


@dataclass(frozen=True, slots=True)
class TransparentListener:
    """Listens for intercepted connections."""

    listen: Address
    method: Method = Method.TPROXY
    source: Source = Source.MAPPED
    sip: bool = False

    def open(self, reactor: Any, factory: protocol.ServerFactory) -> interfaces.IListeningPort:
        """A port that takes connections to any address, if the kernel hands it such."""
        host, port = self.listen
        kind = _TransparentPort if self.method is Method.TPROXY else tcp.Port
        listening = kind(port, factory, BACKLOG, host, reactor)
        listening.startListening()
        return listening

    def path(self, transport: Any, bound: Address, table: NatTable) -> Path:
        """From the addresses of the connection."""
        called = self._called(transport)
        peer = transport.getPeer()
        client = _endpoint((peer.host, peer.port))
        side = Direction.OUTWARD if table.is_inside(client.address) else Direction.INWARD
        if called[1] == bound[1]:
            return Path(called, called, side, refusal="it was not intercepted, but made to the proxy itself")
        target: Endpoint | None = _endpoint(called)
        if table.is_outside(called[0].encode()):
            target = table.endpoint(Direction.INWARD, Protocol.TCP, _endpoint(called), Use.CARRIED)
        if target is None:
            return Path(called, called, side, refusal="no inside endpoint has this address and port")
        source = self._source(client, side, table)
        if source is None:
            return Path(called, called, side, refusal="the pool has no port left")
        return Path(called, _address(target), side, _address(source))

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> interfaces.IConnector:
        """From an address that may be anybody's."""
        kind = tcp.Connector if self.source is Source.OWN else _TransparentConnector
        source = None if self.source is Source.OWN else path.source
        connector = kind(*path.target, factory, timeout, source, reactor)
        connector.connect()
        return connector

    def interception(self, bound: Address, config: AlgConfig) -> Interception:
        """What the kernel is to hand over: this configuration's SIP ports and outside addresses."""
        outside = {*(entry.outside for entry in config.nat.maps), *config.nat.pool}
        return Interception(
            self.method, bound, tuple(sorted(config.sip_ports)), tuple(str(address) for address in sorted(outside))
        )

    def _called(self, transport: Any) -> Address:
        """The original destination; where there is none, our own address."""
        if self.method is Method.REDIRECT:
            with suppress(OSError):
                sockaddr = transport.getHandle().getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, _SOCKADDR_IN.size)
                port, address = _SOCKADDR_IN.unpack(sockaddr)
                return socket.inet_ntoa(address), port
        host = transport.getHost()
        return host.host, host.port

    def _source(self, client: Endpoint, side: Direction, table: NatTable) -> Endpoint | None:
        """What a connection of this client comes from; None if the pool is exhausted."""
        if self.source is not Source.MAPPED:
            return client
        mapped = table.endpoint(side, Protocol.TCP, client, Use.CARRIED)
        if mapped is None and table.address(side, client.address) is None:
            return client
        return mapped


def _endpoint(address: Address) -> Endpoint:
    return Endpoint(address[0].encode(), address[1])


def _address(endpoint: Endpoint) -> Address:
    return endpoint.address.decode(), endpoint.port


def _transparent(create: Callable[[], socket.socket]) -> socket.socket:
    """A socket that may have addresses of others (ip(7), IP_TRANSPARENT), those in TIME_WAIT included."""
    sock = create()
    try:
        sock.setsockopt(socket.SOL_IP, socket.IP_TRANSPARENT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        sock.close()
        raise
    return sock


class _TransparentPort(tcp.Port):
    def createInternetSocket(self) -> socket.socket:  # noqa: N802 - Twisted's
        return _transparent(super().createInternetSocket)


class _TransparentClient(tcp.Client):
    def createInternetSocket(self) -> socket.socket:  # noqa: N802 - Twisted's
        return _transparent(super().createInternetSocket)


class _TransparentConnector(tcp.Connector):
    def _makeTransport(self) -> tcp.Client:  # noqa: N802 - Twisted's
        return _TransparentClient(  # type: ignore[no-untyped-call]
            self.host, self.port, self.bindAddress, self, self.reactor
        )
