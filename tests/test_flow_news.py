"""What an observer hears of the connections of an inline ALG, packet by packet."""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, Malformed, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.nat.table import Endpoint
from alg.router import NatRouter
from alg.tcp.flow import TcpFlow
from tests.edge.messages import options, request
from tests.helpers.ipv4 import tcp
from tests.tcp.endpoint import ACK, FIN, RST, SYN

INSIDE, REMOTE, OUTSIDE = ("10.0.30.2", 40000), ("192.0.2.1", 5060), ("203.0.113.10", 40000)
MAPPED, MAPPED_OUTSIDE = ("10.0.30.7", 5060), ("203.0.113.7", 5060)


class Listener:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def connected(self, connection: int, client: Endpoint, called: Endpoint, target: Endpoint) -> None:
        """A connection stands."""
        self.heard.append(f"{connection} {client} called {called} at {target}")

    def refused(self, connection: int, client: Endpoint, target: Endpoint, reason: str) -> None:
        """It came to nothing."""
        self.heard.append(f"{connection} {client} refused by {target}: {reason}")

    def closed(self, connection: int, reason: str, flow: TcpFlow) -> None:
        """It is over."""
        counts = [flow.offsets(direction) for direction in Direction]
        self.heard.append(f"{connection} {reason} {counts}")


class Session:
    """A router, who listens to it, and a connection."""

    def __init__(self) -> None:
        network = IPNetwork("10.0.30.0/24")
        nat = NatConfig((AddressMap.parse("10.0.30.7=203.0.113.7"),), (IPAddress("203.0.113.10"),), (network,))
        self.listener = Listener()
        config = AlgConfig(nat=nat, malformed=Malformed.CLOSE)
        self.router = NatRouter(Alg(config), (network,), observer=self.listener)
        self.now = 0.0

    def outward(self, flags: int, seq: int = 1, ack: int = 1, payload: bytes = b"", port: int = 5060) -> None:
        """The inside sends."""
        self.router.handle(tcp(INSIDE, (REMOTE[0], port), seq, ack, flags, payload), self.now)

    def inward(self, flags: int, seq: int = 1, ack: int = 1, payload: bytes = b"", port: int = 5060) -> None:
        """The outside sends."""
        self.router.handle(tcp((REMOTE[0], port), OUTSIDE, seq, ack, flags, payload), self.now)

    def open(self, port: int = 5060) -> None:
        """The handshake."""
        self.outward(SYN, 0, 0, port=port)
        self.inward(SYN | ACK, 0, 1, port=port)
        self.outward(ACK, port=port)

    def heard(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.listener.heard = self.listener.heard, []
        return heard


CALLED = "1 10.0.30.2:40000 called 192.0.2.1:5060 at 192.0.2.1:5060"


@pytest.fixture
def session() -> Session:
    """Before anything has happened."""
    return Session()


def test_a_connection_from_inside(session: Session) -> None:
    """It stands when the other side has answered; it is closed once, with what crossed it."""
    session.outward(SYN, 0, 0)
    assert session.heard() == []
    session.inward(SYN | ACK, 0, 1)
    assert session.heard() == [CALLED]
    session.outward(ACK)
    size, grown = len(options("10.0.30.2")), len(options("203.0.113.10"))
    session.outward(ACK, 1, 1, options("10.0.30.2"))
    session.outward(FIN | ACK, 1 + size)
    session.inward(FIN | ACK, 1, 2 + grown)
    assert session.heard() == []
    session.outward(ACK, 2 + size, 2)
    assert session.heard() == [f"1 closed [({size}, {grown}), (0, 0)]"]
    session.inward(FIN | ACK, 1, 2 + grown)
    session.router.expire(1000.0)
    session.router.close()
    assert session.heard() == []


def test_a_connection_from_outside(session: Session) -> None:
    """What was called stands for the target."""
    for source, destination, flags in ((REMOTE, MAPPED_OUTSIDE, SYN), (MAPPED, REMOTE, SYN | ACK)):
        session.router.handle(tcp(source, destination, 0, 1, flags), 0.0)
    assert session.heard() == ["1 192.0.2.1:5060 called 203.0.113.7:5060 at 10.0.30.7:5060"]


def test_refused(session: Session) -> None:
    """A SYN that is answered by a RST, or by nobody."""
    session.outward(SYN, 0, 0)
    session.inward(RST | ACK, 0, 1)
    assert session.heard() == ["1 10.0.30.2:40000 refused by 192.0.2.1:5060: reset"]
    session.outward(SYN, 700, 0)
    session.router.expire(240.0)
    assert session.heard() == ["2 10.0.30.2:40000 refused by 192.0.2.1:5060: no answer"]


def test_reset(session: Session) -> None:
    """Once, however often."""
    session.open()
    session.inward(RST | ACK)
    session.inward(RST | ACK)
    assert session.heard() == [CALLED, "1 reset [(0, 0), (0, 0)]"]


def test_cut_by_the_configuration(session: Session) -> None:
    """The reason is why its bytes cannot be framed."""
    session.open()
    session.outward(ACK, 1, 1, b"this is no SIP\r\n\r\n")
    [_, closed] = session.heard()
    assert closed == "1 no SIP start line (offset 0) [(18, 0), (0, 0)]"


def test_given_up(session: Session) -> None:
    """Nobody acknowledges what we owe."""
    session.open()
    message = request("10.0.30.2")
    session.outward(ACK, 1, 1, message[:400])
    session.outward(ACK, 401, 1, message[400:])
    while (deadline := session.router.timer()) is not None:
        session.router.handle_timer(deadline)
    [_, closed] = session.heard()
    assert closed.startswith("1 no acknowledgment after 10 repetitions ")


def test_silence(session: Session) -> None:
    """Two hours and four minutes."""
    session.open()
    session.router.expire(7440.0)
    assert session.heard() == [CALLED, "1 silent for 7440 seconds [(0, 0), (0, 0)]"]


def test_another_connection_in_its_place(session: Session) -> None:
    """Both ends have forgotten the first one."""
    session.open()
    session.outward(SYN, 7000, 0)
    assert session.heard() == [CALLED]
    session.inward(SYN | ACK, 9000, 7001)
    assert session.heard() == [
        "1 another connection took its place [(0, 0), (0, 0)]",
        "2 10.0.30.2:40000 called 192.0.2.1:5060 at 192.0.2.1:5060",
    ]


def test_the_process_ends(session: Session) -> None:
    """What stood is closed, for whoever counts."""
    session.open()
    session.open(5061)
    session.open(80)
    session.router.close()
    assert session.heard() == [CALLED, "1 shutdown [(0, 0), (0, 0)]"]


def test_in_mid_stream(session: Session) -> None:
    """The side that was heard first counts as the client."""
    session.inward(ACK, 500, 800, b"bytes")
    assert session.heard() == []
    session.router.handle(tcp(MAPPED, REMOTE, 500, 800, ACK, b"bytes"), 0.0)
    session.router.handle(tcp(REMOTE, MAPPED_OUTSIDE, 800, 505, ACK), 0.0)
    assert session.heard() == ["1 10.0.30.7:5060 called 192.0.2.1:5060 at 192.0.2.1:5060"]
