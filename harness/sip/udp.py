"""UDP sockets that carry SIP: a datagram is a message (RFC 3261 18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet import protocol

from harness.sip.message import Message
from harness.sip.uri import Address

_KEEP_ALIVE = b"\r\n\0 \t"
"""What a datagram consists of that only keeps a NAT's door open."""
_LARGEST = 65507
"""Bytes of a UDP datagram over IPv4."""


class DatagramOwner(Protocol):
    """To whom sockets belong."""

    def datagram(self, flow: UdpFlow, data: bytes) -> None:
        """A message came, or what should be one."""

    def datagram_sent(self, flow: UdpFlow, data: bytes) -> None:
        """A message was sent."""


class UdpSocket(protocol.DatagramProtocol):
    """One port."""

    transport: Any

    def __init__(self, owner: DatagramOwner) -> None:
        self.local: Address = ("", 0)
        self.open = False
        self._owner = owner

    def startProtocol(self) -> None:
        """The port is bound."""
        here = self.transport.getHost()
        self.local = (here.host, here.port)
        self.open = True

    def stopProtocol(self) -> None:
        """The port is closed."""
        self.open = False

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """A datagram came."""
        if datagram.strip(_KEEP_ALIVE):
            self._owner.datagram(UdpFlow(self, (addr[0], addr[1])), datagram)

    def send(self, flow: UdpFlow, data: bytes) -> bool:
        """Whether that was possible."""
        if not self.open or len(data) > _LARGEST:
            return False
        try:
            self.transport.write(data, flow.remote)
        except OSError:
            return False
        self._owner.datagram_sent(flow, data)
        return True


@dataclass(frozen=True, slots=True)
class UdpFlow:
    """A Flow: a socket and whom it talks to."""

    socket: UdpSocket
    remote: Address
    kind: str = "UDP"
    reliable: bool = False
    serves: bool = False

    @property
    def local(self) -> Address:
        """Of the socket."""
        return self.socket.local

    @property
    def open(self) -> bool:
        """As long as the socket is."""
        return self.socket.open

    def send(self, message: Message) -> bool:
        """As `Flow` has it."""
        return self.socket.send(self, message.with_length().to_bytes())
