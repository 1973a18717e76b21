"""The ways into and out of a SIP element: listeners, connections that are made and used again, UDP sockets.

Strategy: bytes become messages, messages go to the receiver, and what cannot become one is told to the taps. A
connection that stands is used for every request to its other end, whoever made it (RFC 3261 18.1.1). What is larger
than the element takes is told to `on_oversize`, which decides: a CUCM resets the connection without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet import defer, error, interfaces, protocol
from twisted.python.failure import Failure

from alg.errors import SipSyntaxError
from harness.sip.connection import Connection
from harness.sip.flow import Flow, FlowFailed, Loss, Receiver, Tap, Target
from harness.sip.message import Request, Response, parse
from harness.sip.security import Layer, Plain, Secure
from harness.sip.stream import Item, KeepAlive, Oversize
from harness.sip.udp import UdpFlow, UdpSocket
from harness.sip.uri import Address

OversizeRule = Callable[[Connection, Oversize], None]


def reset_oversize(connection: Connection, message: Oversize) -> None:
    """Reset the connection without an answer, as a CUCM does past `SIP Max Incoming Message Size`."""
    connection.abort(Loss.OVERSIZE, f"{message.size} bytes")


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """What is the same for all of an element's connections."""

    max_message: int = 1024 * 1024
    """Bytes of a message that is taken, header and body."""
    on_oversize: OversizeRule = reset_oversize
    """What happens to a connection that brings a larger one."""
    reads_to_limit: bool = False
    """A larger one is noticed when so many bytes of it have come, not as soon as its header says it."""
    connect_timeout: float = 5.0
    """Seconds for TCP, and as many again for TLS."""
    source: str = ""
    """The address that connections are made from; empty for that of the first listener."""
    secure: Secure | None = None
    """TLS of connections that we make."""


