"""One connection through a proxy: two legs, and what is between them.

Strategy: the client leg is paused until the server leg stands, then bytes flow through one `AlgConnection`, past TLS
inspection where there is any. What one side does to its connection, the other sees: an end of stream is passed on as
one, a reset as a reset. A crossing that inspection severed is two connections from then on, each of which ends by
itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from alg.connection import AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address, Entrance, Path
from alg.edge.inspecting import InspectedCrossing, ListenerInspection
from alg.edge.observing import Tap
from alg.edge.terminating import TerminatedCrossing
from alg.nat.table import Endpoint

if TYPE_CHECKING:
    from alg.edge.proxy import AlgProxy

_SILENCE = 600.0
"""Seconds that one side of a severed connection is kept once the other is gone, if its peer stays."""
_CLOSED = "closed"
"""How a connection ends that its peers end."""


class Crossing:
    """One connection through the ALG: a client leg, a server leg, and what is between them."""

    def __init__(
        self, proxy: AlgProxy, number: int, entrance: Entrance, bound: Address, inspection: ListenerInspection
    ) -> None:
        self.proxy = proxy
        self.number = number
        self.entrance = entrance
        self._inspection = inspection
        self.path = Path(bound, bound, Direction.OUTWARD)
        """Known for certain once the client leg stands."""
        tap = proxy.tap(number) if proxy.tap else None
        self.client = Leg(self, tap)
        self.server = Leg(self, tap)
        self.client.other, self.server.other = self.server, self.client
        self.alg: AlgConnection | None = None
        self.inspector: InspectedCrossing | TerminatedCrossing | None = None
        self.severed = False
        """What happens to one leg is not passed on to the other."""
        self._patience: interfaces.IDelayedCall | None = None
        """With the peer that is left of a severed crossing, if it does not end its connection."""
        self._connecting: interfaces.IConnector | None = None
        self._peer: Address = ("", 0)
        self.reason = _CLOSED
        """Of its end."""

    def find_path(self) -> None:
        """The client leg stands: hold it, and see where it leads."""
        transport = self.client.transport
        transport.pauseProducing()
        peer = transport.getPeer()
        self._peer = (peer.host, peer.port)
        self.path = self.entrance.path(transport, self.path.called, self.proxy.alg.table)
        self.client.direction, self.server.direction = self.path.side, self.path.side.opposite

    def ends(self) -> tuple[Endpoint, Endpoint]:
        """Client and target."""
        client, target = self._peer, self.path.target
        return Endpoint(client[0].encode(), client[1]), Endpoint(target[0].encode(), target[1])

    def client_connected(self) -> None:
        """The way is known: connect to the target."""
        if self.path.refusal:
            self._refuse(self.path.refusal)
            self.client.transport.abortConnection()
            return
        factory = ServerLegFactory(self.server)
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
        inspection = self._inspection.begin(self.path.side, self.proxy.alg.config.nat.maps, sink is not None)
        if inspection is not None:
            terminator = self._inspection.terminator
            self.inspector = InspectedCrossing(self, inspection, terminator, self.proxy.reactor, sink)
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
        if self.severed:
            self.client.close()
            self.server.close()
            return
        self.reason = "shutdown"
        if isinstance(self.inspector, TerminatedCrossing):
            self.inspector.finish()
            return
        for leg in (self.client, self.server):
            if not (leg.ended or leg.lost):
                leg.end_stream()

    def cut(self, reason: str) -> None:
        """Close both legs behind what is still to be sent."""
        assert self.alg is not None, "only a connection that stands is cut"
        self.reason = reason
        for leg in (self.client, self.server):
            leg.other.transport.write(self.alg.close(leg.direction))
        for leg in (self.client, self.server):
            leg.close()

    def abort(self, reason: str) -> None:
        """Reset both legs, or give up connecting."""
        self.reason = reason
        if self._connecting is not None:
            self._connecting.stopConnecting()
            return
        for leg in (self.client, self.server):
            if leg.transport is not None and not leg.lost:
                leg.transport.abortConnection()

    def sever(self, reason: str) -> None:
        """Send what is held; then the legs have nothing to do with each other, and what they receive goes nowhere."""
        assert self.alg is not None, "only a connection that stands is severed"
        self.severed = True
        self.reason = reason
        for leg in (self.client, self.server):
            if not leg.lost:
                leg.transport.write(self.alg.close(leg.other.direction))
                leg.transport.unregisterProducer()
                leg.transport.setTcpKeepAlive(True)
                leg.transport.resumeProducing()

    def ends_because(self, reason: str) -> None:
        """Why it ends, unless that is known already."""
        if self.reason == _CLOSED:
            self.reason = reason

    def leg_lost(self, leg: Leg, reason: Failure) -> None:
        """One leg is gone; the other follows in the same way, unless they have nothing to do with each other any more
        or whoever terminates their TLS sees to it.
        """
        if self.inspector is not None:
            self.inspector.lost(leg, aborted=not isinstance(reason.value, error.ConnectionDone))
            if self.inspector is None:
                return  # the other leg was lost in there, and with it the crossing
        if not leg.other.lost:
            if self.severed:
                self._patience = self.proxy.reactor.callLater(_SILENCE, leg.other.close)
                return
            if leg.other.transport is None or isinstance(self.inspector, TerminatedCrossing):
                return
            if isinstance(reason.value, error.ConnectionDone):
                leg.other.close()
            else:
                self.ends_because("reset")
                leg.other.transport.abortConnection()
            return
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        if self.alg is not None:
            self.alg.lost()
        if self.alg is not None and self.proxy.observer:
            self.proxy.observer.closed(self.number, self.reason, self.alg)
        self.inspector = None
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
            self.describe_to(self._tap)
            self._listen_in(self._tap)
        if self is self.crossing.client:
            self.crossing.client_connected()
        else:
            self.crossing.server_connected()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from this side's peer."""
        if self.crossing.inspector is not None:
            self.crossing.inspector.received(self, data)
        elif not self.crossing.severed:
            self.pass_on(data)
        if self._tap is not None:
            self._tap.received(self.direction, data)

    def pass_on(self, data: bytes) -> None:
        """Bytes of this side's peer, as they are to go through the ALG."""
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
        if self.crossing.severed:
            self.transport.loseConnection()
        elif self.crossing.inspector is None or self.crossing.inspector.ended(self):
            self.end_stream()

    def peer_ended(self) -> None:
        """The peer sends no more; if we do not either, that was it."""
        self.ended = True
        if self._finished:
            self.transport.loseConnection()

    def end_stream(self) -> None:
        """What this side sent is all there is: what is held goes out, then the other side hears of the end."""
        alg, other = self.crossing.alg, self.other
        assert alg is not None, "reads only once both legs stand"
        if not other.lost:
            other.transport.write(alg.close(self.direction))
            other.transport.unregisterProducer()
            other.transport.loseWriteConnection()
        self.peer_ended()

    def close(self) -> None:
        """End it behind what is still to be sent; what the peer still sends goes nowhere."""
        if not self.lost:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def break_off(self) -> None:
        """Reset it behind what is still to be sent, as far as the kernel takes it at once."""
        if not self.lost:
            self.transport.doWrite()
            self.transport.abortConnection()

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

    def terminated(self) -> None:
        """Its bytes are cipher text of our own."""
        if self._tap is not None:
            self._tap.terminated()

    def revealed(self) -> None:
        """The secrets of that cipher text have been handed out."""
        if self._tap is not None:
            self._tap.revealed()

    def describe_to(self, tap: Tap) -> None:
        """Tell a tap that the leg stands."""
        peer, host = self.transport.getPeer(), self.transport.getHost()
        by_peer = self is self.crossing.client
        ours = self.crossing.path.called if by_peer else (host.host, host.port)
        tap.opened(self.direction, (peer.host, peer.port), ours, by_peer)

    def _listen_in(self, tap: Tap) -> None:
        """Tell the tap what the kernel takes of what we write."""
        transport, direction = self.transport, self.direction
        write_some = transport.writeSomeData

        def write_and_tell(data: bytes) -> int | Exception:
            written: int | Exception = write_some(data)
            if isinstance(written, int) and written > 0:
                tap.sent(direction, bytes(data[:written]))
            return written

        transport.writeSomeData = write_and_tell


class ServerLegFactory(protocol.ClientFactory):
    """Makes the server leg of one crossing."""

    noisy = False

    def __init__(self, leg: Leg) -> None:
        self._leg = leg

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The server leg that waits for its connection."""
        return self._leg

    def clientConnectionFailed(self, connector: interfaces.IConnector, reason: Failure) -> None:
        """Refused, unreachable, timed out, or given up."""
        self._leg.crossing.target_unreachable(reason)
