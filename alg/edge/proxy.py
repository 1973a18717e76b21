"""A TCP proxy that runs every connection through the ALG: the connection is terminated and regenerated (L4F, seed 004).

Strategy: each accepted connection (the client leg) is paused until the connection to the target (the server leg)
stands, then bytes flow through one `AlgConnection`. What one side does to its connection, the other sees: an end of
stream is passed on as one, a reset as a reset. A reader that stops reading stops the other side's writer: Twisted
holds at most its write buffer (64 KiB) and one read per direction, beside what the ALG holds of an unfinished
message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import defer, error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address, Entrance, Path
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

    def listen(self, entrance: Entrance) -> Address:
        """Start listening; the address it got. Raises twisted.internet.error.CannotListenError."""
        factory = _ClientLegFactory(self, entrance)
        listening = entrance.open(self.reactor, factory)
        self._ports.append(listening)
        bound: Any = listening.getHost()
        factory.bound = (bound.host, bound.port)
        return factory.bound

    def __len__(self) -> int:
        """Connections that stand or are being made."""
        return len(self._crossings)

    def accept(self, entrance: Entrance, bound: Address) -> Crossing:
        """A new connection on an address of an entrance."""
        self._accepted += 1
        crossing = Crossing(self, self._accepted, entrance, bound)
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

    def __init__(self, proxy: AlgProxy, number: int, entrance: Entrance, bound: Address) -> None:
        self.proxy = proxy
        self.number = number
        self.entrance = entrance
        self.path = Path(bound, bound, Direction.OUTWARD)
        """Known for certain once the client leg stands."""
        tap = proxy.tap(number) if proxy.tap else None
        self.client = Leg(self, tap)
        self.server = Leg(self, tap)
        self.client.other, self.server.other = self.server, self.client
        self.alg: AlgConnection | None = None
        self._connecting: interfaces.IConnector | None = None
        self._peer: Address = ("", 0)
        self._reason = "closed"

    def find_path(self) -> None:
        """The client leg stands: hold it, and see where it leads."""
        transport = self.client.transport
        transport.pauseProducing()
        peer = transport.getPeer()
        self._peer = (peer.host, peer.port)
        self.path = self.entrance.path(transport, self.path.called, self.proxy.alg.table)
        self.client.direction, self.server.direction = self.path.side, self.path.side.opposite

    def client_connected(self) -> None:
        """The way is known: connect to the target."""
        if self.path.refusal:
            self._refuse(self.path.refusal)
            self.client.transport.abortConnection()
            return
        factory = _ServerLegFactory(self.server)
        proxy = self.proxy
        self._connecting = self.entrance.connect(proxy.reactor, self.path, factory, proxy.connect_timeout)

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
        if not self.entrance.sip:
            ports = frozenset((self.path.called[1], self._peer[1], self.path.target[1], local.port))
        self.alg = self.proxy.alg.connection(ports, sink)
        if observer:
            observer.connected(self.number, self._peer, self.path.called, self.path.target)
        for leg in (self.client, self.server):
            leg.transport.setTcpNoDelay(True)
            leg.transport.registerProducer(leg.other.transport, True)
        self.client.transport.resumeProducing()

    def target_unreachable(self, failure: Failure) -> None:
        """There will be no server leg; the client is told by a reset."""
        self._connecting = None
        self._refuse(failure.getErrorMessage())
        if self.client.lost:
            self.leg_lost(self.client, failure)
        else:
            self.client.transport.abortConnection()

    def _refuse(self, reason: str) -> None:
        """There is no server leg."""
        self.server.lost = True
        if self.proxy.observer:
            self.proxy.observer.refused(self.number, self._peer, self.path.target, reason)

    def finish(self) -> None:
        """Send what is held, then end both streams."""
        if self.alg is None:
            self.abort("shutdown")
            return
        self._reason = "shutdown"
        for leg in (self.client, self.server):
            if not (leg.ended or leg.lost):
                leg.end_stream()

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
    direction: Direction
    """Of what this side's peer sends; known once the client leg stands."""

    def __init__(self, crossing: Crossing, tap: Tap | None = None) -> None:
        self.crossing = crossing
        self._tap = tap
        self.ended = False
        """The peer sends no more."""
        self.lost = False
        self._finished = False
        """We send no more."""

    def connectionMade(self) -> None:
        """The leg stands; a client's waits for its server's."""
        if self is self.crossing.client:
            self.crossing.find_path()
        if self._tap is not None:
            self._listen_in(self._tap)
        if self is self.crossing.client:
            self.crossing.client_connected()
        else:
            self.crossing.server_connected()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from this side's peer."""
        if self._tap is not None:
            self._tap.received(self.direction, data)
        alg = self.crossing.alg
        assert alg is not None, "reads only once both legs stand"
        out = alg.feed(self.direction, data, self.crossing.proxy.reactor.seconds())
        if out:
            self.other.transport.write(out)
        if alg.must_close:
            self.crossing.cut(alg.must_close)

    def readConnectionLost(self) -> None:
        """The peer sends no more."""
        if self._tap is not None:
            self._tap.ended(self.direction, by_peer=True)
        self.end_stream()

    def end_stream(self) -> None:
        """What this side sent is all there is: what is held goes out, then the other side hears of the end."""
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
        if self._tap is not None:
            self._tap.ended(self.direction, by_peer=False)
        if self.ended:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """The leg is gone."""
        self.lost = True
        if self._tap is not None:
            if isinstance(reason.value, error.ConnectionLost):
                self._tap.reset(self.direction, by_peer=not isinstance(reason.value, error.ConnectionAborted))
            elif not self._finished:
                self._tap.ended(self.direction, by_peer=False)
        self.crossing.leg_lost(self, reason)

    def _listen_in(self, tap: Tap) -> None:
        """Tell the tap that the leg stands, and from now on what the kernel takes of what we write."""
        transport, direction, crossing = self.transport, self.direction, self.crossing
        peer, host = transport.getPeer(), transport.getHost()
        by_peer = self is crossing.client
        ours = crossing.path.called if by_peer else (host.host, host.port)
        tap.opened(direction, (peer.host, peer.port), ours, by_peer)
        write_some = transport.writeSomeData

        def write_and_tell(data: bytes) -> int | Exception:
            written: int | Exception = write_some(data)
            if isinstance(written, int) and written > 0:
                tap.sent(direction, bytes(data[:written]))
            return written

        transport.writeSomeData = write_and_tell


class _ClientLegFactory(protocol.ServerFactory):
    noisy = False

    def __init__(self, proxy: AlgProxy, entrance: Entrance) -> None:
        self._proxy = proxy
        self._entrance = entrance
        self.bound: Address = entrance.listen

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The client leg of a new crossing."""
        return self._proxy.accept(self._entrance, self.bound).client


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
