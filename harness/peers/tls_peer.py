"""A TLS peer on real sockets: client and server of mutual TLS, with an Expressway's log of what happens.

Strategy: `TlsSession` decides everything; here its outputs are carried out. A connection that ends in order is closed
for writing first, and altogether when the other side has done the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twisted.internet import defer, error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from alg.tls.endpoint import Notes
from alg.tls.policy import Identity, TlsVersion
from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import Address
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_session import Ending, Output, TlsSession
from harness.peers.tls_trust import Trust

_FAREWELL = 2.0
"""Seconds for connections to end in order; then they are reset."""


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Who a peer is."""

    identity: Identity
    """What it shows. A certificate that comes alone is followed by its issuers as far as they are trusted."""
    trust: Trust
    called: str
    """The name that it asks for (RFC 6066 3) and logs when it connects."""
    version: TlsVersion = TlsVersion.TLS_1_2


class TlsPeer:
    """One endpoint."""

    def __init__(
        self,
        reactor: Any,
        settings: PeerSettings,
        log: DiagnosticLog,
        clock: Callable[[], datetime],
        token: Callable[[], str],
        key_log: Callable[[bytes], None] | None = None,
    ) -> None:
        """`clock` judges certificates; `token` makes what is never the same twice in SIP; `key_log` gets lines of the
        SSLKEYLOGFILE format. ConfigError for a certificate or a version that cannot be used.
        """
        self.meetings: list[Meeting] = []
        """One for each connection, in the order in which they were made."""
        self.concluded: defer.Deferred[Meeting] = defer.Deferred()
        """Fires when the first connection has failed or ended, or has had a request and its response."""
        self._reactor = reactor
        self._settings = settings
        self._log = log
        self._token = token
        self._key_log = key_log
        self._contexts = PeerContexts(settings.identity, settings.trust, settings.version, clock)
        self._ports: list[interfaces.IListeningPort] = []
        self._standing: set[TlsConnection] = set()

    def listen(self, address: Address) -> Address:
        """Wait for connections; the address it got. Raises twisted.internet.error.CannotListenError."""
        factory = protocol.Factory.forProtocol(lambda: self.meet(serves=True))
        factory.noisy = False
        port: Any = self._reactor.listenTCP(address[1], factory, interface=address[0])
        self._ports.append(port)
        return port.getHost().host, port.getHost().port

    def connect(self, source: str, target: Address, timeout: float = 10.0) -> None:
        """Make a connection from an address of this machine. The timeout is in seconds."""
        factory = _ClientFactory(self, target)
        connector = self._reactor.connectTCP(*target, factory, timeout=timeout, bindAddress=(source, 0))
        factory.source = connector.transport.socket.getsockname()
        self._log.write(network.tcp_connecting(factory.source, target))

    def meet(self, serves: bool) -> TlsConnection:
        """A connection is about to stand."""
        meeting = Meeting(serves)
        self.meetings.append(meeting)
        notes = Notes(self._log_key if self._key_log is not None else None)
        settings = self._settings
        context = self._contexts.new()
        session = TlsSession(meeting, context, settings.trust, settings.called, self._log, self._token(), notes)
        return TlsConnection(session, self)

    def unreachable(self, source: Address, target: Address) -> None:
        """A connection could not be made."""
        meeting = Meeting(False, source, target, loss=Loss.UNREACHABLE)
        self.meetings.append(meeting)
        self._log.write(network.tcp_failed(source, target))
        self.conclude(meeting)

    def opened(self, connection: TlsConnection) -> None:
        """A connection stands."""
        self._standing.add(connection)

    def gone(self, connection: TlsConnection) -> None:
        """A connection is gone."""
        self._standing.discard(connection)
        self.conclude(connection.meeting)

    def conclude(self, meeting: Meeting) -> None:
        """Nothing more is to be expected of a connection."""
        if not self.concluded.called:
            self.concluded.callback(meeting)

    async def close(self) -> None:
        """Listen no more, end what stands, and see it gone."""
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)
        self._ports.clear()
        standing = list(self._standing)
        for connection in standing:
            connection.hang_up()
        gone = defer.gatherResults([connection.gone for connection in standing])
        killer = self._reactor.callLater(_FAREWELL, self._abort)
        await gone
        if killer.active():
            killer.cancel()

    def _abort(self) -> None:
        for connection in list(self._standing):
            connection.abort()

    def _log_key(self, line: bytes) -> None:
        assert self._key_log is not None, "is asked for only then"
        self._key_log(line + b"\n")


@implementer(interfaces.IHalfCloseableProtocol)
class TlsConnection(protocol.Protocol):
    """One TCP connection of a peer."""

    transport: Any

    def __init__(self, session: TlsSession, peer: TlsPeer) -> None:
        self.meeting = session.meeting
        self.gone: defer.Deferred[None] = defer.Deferred()
        """Fires when the connection is."""
        self._session = session
        self._peer = peer
        self._ended = False
        """The other side sends no more."""

    def connectionMade(self) -> None:
        """It stands."""
        self._peer.opened(self)
        self.transport.setTcpNoDelay(True)
        here, there = self.transport.getHost(), self.transport.getPeer()
        self._do(self._session.opened((here.host, here.port), (there.host, there.port)))

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        self._do(self._session.feed(data))

    def readConnectionLost(self) -> None:
        """The other side sends no more: nor do we."""
        self._ended = True
        self._session.lost(Loss.EOF)
        self._do(self._session.hang_up())

    def writeConnectionLost(self) -> None:
        """All that we had to send is sent."""

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """It is gone."""
        if not isinstance(reason.value, error.ConnectionDone | error.ConnectionAborted):
            self._session.lost(Loss.RESET)
        self._peer.gone(self)
        self.gone.callback(None)

    def hang_up(self) -> None:
        """End it in order."""
        self._do(self._session.hang_up())

    def abort(self) -> None:
        """Break it off."""
        self.transport.abortConnection()

    def _do(self, output: Output) -> None:
        if output.send:
            self.transport.write(output.send)
        if output.ending is Ending.RESET:
            self.transport.abortConnection()
        elif self._ended:
            self.transport.loseConnection()
        elif output.ending is Ending.CLOSE:
            self.transport.loseWriteConnection()
        if self._session.concluded:
            self._peer.conclude(self.meeting)


class _ClientFactory(protocol.ClientFactory):
    noisy = False

    def __init__(self, peer: TlsPeer, target: Address) -> None:
        self._peer = peer
        self._target = target
        self.source: Address = ("", 0)

    def buildProtocol(self, addr: interfaces.IAddress | None) -> protocol.Protocol:
        """The connection, which stands."""
        return self._peer.meet(serves=False)

    def clientConnectionFailed(self, connector: interfaces.IConnector, reason: Failure) -> None:
        """Refused, unreachable, timed out."""
        self._peer.unreachable(self.source, self._target)
