"""A TCP proxy that runs every connection through the ALG: the connection is terminated and regenerated (L4F, seed 004).

Strategy: each accepted connection becomes a `Crossing` of two legs. A reader that stops reading stops the other side's
writer: Twisted holds at most its write buffer (64 KiB) and one read per direction, beside what the ALG holds of an
unfinished message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import defer, interfaces, protocol

from alg.connection import Alg
from alg.edge.crossing import Crossing
from alg.edge.entrance import Address, Entrance
from alg.edge.inspecting import ListenerInspection
from alg.edge.observing import Observer, Tap


class AlgProxy:
    """All listeners of one process and the connections they accepted."""

    def __init__(
        self,
        reactor: Any,
        alg: Alg,
        observer: Observer | None = None,
        connect_timeout: float = 10.0,
        tap: Callable[[int], Tap] | None = None,
    ) -> None:
        self.reactor = reactor
        self.alg = alg
        self.observer = observer
        self.connect_timeout = connect_timeout
        """seconds"""
        self.tap = tap
        """Makes the tap of a connection, given its number."""
        self._ports: list[interfaces.IListeningPort] = []
        self._crossings: set[Crossing] = set()
        self._accepted = 0
        self._emptied: defer.Deferred[None] | None = None

    def listen(self, entrance: Entrance, inspection: ListenerInspection | None = None) -> Address:
        """Start listening; the address it got. Raises twisted.internet.error.CannotListenError."""
        factory = _ClientLegFactory(self, entrance, inspection or ListenerInspection())
        listening = entrance.open(self.reactor, factory)
        self._ports.append(listening)
        bound: Any = listening.getHost()
        factory.bound = (bound.host, bound.port)
        return factory.bound

    def __len__(self) -> int:
        """Connections that stand or are being made."""
        return len(self._crossings)

    def accept(self, entrance: Entrance, bound: Address, inspection: ListenerInspection) -> Crossing:
        """A new connection on an address of an entrance."""
        self._accepted += 1
        crossing = Crossing(self, self._accepted, entrance, bound, inspection)
        self._crossings.add(crossing)
        return crossing

    def ended(self, crossing: Crossing) -> None:
        """Both legs of a connection are gone."""
        self._crossings.discard(crossing)
        if self._emptied is not None and not self._crossings:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def expire(self) -> None:
        """Let go of what is idle: media doors, and bindings that no connection of these uses."""
        ends = [end for crossing in self._crossings for end in crossing.ends()]
        self.alg.expire(self.reactor.seconds(), ends)

    def stop(self, grace: float = 0.7) -> defer.Deferred[None]:
        """Stop listening, flush and close every connection; those that are not gone after `grace` seconds are reset."""
        closed = defer.gatherResults([defer.maybeDeferred(port.stopListening) for port in self._ports])
        self._ports.clear()
        if self.alg.doors is not None:
            self.alg.doors.close()
        if not self._crossings:
            return closed.addCallback(lambda _: None)
        self._emptied = defer.Deferred()
        for crossing in list(self._crossings):
            crossing.finish()

        def abort_the_rest() -> None:
            for crossing in list(self._crossings):
                crossing.abort("shutdown")

        killer = self.reactor.callLater(grace, abort_the_rest)

        def cancel_killer(result: None) -> defer.Deferred[None]:
            if killer.active():
                killer.cancel()
            return closed.addCallback(lambda _: None)

        return self._emptied.addCallback(cancel_killer)


class _ClientLegFactory(protocol.ServerFactory):
    noisy = False

    def __init__(self, proxy: AlgProxy, entrance: Entrance, inspection: ListenerInspection) -> None:
        self._proxy = proxy
        self._entrance = entrance
        self._inspection = inspection
        self.bound: Address = entrance.listen

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The client leg of a new crossing."""
        return self._proxy.accept(self._entrance, self.bound, self._inspection).client
