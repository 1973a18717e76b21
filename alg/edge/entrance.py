"""Where connections come in, and how it is known where each one goes.

Strategy: an entrance opens a port, tells the path of a connection that was accepted there, and makes the connection to
its target. `Listener` is the explicit one: everybody goes to the same target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

from twisted.internet import interfaces, protocol

from alg.direction import Direction
from alg.nat.table import NatTable

Address = tuple[str, int]

BACKLOG = 1024
"""Connections that wait to be accepted."""


@dataclass(frozen=True, slots=True)
class Path:
    """Where one connection goes."""

    called: Address
    """What the client connected to."""
    target: Address
    """What the server leg connects to."""
    side: Direction
    """The direction of what the client sends."""
    source: Address | None = None
    """What the server leg comes from; None leaves it to the kernel."""
    refusal: str = ""
    """Why there is no way for it, if there is none."""


class Entrance(Interface):
    """One way in."""

    @property
    def listen(self) -> Address:
        """Where to listen."""

    @property
    def sip(self) -> bool:
        """Its connections carry SIP, whichever their ports are."""

    def open(self, reactor: Any, factory: protocol.ServerFactory) -> interfaces.IListeningPort:
        """Start listening."""

    def path(self, transport: Any, bound: Address, table: NatTable) -> Path:
        """Where a connection goes that was accepted on the address that is bound."""

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> interfaces.IConnector:
        """Make its server leg; the timeout is in seconds."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Listen here, connect there."""

    listen: Address
    target: Address
    side: Direction = Direction.OUTWARD
    """The direction of what the connecting side sends: OUTWARD when connections come from inside."""
    sip: bool = False
    """Its port is a SIP port, whichever that is."""

    def open(self, reactor: Any, factory: protocol.ServerFactory) -> interfaces.IListeningPort:
        """A port of this machine."""
        host, port = self.listen
        listening: interfaces.IListeningPort = reactor.listenTCP(port, factory, backlog=BACKLOG, interface=host)
        return listening

    def path(self, transport: Any, bound: Address, table: NatTable) -> Path:
        """The same for all."""
        host = transport.getHost()
        return Path((host.host, host.port), self.target, self.side)

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> interfaces.IConnector:
        """As the kernel sees fit."""
        connector: interfaces.IConnector = reactor.connectTCP(*path.target, factory, timeout=timeout)
        return connector
