"""A TCP proxy that runs every connection through the ALG: the connection is terminated and regenerated (L4F, seed 004).

Strategy: each accepted connection (the client leg) is paused until the connection to the target (the server leg)
stands, then bytes flow through one `AlgConnection`. What one side does to its connection, the other sees: an end of
stream is passed on as one, a reset as a reset. A reader that stops reading stops the other side's writer: Twisted
holds at most its write buffer (64 KiB) and one read per direction, beside what the ALG holds of an unfinished
message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

from twisted.internet import defer, error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.trace import Sink

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Listener:
    """Listen here, connect there."""

    listen: Address
    target: Address
    side: Direction = Direction.OUTWARD
    """The direction of what the connecting side sends: OUTWARD when connections come from inside."""
    sip: bool = False
    """Its port is a SIP port, whichever that is."""


class Observer(Interface):
    """Somebody who wants to know about connections."""

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """Both legs stand."""

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached; the client's connection is reset."""

    def sink(self, connection: int) -> Sink | None:
        """Who gets the records of this connection; None for nobody."""

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """Both legs are gone."""


class AlgProxy:
    """All listeners of one process and the connections they accepted."""

    def __init__(self, reactor: Any, alg: Alg, observer: Observer | None = None, connect_timeout: float = 10.0) -> None:
        self.reactor = reactor
        self.alg = alg
        self.observer = observer
        self.connect_timeout = connect_timeout
        """seconds"""
        self._ports: list[interfaces.IListeningPort] = []
        self._crossings: set[Crossing] = set()
        self._accepted = 0
        self._emptied: defer.Deferred[None] | None = None

    def listen(self, listener: Listener) -> Address:
        """Start listening; the address it got. Raises twisted.internet.error.CannotListenError."""
        host, port = listener.listen
        factory = _ClientLegFactory(self, listener)
        listening = self.reactor.listenTCP(port, factory, backlog=1024, interface=host)
        self._ports.append(listening)
        bound = listening.getHost()
        factory.bound = (bound.host, bound.port)
        return factory.bound

    def __len__(self) -> int:
        """Connections that stand or are being made."""
        return len(self._crossings)

    def accept(self, listener: Listener, bound: Address) -> Crossing:
        """A new connection on a listener."""
        self._accepted += 1
        crossing = Crossing(self, self._accepted, listener, bound)
        self._crossings.add(crossing)
        return crossing

    def ended(self, crossing: Crossing) -> None:
        """Both legs of a connection are gone."""
        self._crossings.discard(crossing)
        if self._emptied is not None and not self._crossings:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def stop(self, grace: float = 0.7) -> defer.Deferred[None]:
        """Stop listening, flush and close every connection; those that are not gone after `grace` seconds are reset."""
        for port in self._ports:
            port.stopListening()
        self._ports.clear()
        if self.alg.doors is not None:
            self.alg.doors.close()
        if not self._crossings:
            return defer.succeed(None)
        self._emptied = defer.Deferred()
        for crossing in list(self._crossings):
            crossing.finish()

        def abort_the_rest() -> None:
            for crossing in list(self._crossings):
                crossing.abort("shutdown")

        killer = self.reactor.callLater(grace, abort_the_rest)

        def cancel_killer(result: None) -> None:
            if killer.active():
                killer.cancel()

        return self._emptied.addCallback(cancel_killer)


