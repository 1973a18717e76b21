"""The tun device's protocol: packets in and out, and the timer of the flows behind it. Real devices: tests/e2e."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.edge.inline import InlineAlg
from alg.router import NatRouter
from tests.edge.messages import request
from tests.helpers.ipv4 import judged, tcp, udp
from tests.tcp.endpoint import ACK, SYN, read

INSIDE, POOL, REMOTE = "10.0.30.2", "203.0.113.10", "192.0.2.1"


class Device:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.refuses = 0
        self.stopped = False

    def write(self, data: bytes) -> int:
        """One packet; errno ENETDOWN if it is to refuse one."""
        if self.refuses:
            self.refuses -= 1
            raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))
        self.written.append(data)
        return len(data)

    def stopListening(self) -> Deferred[None]:
        """Gone."""
        self.stopped = True
        return succeed(None)


class Setup:
    """A protocol on a device, with a clock."""

    def __init__(self) -> None:
        network = IPNetwork("10.0.30.0/24")
        config = AlgConfig(nat=NatConfig((), (IPAddress(POOL),), (network,)))
        self.router = NatRouter(Alg(config), (network,))
        self.clock = Clock()
        self.device = Device()
        reactor: Any = self.clock
        self.inline = InlineAlg(reactor, self.router)
        self.inline.makeConnection(self.device)

    def take(self, data: bytes) -> list[bytes]:
        """A packet comes; what is written."""
        self.device.written.clear()
        self.inline.datagramReceived(data)
        return list(self.device.written)

    def hold(self, port: int) -> None:
        """A connection whose message is held until its second half comes, and then is not acknowledged."""
        inside, remote = (INSIDE, port), (REMOTE, 5060)
        self.take(tcp(inside, remote, 0, 0, SYN))
        self.take(tcp(remote, (POOL, port), 0, 1, SYN | ACK))
        message = request(INSIDE)
        self.take(tcp(inside, remote, 1, 1, ACK, message[:400]))
        self.take(tcp(inside, remote, 401, 1, ACK, message[400:]))


@pytest.fixture
def setup() -> Setup:
    """A new one."""
    return Setup()


def test_a_packet(setup: Setup) -> None:
    """It comes out translated."""
    [out] = setup.take(udp((INSIDE, 4000), (REMOTE, 53)))
    assert judged(out).source == (POOL, 4000)
    assert setup.clock.getDelayedCalls() == []


def test_what_we_owe_is_sent_again(setup: Setup) -> None:
    """On time, and later and later, until it is acknowledged; then there is nothing to wait for."""
    setup.hold(4000)
    times = []
    for _ in range(3):
        [call] = setup.clock.getDelayedCalls()
        setup.device.written.clear()
        setup.clock.advance(call.getTime() - setup.clock.seconds())
        assert [read(packet).payload for packet in setup.device.written] == [request(POOL)]
        times.append(setup.clock.seconds())
    assert times == [1.0, 3.0, 7.0]
    setup.take(tcp((REMOTE, 5060), (POOL, 4000), 1, 1 + len(request(POOL)), ACK))
    setup.device.written.clear()
    setup.clock.advance(100.0)
    assert setup.device.written == []
    assert setup.clock.getDelayedCalls() == []


def test_two_connections_that_wait(setup: Setup) -> None:
    """One call of the clock for both, at the earlier time."""
    setup.hold(4000)
    setup.clock.advance(0.5)
    setup.hold(4001)
    [call] = setup.clock.getDelayedCalls()
    assert call.getTime() == 1.0
    setup.device.written.clear()
    for _ in range(2):
        setup.clock.advance(0.5)
    assert [judged(packet).source for packet in setup.device.written] == [(POOL, 4000), (POOL, 4001)]


def test_a_connection_that_cannot_wait_as_long(setup: Setup) -> None:
    """One that comes later may have to be served earlier."""
    setup.hold(4000)
    setup.clock.advance(1.0)
    setup.clock.advance(0.2)
    setup.hold(4001)
    [call] = setup.clock.getDelayedCalls()
    assert call.getTime() == pytest.approx(2.2)


def test_a_packet_that_cannot_be_written(setup: Setup) -> None:
    """It is lost and counted, and the next one goes out."""
    setup.device.refuses = 1
    assert setup.take(udp((INSIDE, 4000), (REMOTE, 53))) == []
    assert setup.router.counters["not written: Network is down"] == 1
    assert len(setup.take(udp((INSIDE, 4000), (REMOTE, 53)))) == 1


def test_stop(setup: Setup) -> None:
    """The device goes, and nothing is left to be called."""
    setup.hold(4000)
    setup.inline.stop()
    assert setup.device.stopped
    assert setup.clock.getDelayedCalls() == []


def test_stop_inside_a_message(setup: Setup) -> None:
    """The part that was acknowledged to its sender goes out before the device goes."""
    inside, remote = (INSIDE, 4000), (REMOTE, 5060)
    setup.take(tcp(inside, remote, 0, 0, SYN))
    setup.take(tcp(remote, (POOL, 4000), 0, 1, SYN | ACK))
    part = request(INSIDE)[:400]
    setup.take(tcp(inside, remote, 1, 1, ACK, part))
    setup.device.written.clear()
    setup.inline.stop()
    assert [read(packet).payload for packet in setup.device.written] == [part]
    assert setup.device.stopped
    assert setup.clock.getDelayedCalls() == []


def test_nothing_above(setup: Setup) -> None:
    """The packets are for the router alone."""
    with pytest.raises(NotImplementedError):
        setup.inline.addProto(6, None)