class Transport:
    """All of an element's."""

    def __init__(self, reactor: Any, receiver: Receiver, settings: TransportSettings) -> None:
        self.taps: list[Tap] = []
        self.settings = settings
        self._reactor = reactor
        self._receiver = receiver
        self._ports: list[Any] = []
        self._listening: list[tuple[str, Address]] = []
        self._sockets: list[UdpSocket] = []
        self._connections: list[Connection] = []
        self._pending: dict[Target, list[defer.Deferred[Flow]]] = {}
        self._connectors: list[Any] = []
        self._closing = False

    def listen(self, kind: str, address: Address, secure: Secure | None = None) -> Address:
        """Open a port of UDP, TCP or TLS; the address it got. Raises twisted.internet.error.CannotListenError."""
        if kind == "UDP":
            socket = UdpSocket(self)
            port: Any = self._reactor.listenUDP(address[1], socket, interface=address[0], maxPacketSize=65536)
            self._sockets.append(socket)
        else:
            assert kind == "TCP" or secure is not None, "TLS needs a layer"
            factory = protocol.Factory.forProtocol(lambda: self._accepted(kind, secure))
            factory.noisy = False
            port = self._reactor.listenTCP(address[1], factory, interface=address[0], backlog=1024)
        self._ports.append(port)
        got = (port.getHost().host, port.getHost().port)
        self._listening.append((kind, got))
        return got

    def listening(self, kind: str, host: str = "") -> Address | None:
        """Where we do, of this kind: at this address of ours if we do there, or else at the first one."""
        found = [address for known, address in self._listening if known == kind]
        return next((address for address in found if address[0] == host), found[0] if found else None)

    @property
    def addresses(self) -> list[tuple[str, Address]]:
        """Where we listen."""
        return list(self._listening)

    @property
    def connections(self) -> list[Connection]:
        """Those that stand."""
        return list(self._connections)

    def flow_to(self, target: Target, source: str = "") -> defer.Deferred[Flow]:
        """A flow to a target, which may have to be made; fails with FlowFailed."""
        if target.transport == "UDP":
            return defer.maybeDeferred(self._udp_flow, target, source)
        if target.transport not in ("TCP", "TLS") or (target.transport == "TLS" and self.settings.secure is None):
            return defer.fail(FlowFailed(target, Loss.REFUSED, f"no {target.transport} here"))
        standing = self._standing(target)
        if standing is not None:
            return defer.succeed(standing)
        waiting: defer.Deferred[Flow] = defer.Deferred()
        if target in self._pending:
            self._pending[target].append(waiting)
            return waiting
        self._pending[target] = [waiting]
        self._connect(target, source or self.settings.source or self._first_host())
        return waiting

    async def close(self) -> None:
        """Listen no more, end what stands, and see it gone."""
        self._closing = True
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)
        self._ports.clear()
        self._listening.clear()
        for connector in list(self._connectors):
            connector.disconnect()
        standing = list(self._connections)
        for connection in standing:
            connection.hang_up()
        await defer.gatherResults([connection.finished for connection in standing])

    def opened(self, connection: Connection) -> None:
        """TCP stands."""
        self._connections.append(connection)
        for tap in self.taps:
            tap.connected(connection)

    def ready(self, connection: Connection) -> None:
        """SIP can be sent."""
        if connection.target is not None:
            for waiting in self._pending.pop(connection.target, []):
                waiting.callback(connection)

    def came(self, connection: Connection, item: Item) -> None:
        """Something ended in what a connection brought."""
        if isinstance(item, bytes):
            self._message(connection, item)
        elif isinstance(item, KeepAlive):
            for tap in self.taps:
                tap.kept_alive(connection, item)
        elif isinstance(item, Oversize):
            for tap in self.taps:
                tap.oversized(connection, item)
            self.settings.on_oversize(connection, item)
        else:
            self._malformed(connection, item.data, item.error)
            connection.hang_up(Loss.UNFRAMED, str(item.error))

    def written(self, connection: Connection, data: bytes) -> None:
        """A connection sent a message."""
        for tap in self.taps:
            tap.sent(connection, data)

    def gone(self, connection: Connection, loss: Loss, detail: str) -> None:
        """A connection is no more."""
        self._connections.remove(connection)
        for tap in self.taps:
            tap.closed(connection, loss, detail)
        if connection.target is not None and connection.target in self._pending:
            self._unreachable(connection.local, FlowFailed(connection.target, loss, detail))
        self._receiver.flow_lost(connection, loss)

    def datagram(self, flow: UdpFlow, data: bytes) -> None:
        """A datagram came."""
        if len(data) > self.settings.max_message:
            for tap in self.taps:
                tap.oversized(flow, Oversize(data, None, len(data)))
        else:
            self._message(flow, data)

    def datagram_sent(self, flow: UdpFlow, data: bytes) -> None:
        """A datagram went out."""
        for tap in self.taps:
            tap.sent(flow, data)

    def _message(self, flow: Flow, data: bytes) -> None:
        for tap in self.taps:
            tap.received(flow, data)
        try:
            message: Request | Response = parse(data.lstrip(b"\r\n"))
        except SipSyntaxError as malformed:
            self._malformed(flow, data, malformed)
        else:
            self._receiver.receive(message, flow)

    def _malformed(self, flow: Flow, data: bytes, reason: SipSyntaxError) -> None:
        for tap in self.taps:
            tap.malformed(flow, data, reason)

    def _accepted(self, kind: str, secure: Secure | None) -> Connection:
        layer = Plain() if secure is None or kind == "TCP" else secure(True, "")
        return self._connection(kind, layer, None)

    def _connect(self, target: Target, source: str) -> None:
        factory = _ClientFactory(self, target)
        bind = (source, 0) if source else None
        timeout = self.settings.connect_timeout
        connector = self._reactor.connectTCP(*target.address, factory, timeout=timeout, bindAddress=bind)
        self._connectors.append(connector)
        factory.local = _source_of(connector, source)
        for tap in self.taps:
            tap.connecting(factory.local, target)

    def made(self, target: Target, connector: Any) -> Connection:
        """TCP to a target stands."""
        self._connectors.remove(connector)
        secure = self.settings.secure
        layer = secure(False, target.name or target.host) if target.transport == "TLS" and secure else Plain()
        return self._connection(target.transport, layer, target)

    def _connection(self, kind: str, layer: Layer, target: Target | None) -> Connection:
        settings = self.settings
        timeout, to_limit = settings.connect_timeout, settings.reads_to_limit
        return Connection(kind, layer, self, settings.max_message, target, self._reactor, timeout, to_limit)

    def not_made(self, target: Target, local: Address, connector: Any, reason: Failure) -> None:
        """TCP to a target could not be had."""
        self._connectors.remove(connector)
        timed_out = isinstance(reason.value, error.TimeoutError | error.TCPTimedOutError)
        loss = Loss.TIMEOUT if timed_out else Loss.REFUSED
        self._unreachable(local, FlowFailed(target, loss, reason.getErrorMessage()))

    def _unreachable(self, local: Address, failure: FlowFailed) -> None:
        for tap in self.taps:
            tap.failed(local, failure)
        for waiting in self._pending.pop(failure.target, []):
            waiting.errback(failure)

    def _standing(self, target: Target) -> Connection | None:
        for connection in self._connections:
            names = ("", target.name) if connection.target is None else (connection.target.name,)
            same = connection.kind == target.transport and connection.remote == target.address
            if connection.open and same and (connection.serves or target.name in names):
                return connection
        return None

    def _udp_flow(self, target: Target, source: str) -> Flow:
        if self._closing:
            raise FlowFailed(target, Loss.HUNG_UP)
        wanted = source or self.settings.source
        sockets = [socket for socket in self._sockets if socket.open and wanted in ("", socket.local[0])]
        if not sockets:
            self.listen("UDP", (wanted or self._first_host(), 0))
            sockets = self._sockets[-1:]
        return UdpFlow(sockets[0], target.address)

    def _first_host(self) -> str:
        return self._listening[0][1][0] if self._listening else ""


class _ClientFactory(protocol.ClientFactory):
    noisy = False

    def __init__(self, transport: Transport, target: Target) -> None:
        self.local: Address = ("", 0)
        self._transport = transport
        self._target = target
        self._connector: Any = None

    def startedConnecting(self, connector: interfaces.IConnector) -> None:
        """An attempt begins."""
        self._connector = connector

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The connection, which stands."""
        return self._transport.made(self._target, self._connector)

    def clientConnectionFailed(self, connector: interfaces.IConnector, reason: Failure) -> None:
        """Refused, unreachable, timed out."""
        self._transport.not_made(self._target, self.local, connector, reason)


def _source_of(connector: Any, source: str) -> Address:
    """The end that the kernel chose; its port is 0 where it cannot be known any more."""
    try:
        host, port = connector.transport.socket.getsockname()[:2]
    except (AttributeError, OSError):
        return source, 0
    return str(host), int(port)
