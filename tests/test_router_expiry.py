"""When the NAT router lets go of a binding: ports come back, connections that stand keep theirs.

Strategy: time is an argument; `expire` is called every ten seconds, as the command does. That a binding is gone shows
in that nobody is reached through it, and that others get its port.
"""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.router import NatRouter
from tests.edge.messages import options, request
from tests.helpers.ipv4 import ECHO_REPLY, UNREACHABLE, echo, icmp, judged, tcp, udp
from tests.tcp.endpoint import ACK, FIN, RST, SYN

INSIDE, OTHER, REMOTE = ("10.0.30.2", 40000), ("10.0.30.3", 40000), ("192.0.2.1", 5060)
WEB = ("192.0.2.1", 80)
POOL, OUTSIDE = "203.0.113.10", ("203.0.113.10", 40000)


class Router:
    """A router with a clock."""

    def __init__(self) -> None:
        network = IPNetwork("10.0.30.0/24")
        self.nat = NatRouter(Alg(AlgConfig(nat=NatConfig((), (IPAddress(POOL),), (network,)))), (network,))
        self.now = 0.0

    def handle(self, data: bytes) -> list[bytes]:
        """A packet, now."""
        return self.nat.handle(data, self.now)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        stop = self.now + seconds
        while self.now < stop:
            self.now = min(self.now + 10.0, stop)
            self.nat.expire(self.now)

    def reached(self, data: bytes) -> bool:
        """Whether a packet from the outside gets in. One that does keeps the binding."""
        return bool(self.handle(data))

    def connect(self, remote: tuple[str, int]) -> None:
        """A connection from the inside."""
        for source, destination, flags in (
            (INSIDE, remote, SYN),
            (remote, OUTSIDE, SYN | ACK),
            (INSIDE, remote, ACK),
        ):
            number = 0 if flags & SYN else 1
            assert self.handle(tcp(source, destination, number, 1, flags))


@pytest.fixture
def router() -> Router:
    """Without bindings."""
    return Router()


def test_udp(router: Router) -> None:
    """Five minutes of silence; what comes from either side begins them anew."""
    router.handle(udp(INSIDE, WEB))
    for packet in (udp(INSIDE, WEB), udp(WEB, OUTSIDE)):
        router.wait(290.0)
        assert router.handle(packet)
    router.wait(320.0)
    assert not router.reached(udp(WEB, OUTSIDE))
    assert judged(router.handle(udp(OTHER, WEB))[0]).source == OUTSIDE


def test_ping(router: Router) -> None:
    """A minute."""
    router.handle(echo(INSIDE[0], REMOTE[0], 7))
    router.wait(60.0)
    assert router.reached(echo(REMOTE[0], POOL, 7, ECHO_REPLY))
    router.wait(80.0)
    assert not router.reached(echo(REMOTE[0], POOL, 7, ECHO_REPLY))


def test_errors_keep_nothing_alive(router: Router) -> None:
    """Errors about a datagram come in for as long as the binding stands, and not because they do."""
    [sent] = router.handle(udp(INSIDE, WEB))
    error = icmp(WEB[0], POOL, UNREACHABLE, 3, b"\0\0\0\0" + sent[:28])
    for _ in range(3):
        router.wait(100.0)
        assert router.reached(error)
    router.wait(20.0)
    assert not router.reached(error)


@pytest.mark.parametrize("remote", [REMOTE, WEB], ids=["looked into", "plain"])
class TestTcp:
    """The same, whether the ALG looks into a connection or not."""

    def test_standing(self, router: Router, remote: tuple[str, int]) -> None:
        """Two hours of silence are no end; two hours and four minutes are, and four minutes later so is the binding."""
        router.connect(remote)
        router.wait(7430.0)
        assert judged(router.handle(tcp(remote, OUTSIDE, 1, 1, ACK))[0]).destination == INSIDE
        router.wait(7440.0 + 260.0)
        assert not router.reached(tcp(remote, OUTSIDE, 1, 1, ACK))

    def test_closed(self, router: Router, remote: tuple[str, int]) -> None:
        """Four minutes for what is under way; then the port is free."""
        router.connect(remote)
        router.handle(tcp(INSIDE, remote, 1, 1, FIN | ACK))
        router.handle(tcp(remote, OUTSIDE, 1, 2, FIN | ACK))
        router.handle(tcp(INSIDE, remote, 2, 2, ACK))
        router.wait(230.0)
        assert judged(router.handle(tcp(OTHER, remote, 0, 0, SYN))[0]).source != OUTSIDE
        router.wait(40.0)
        assert not router.reached(tcp(remote, OUTSIDE, 2, 2, ACK))
        assert judged(router.handle(tcp(("10.0.30.4", 40000), remote, 0, 0, SYN))[0]).source == OUTSIDE

    def test_half_closed(self, router: Router, remote: tuple[str, int]) -> None:
        """The other side may still send, however late."""
        router.connect(remote)
        router.handle(tcp(INSIDE, remote, 1, 1, FIN | ACK))
        router.wait(7000.0)
        assert router.reached(tcp(remote, OUTSIDE, 1, 2, ACK, options(POOL)))

    def test_reset(self, router: Router, remote: tuple[str, int]) -> None:
        """By either side."""
        router.connect(remote)
        router.handle(tcp(remote, OUTSIDE, 1, 1, RST))
        router.wait(270.0)
        assert not router.reached(tcp(remote, OUTSIDE, 1, 1, ACK))

    def test_never_answered(self, router: Router, remote: tuple[str, int]) -> None:
        """A SYN into the dark."""
        router.handle(tcp(INSIDE, remote, 0, 0, SYN))
        router.wait(270.0)
        assert not router.reached(tcp(remote, OUTSIDE, 1, 1, SYN | ACK))

    def test_one_of_two(self, router: Router, remote: tuple[str, int]) -> None:
        """A binding serves all connections of an inside endpoint; it stands while one of them does."""
        router.connect(remote)
        router.connect((remote[0], remote[1] + 1))
        router.handle(tcp(remote, OUTSIDE, 1, 1, RST))
        router.wait(7000.0)
        assert router.reached(tcp((remote[0], remote[1] + 1), OUTSIDE, 1, 1, ACK))


def test_what_a_message_names(router: Router) -> None:
    """The media that an INVITE describes may come two hours later, and a call to the Contact."""
    router.connect(REMOTE)
    router.handle(tcp(INSIDE, REMOTE, 1, 1, ACK, request(INSIDE[0])))
    router.wait(7400.0)
    for port in (49170, 49171):
        assert router.reached(udp(WEB, (POOL, port)))
    assert router.reached(tcp(WEB, (POOL, 5060), 0, 0, SYN))
    router.wait(320.0)
    assert not router.reached(udp(WEB, (POOL, 49170)))