class Crossing:
    """One connection through the ALG: a client leg, a server leg, and what is between them."""

    def __init__(self, proxy: AlgProxy, number: int, listener: Listener, bound: Address) -> None:
        self.proxy = proxy
        self.number = number
        self.listener = listener
        self.bound = bound
        self.client = Leg(self, listener.side)
        self.server = Leg(self, listener.side.opposite)
        self.client.other, self.server.other = self.server, self.client
        self.alg: AlgConnection | None = None
        self._connecting: interfaces.IConnector | None = None
        self._peer: Address = ("", 0)
        self._reason = "closed"

    def client_connected(self) -> None:
        """The client leg stands: hold it and connect to the target."""
        transport = self.client.transport
        transport.pauseProducing()
        peer = transport.getPeer()
        self._peer = (peer.host, peer.port)
        reactor, target = self.proxy.reactor, self.listener.target
        factory = _ServerLegFactory(self.server)
        self._connecting = reactor.connectTCP(*target, factory, timeout=self.proxy.connect_timeout)

    def server_connected(self) -> None:
        """The server leg stands: let bytes flow."""
        self._connecting = None
        if self.client.lost:
            self.server.transport.abortConnection()
            return
        observer = self.proxy.observer
        sink = observer.sink(self.number) if observer else None
        local = self.server.transport.getHost()
        ports = None
        if not self.listener.sip:
            ports = frozenset((self.bound[1], self._peer[1], self.listener.target[1], local.port))
        self.alg = self.proxy.alg.connection(ports, sink)
        if observer:
            observer.connected(self.number, self._peer, self.bound, self.listener.target)
        for leg in (self.client, self.server):
            leg.transport.setTcpNoDelay(True)
            leg.transport.registerProducer(leg.other.transport, True)
        self.client.transport.resumeProducing()

    def target_unreachable(self, failure: Failure) -> None:
        """There will be no server leg; the client is told by a reset."""
        self._connecting = None
        self.server.lost = True
        if self.proxy.observer:
            reason = failure.getErrorMessage()
            self.proxy.observer.refused(self.number, self._peer, self.listener.target, reason)
        if self.client.lost:
            self.leg_lost(self.client, failure)
        else:
            self.client.transport.abortConnection()

    def finish(self) -> None:
        """Send what is held, then end both streams."""
        if self.alg is None:
            self.abort("shutdown")
            return
        self._reason = "shutdown"
        for leg in (self.client, self.server):
            if not (leg.ended or leg.lost):
                leg.readConnectionLost()

    def cut(self, reason: str) -> None:
        """Close both legs behind what is still to be sent."""
        assert self.alg is not None, "only a connection that stands is cut"
        self._reason = reason
        for leg in (self.client, self.server):
            leg.other.transport.write(self.alg.close(leg.direction))
        for leg in (self.client, self.server):
            leg.transport.unregisterProducer()
            leg.transport.loseConnection()

    def abort(self, reason: str) -> None:
        """Reset both legs, or give up connecting."""
        self._reason = reason
        if self._connecting is not None:
            self._connecting.stopConnecting()
            return
        for leg in (self.client, self.server):
            if leg.transport is not None and not leg.lost:
                leg.transport.abortConnection()

    def leg_lost(self, leg: Leg, reason: Failure) -> None:
        """One leg is gone; the other follows in the same way."""
        if not leg.other.lost:
            if leg.other.transport is None:
                return
            if isinstance(reason.value, error.ConnectionDone):
                leg.other.transport.unregisterProducer()
                leg.other.transport.loseConnection()
            else:
                if self._reason == "closed":
                    self._reason = "reset"
                leg.other.transport.abortConnection()
            return
        if self.alg is not None:
            self.alg.lost()
        if self.alg is not None and self.proxy.observer:
            self.proxy.observer.closed(self.number, self._reason, self.alg)
        self.proxy.ended(self)


@implementer(interfaces.IHalfCloseableProtocol)
class Leg(protocol.Protocol):
    """One of the two TCP connections of a crossing."""

    other: Leg
    transport: Any

    def __init__(self, crossing: Crossing, direction: Direction) -> None:
        self.crossing = crossing
        self.direction = direction
        self.ended = False
        """The peer sends no more."""
        self.lost = False
        self._finished = False
        """We send no more."""

    def connectionMade(self) -> None:
        """The leg stands; a client's waits for its server's."""
        if self is self.crossing.client:
            self.crossing.client_connected()
        else:
            self.crossing.server_connected()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from this side's peer."""
        alg = self.crossing.alg
        assert alg is not None, "reads only once both legs stand"
        out = alg.feed(self.direction, data, self.crossing.proxy.reactor.seconds())
        if out:
            self.other.transport.write(out)
        if alg.must_close:
            self.crossing.cut(alg.must_close)

    def readConnectionLost(self) -> None:
        """The peer sends no more: what is held goes out, then the other side hears the same."""
        self.ended = True
        alg, other = self.crossing.alg, self.other
        assert alg is not None, "reads only once both legs stand"
        if not other.lost:
            other.transport.write(alg.close(self.direction))
            other.transport.unregisterProducer()
            other.transport.loseWriteConnection()
        if self._finished:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """All that we had to send to this peer is sent."""
        self._finished = True
        if self.ended:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """The leg is gone."""
        self.lost = True
        self.crossing.leg_lost(self, reason)


class _ClientLegFactory(protocol.ServerFactory):
    noisy = False

    def __init__(self, proxy: AlgProxy, listener: Listener) -> None:
        self._proxy = proxy
        self._listener = listener
        self.bound: Address = listener.listen

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The client leg of a new crossing."""
        return self._proxy.accept(self._listener, self.bound).client


class _ServerLegFactory(protocol.ClientFactory):
    noisy = False

    def __init__(self, leg: Leg) -> None:
        self._leg = leg

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The server leg that waits for its connection."""
        return self._leg

    def clientConnectionFailed(self, connector: interfaces.IConnector, reason: Failure) -> None:
        """Refused, unreachable, timed out, or given up."""
        self._leg.crossing.target_unreachable(reason)
