"""A firewall that reflects: it translates the public address of an Expressway-E for those inside, and maybe their own.

Strategy: the real ALG's proxy with one entrance; connections leave from the address and port that the pool gives to
whoever made them, which is another port than their own. With L4F off nothing but addresses of connections is
translated, which is all that TLS allows anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from netaddr import IPAddress, IPNetwork
from twisted.internet import interfaces

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.edge.entrance import Address, Listener, Path
from alg.edge.observing import Tap
from alg.edge.proxy import AlgProxy
from alg.nat.table import Endpoint, NatTable, Protocol, Use

_NEIGHBOUR: Final = "192.0.2.1"
"""Another host inside, which always comes first: whatever port a client has, that host has it at the pool already, so
that the client gets another (seed 002: 27901 became 4401)."""


@dataclass(frozen=True, slots=True)
class SourceTranslation(Listener):
    """A listener whose connections leave as whom the pool has their clients."""

    def path(self, transport: Any, bound: Address, table: NatTable) -> Path:
        """As whom is decided when one is accepted."""
        host, peer = transport.getHost(), transport.getPeer()
        called = (host.host, host.port)
        client = Endpoint(peer.host.encode(), peer.port)
        table.endpoint(Direction.OUTWARD, Protocol.TCP, Endpoint(_NEIGHBOUR.encode(), peer.port), Use.CARRIED)
        source = table.endpoint(Direction.OUTWARD, Protocol.TCP, client, Use.CARRIED)
        if source is None:
            return Path(called, self.target, self.side, refusal="the pool has nothing for this client")
        return Path(called, self.target, self.side, (source.address.decode(), source.port))

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> interfaces.IConnector:
        """From there."""
        connector: interfaces.IConnector = reactor.connectTCP(
            *path.target, factory, timeout=timeout, bindAddress=path.source
        )
        return connector


class Reflection:
    """One firewall."""

    def __init__(
        self, reactor: Any, inside: str, public: str, port: int, alg: bool, tap: Callable[[int], Tap] | None = None
    ) -> None:
        """`inside` is whose address becomes the `public` one; `port` is that of the traversal zone, on which the ALG
        looks at what crosses, if there is one.
        """
        nat = NatConfig(pool=(IPAddress(public),), inside=(IPNetwork(inside), IPNetwork(_NEIGHBOUR)))
        config = AlgConfig(nat=nat, l4f=alg, sip_ports=frozenset((port,)))
        self._listen = public, port
        self._proxy = AlgProxy(reactor, Alg(config), tap=tap)

    def open(self, target: Address) -> Address:
        """Reflect connections to the public address to a target. Raises CannotListenError."""
        return self._proxy.listen(SourceTranslation(self._listen, target, Direction.OUTWARD))

    async def close(self) -> None:
        """End what stands."""
        await self._proxy.stop()
