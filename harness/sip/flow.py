"""What SIP travels on: connections and UDP sockets as `Flow`, where to send as `Target`, and who listens in.

Strategy: whoever sends knows a flow by its ends and whether it is reliable. Whoever listens in (`Tap`) is told of every
connection and of every message as the bytes that went over the wire, which is what an Expressway's log is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from alg.errors import SipalgError, SipSyntaxError
from harness.sip.message import Message, Request, Response
from harness.sip.stream import KeepAlive, Oversize
from harness.sip.uri import Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send."""

    transport: str
    """UDP, TCP or TLS."""
    host: str
    """An address."""
    port: int
    name: str = ""
    """By which it was looked up: what TLS asks for and verifies."""

    @property
    def address(self) -> Address:
        """Host and port."""
        return self.host, self.port


class Loss(Enum):
    """How a connection ended."""

    HUNG_UP = "closed by us"
    EOF = "closed by the other side"
    RESET = "reset by the other side"
    TIMEOUT = "timed out"
    REFUSED = "could not be made"
    TLS = "TLS failed"
    OVERSIZE = "a message was too large"
    UNFRAMED = "no SIP came"


class FlowFailed(SipalgError):
    """There is no way to a target."""

    def __init__(self, target: Target, loss: Loss, detail: str = "") -> None:
        words = f"{target.transport} {target.host}:{target.port}: {loss.value}"
        super().__init__(f"{words}: {detail}" if detail else words)
        self.target = target
        self.loss = loss
        self.detail = detail


class Flow(Protocol):
    """A connection, or a UDP socket and one address that it talks to."""

    @property
    def kind(self) -> str:
        """UDP, TCP or TLS."""

    @property
    def reliable(self) -> bool:
        """Nothing has to be sent twice."""

    @property
    def local(self) -> Address:
        """This end."""

    @property
    def remote(self) -> Address:
        """The other end."""

    @property
    def serves(self) -> bool:
        """The other end made the connection."""

    @property
    def open(self) -> bool:
        """Whether something can still be sent."""

    def send(self, message: Message) -> bool:
        """Send a message, with a Content-Length if it has none; whether that was possible."""


class Tap:
    """Somebody who listens in; each method does nothing until it is overridden."""

    def sent(self, flow: Flow, data: bytes) -> None:
        """A message was sent."""

    def received(self, flow: Flow, data: bytes) -> None:
        """A message came."""

    def kept_alive(self, flow: Flow, what: KeepAlive) -> None:
        """A keep-alive came."""

    def connecting(self, local: Address, target: Target) -> None:
        """A connection is being made."""

    def connected(self, flow: Flow) -> None:
        """A TCP connection stands; TLS is still to come."""

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """A connection could not be made."""

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """A connection is gone."""

    def oversized(self, flow: Flow, message: Oversize) -> None:
        """A message was too large; the connection is about to be dropped."""

    def malformed(self, flow: Flow, data: bytes, error: SipSyntaxError) -> None:
        """Something came that is no SIP message, or none that can be handled."""


class Receiver(Protocol):
    """Who gets what comes."""

    def receive(self, message: Request | Response, flow: Flow) -> None:
        """A message came."""

    def flow_lost(self, flow: Flow, loss: Loss) -> None:
        """A connection is gone."""
