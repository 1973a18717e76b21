"""An element's transport on real sockets, and who talks to it."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred

from alg.errors import SipSyntaxError
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.message import Request, Response
from harness.sip.security import Secure
from harness.sip.stream import KeepAlive, Oversize
from harness.sip.transport import Transport, TransportSettings
from harness.sip.uri import Address
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE

HOST = "127.0.0.1"


class Noting(Tap):
    """What a tap hears, in words."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def sent(self, flow: Flow, data: bytes) -> None:
        """A message."""
        self.said.append(f"sent {data.split(b' ')[0].decode()}")

    def received(self, flow: Flow, data: bytes) -> None:
        """A message."""
        self.said.append(f"received {data.split(b' ')[0].decode()}")

    def kept_alive(self, flow: Flow, what: KeepAlive) -> None:
        """A keep-alive."""
        self.said.append(what.name.lower())

    def connecting(self, local: Address, target: Target) -> None:
        """A connection begins."""
        self.said.append("connecting")

    def connected(self, flow: Flow) -> None:
        """It stands."""
        self.said.append("connected")

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """It could not be made."""
        self.said.append(f"failed: {failure.loss.value}")

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """It is gone."""
        self.said.append(loss.value)

    def oversized(self, flow: Flow, message: Oversize) -> None:
        """Too much."""
        self.said.append(f"oversize {message.size}")

    def malformed(self, flow: Flow, data: bytes, error: SipSyntaxError) -> None:
        """Not SIP."""
        self.said.append(f"malformed: {error.rule}")


class Node:
    """A transport whose receiver keeps what comes."""

    def __init__(self, turned: Turned, secure: Secure | None = None, **settings: Any) -> None:
        self.turned = turned
        self.messages: list[tuple[Request | Response, Flow]] = []
        self.losses: list[Loss] = []
        self.tap = Noting()
        self.transport = Transport(turned.reactor, self, TransportSettings(secure=secure, **settings))
        self.transport.taps.append(self.tap)

    def receive(self, message: Request | Response, flow: Flow) -> None:
        """As Receiver has it."""
        self.messages.append((message, flow))

    def flow_lost(self, flow: Flow, loss: Loss) -> None:
        """As Receiver has it."""
        self.losses.append(loss)

    def flow(self, target: Target) -> Any:
        """To a target."""
        return self.turned.result(self.transport.flow_to(target))

    def got(self, count: int) -> list[Request | Response]:
        """So many messages."""
        self.turned.until(f"{count} messages", lambda: len(self.messages) >= count)
        return [message for message, _ in self.messages]

    def heard(self, text: str) -> None:
        """Wait for a tap to hear something."""
        self.turned.until(text, lambda: text in self.tap.said)

    def close(self) -> None:
        """It is gone."""
        self.turned.result(Deferred.fromCoroutine(self.transport.close()))


def dial(address: Address) -> socket.socket:
    """A connection by the kernel alone."""
    client = socket.create_connection(address, PATIENCE)
    client.settimeout(PATIENCE)
    return client
