"""One TCP connection that carries SIP, with TLS or without (RFC 3261 18, RFC 5626 3.5.1).

Strategy: the layer says what goes over the wire, the reader says where messages end; what they say is carried out and
told to taps and to the owner. However a connection ends, the owner hears of it exactly once.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet import defer, error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from harness.sip.flow import Loss, Target
from harness.sip.message import Message
from harness.sip.security import Ending, Layer, Step
from harness.sip.stream import Item, KeepAlive, StreamReader
from harness.sip.uri import Address

_FAREWELL = 1.0
"""Seconds that the other side has to close its side of a connection that we closed; then it is reset."""


class Owner(Protocol):
    """To whom connections belong."""

    def opened(self, connection: Connection) -> None:
        """TCP stands."""

    def ready(self, connection: Connection) -> None:
        """SIP can be sent."""

    def came(self, connection: Connection, item: Item) -> None:
        """Something ended in the bytes that came."""

    def written(self, connection: Connection, data: bytes) -> None:
        """A message was sent."""

    def gone(self, connection: Connection, loss: Loss, detail: str) -> None:
        """It is no more."""


@implementer(interfaces.IHalfCloseableProtocol)
class Connection(protocol.Protocol):
    """A Flow."""

    transport: Any
    reliable = True

    def __init__(
        self,
        kind: str,
        layer: Layer,
        owner: Owner,
        max_message: int,
        target: Target | None,
        clock: Any,
        patience: float = 10.0,
        reads_to_limit: bool = False,
    ) -> None:
        """`target` if we made it; `clock` is a reactor's; `patience` is how many seconds a handshake may take;
        `reads_to_limit` as TransportSettings has it.
        """
        self.kind = kind
        self.target = target
        self.serves = target is None
        self.local: Address = ("", 0)
        self.remote: Address = ("", 0)
        self.finished: defer.Deferred[None] = defer.Deferred()
        """Fires when the connection is gone."""
        self._layer = layer
        self._owner = owner
        self._reader = StreamReader(self.serves, max_message, reads_to_limit)
        self._clock = clock
        self._patience = patience
        self._ready = False
        self._loss: tuple[Loss, str] | None = None
        """Why it ends, once that is known."""
        self._gone = False
        self._killer: Any = None
        """Ends what the other side does not."""

    @property
    def open(self) -> bool:
        """Whether something can be sent."""
        return self._ready and self._loss is None

    def send(self, message: Message) -> bool:
        """As `Flow` has it."""
        if not self.open:
            return False
        data = message.with_length().to_bytes()
        self.send_bytes(data)
        self._owner.written(self, data)
        return True

    def send_bytes(self, data: bytes) -> None:
        """Bytes that are no message, or none that a `Message` can be; nobody listens in."""
        if self.open:
            self._do(self._layer.write(data))

    def hang_up(self, loss: Loss = Loss.HUNG_UP, detail: str = "") -> None:
        """End it in order."""
        if self._loss is None:
            self._loss = (loss, detail)
            self._do(self._layer.hang_up())

    def abort(self, loss: Loss = Loss.HUNG_UP, detail: str = "") -> None:
        """Reset it."""
        self._loss = self._loss or (loss, detail)
        self.transport.abortConnection()

    def connectionMade(self) -> None:
        """TCP stands."""
        here, there = self.transport.getHost(), self.transport.getPeer()
        self.local, self.remote = (here.host, here.port), (there.host, there.port)
        self.transport.setTcpNoDelay(True)
        self._owner.opened(self)
        self._killer = self._clock.callLater(self._patience, self.abort, Loss.TIMEOUT, "in the handshake")
        self._do(self._layer.opened(self.local, self.remote))

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        self._do(self._layer.feed(data))

    def readConnectionLost(self) -> None:
        """The other side sends no more; nor do we."""
        if self._loss is None:
            self._loss = (Loss.EOF, "")
            self._layer.lost(Loss.EOF)
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Everything was sent."""

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """It is gone."""
        self._spare()
        if self._loss is None:
            clean = isinstance(reason.value, error.ConnectionDone)
            self._loss = (Loss.EOF, "") if clean else (Loss.RESET, reason.getErrorMessage())
            self._layer.lost(self._loss[0])
        self._gone = True
        self._owner.gone(self, *self._loss)
        self.finished.callback(None)

    def _do(self, step: Step) -> None:
        if step.send and not self._gone:
            self.transport.write(step.send)
        if not self._ready and self._layer.up and self._loss is None:
            self._ready = True
            self._spare()
            self._owner.ready(self)
        if step.clear and self._loss is None:
            self._take(step.clear)
        if step.ending is Ending.STAY or self._gone:
            return
        loss = (Loss.TLS, step.failure) if step.failure else (Loss.EOF, "")
        self._loss = self._loss or loss
        if step.ending is Ending.RESET:
            self.transport.abortConnection()
            return
        self.transport.loseWriteConnection()
        self._spare()
        self._killer = self._clock.callLater(_FAREWELL, self.transport.abortConnection)

    def _spare(self) -> None:
        if self._killer is not None and self._killer.active():
            self._killer.cancel()

    def _take(self, clear: bytes) -> None:
        for item in self._reader.feed(clear):
            if self._loss is not None:
                return
            if item is KeepAlive.PING:
                self.send_bytes(b"\r\n")
            self._owner.came(self, item)
