"""UDP sockets: what they can send, and what they take for a message."""

from __future__ import annotations

from typing import Any

from harness.sip.udp import UdpFlow, UdpSocket
from tests.harness.sip.samples import request

HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.2", 5061)


class Port:
    """A datagram transport in memory."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []
        self.full = False

    def getHost(self) -> Any:  # noqa: N802
        """Where it is bound."""
        return type("Here", (), {"host": HERE[0], "port": HERE[1]})

    def write(self, data: bytes, address: Any) -> None:
        """Send, unless the kernel does not want to."""
        if self.full:
            raise OSError("network is unreachable")
        self.sent.append((data, address))


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.came: list[tuple[UdpFlow, bytes]] = []
        self.went: list[bytes] = []
        self.socket = UdpSocket(self)
        self.port = Port()
        self.socket.transport = self.port
        self.socket.startProtocol()

    def datagram(self, flow: UdpFlow, data: bytes) -> None:
        """As DatagramOwner has it."""
        self.came.append((flow, data))

    def datagram_sent(self, flow: UdpFlow, data: bytes) -> None:
        """As DatagramOwner has it."""
        self.went.append(data)


def test_flow() -> None:
    """Has two ends and no memory."""
    owner = Owner()
    owner.socket.datagramReceived(b"OPTIONS ...", THERE)
    flow, data = owner.came[0]
    assert (flow.local, flow.remote, flow.reliable, flow.kind, data) == (HERE, THERE, False, "UDP", b"OPTIONS ...")
    assert flow.send(request().drop("Content-Length"))
    assert owner.port.sent[0][1] == THERE
    assert owner.went[0].endswith(b"Content-Length: 0\r\n\r\n")


def test_keep_alives_are_nothing() -> None:
    """Line ends, zeroes, nothing at all."""
    owner = Owner()
    for data in (b"", b"\r\n\r\n", b"\0\0\0\0", b" "):
        owner.socket.datagramReceived(data, THERE)
    assert owner.came == []


def test_cannot_be_sent() -> None:
    """Larger than a datagram, refused by the kernel, closed: told by the result."""
    owner = Owner()
    flow = UdpFlow(owner.socket, THERE)
    assert not flow.send(request().with_body(b"x" * 65507))
    owner.port.full = True
    assert not flow.send(request())
    owner.port.full = False
    owner.socket.stopProtocol()
    assert not flow.open
    assert not flow.send(request())
    assert owner.went == []
