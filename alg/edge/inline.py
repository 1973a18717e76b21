"""Packets through a tun device: the kernel routes them in, the NAT router of `alg.router` handles them, they go back.

Strategy: one read is one IPv4 packet. What the router gives out is written to the same device; the kernel takes it as
having come in there and routes it on. Flows that owe bytes to somebody say when they want to be called again.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import interfaces
from twisted.pair import raw, tuntap
from zope.interface import implementer

from alg.router import NatRouter

_LARGEST_PACKET = 65535


@implementer(raw.IRawPacketProtocol)
class InlineAlg:
    """The protocol of the tun device."""

    def __init__(self, reactor: Any, router: NatRouter) -> None:
        self.transport: Any = None
        self._reactor = reactor
        self._router = router
        self._timer: interfaces.IDelayedCall | None = None

    def open(self, device: str) -> str:
        """Create the tun device; its name. Raises twisted.internet.error.CannotListenError."""
        tunnel: Any = tuntap.TuntapPort
        port = tunnel(device.encode(), self, maxPacketSize=_LARGEST_PACKET, reactor=self._reactor)
        port.startListening()
        name: bytes = port.interface
        return name.decode()

    def makeConnection(self, transport: Any) -> None:
        """The device stands."""
        self.transport = transport

    def doStop(self) -> None:
        """The device is gone."""

    def addProto(self, num: int, proto: object) -> None:
        """There is nothing above us."""
        raise NotImplementedError("the packets of a tun device go to the router")

    def datagramReceived(self, data: bytes, partial: int = 0, *_: object) -> None:
        """One packet."""
        self._send(self._router.handle(data, self._reactor.seconds()))

    def _wake(self) -> None:
        self._timer = None
        self._send(self._router.handle_timer(self._reactor.seconds()))

    def _send(self, packets: list[bytes]) -> None:
        for packet in packets:
            try:
                self.transport.write(packet)
            except OSError as failure:
                self._router.counters[f"not written: {failure.strerror}"] += 1
        deadline = self._router.timer()
        if deadline is None:
            self._cancel()
        elif self._timer is None or self._timer.getTime() > deadline:
            self._cancel()
            self._timer = self._reactor.callLater(max(0.0, deadline - self._reactor.seconds()), self._wake)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop(self) -> Any:
        """Give away what is held back, and remove the device; a Deferred."""
        self._send(self._router.release(self._reactor.seconds()))
        self._cancel()
        return self.transport.stopListening()
