"""When a transparent proxy lets go of what the pool gave to its connections and to the messages on them."""

from __future__ import annotations

from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork
from twisted.internet.task import Clock

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.edge.crossing import Crossing
from alg.edge.entrance import Address
from alg.edge.inspecting import ListenerInspection
from alg.edge.proxy import AlgProxy
from alg.edge.transparent import TransparentListener
from tests.edge.messages import options
from tests.edge.test_entrance import Accepted

BOUND: Address = ("0.0.0.0", 15060)
SERVER: Address = ("203.0.113.20", 5060)
POOL = "203.0.113.10"


class Held(Accepted):
    """A connection that waits for its other leg."""

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's
        """It has not sent anything."""


class Setup:
    """A proxy with a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        nat = NatConfig(pool=(IPAddress(POOL),), inside=(IPNetwork("10.0.30.0/24"),))
        self.alg = Alg(AlgConfig(nat=nat))
        reactor: Any = self.clock
        self.proxy = AlgProxy(reactor, self.alg)

    def connection(self, client: Address, target: Address = SERVER) -> Crossing:
        """One that is intercepted."""
        crossing = self.proxy.accept(TransparentListener(BOUND), BOUND, ListenerInspection())
        transport: Any = Held(client, target)
        crossing.client.transport = transport
        crossing.find_path()
        return crossing

    def wait(self, seconds: float) -> None:
        """Time passes; the command calls every five seconds."""
        for _ in range(int(seconds // 5)):
            self.clock.advance(5.0)
            self.proxy.expire()


@pytest.fixture
def setup() -> Setup:
    """A new one."""
    return Setup()


def test_a_connection_keeps_its_source(setup: Setup) -> None:
    """For as long as it stands, and four minutes more; then another host gets the port."""
    crossing = setup.connection(("10.0.30.2", 40000))
    assert crossing.path.source == (POOL, 40000)
    setup.wait(20_000)
    assert setup.connection(("10.0.30.3", 40000)).path.source == (POOL, 40002)
    setup.proxy.ended(crossing)
    setup.wait(230)
    assert setup.connection(("10.0.30.4", 40000)).path.source == (POOL, 40004)
    setup.wait(20)
    assert setup.connection(("10.0.30.5", 40000)).path.source == (POOL, 40000)


def test_a_connection_keeps_its_target(setup: Setup) -> None:
    """One from outside, to the address of an inside host that has no connection of its own any more."""
    setup.proxy.ended(setup.connection(("10.0.30.2", 5060)))
    called = setup.connection(SERVER, (POOL, 5060))
    assert called.path.target == ("10.0.30.2", 5060)
    setup.wait(20_000)
    assert setup.connection(SERVER, (POOL, 5060)).path.target == ("10.0.30.2", 5060)


def test_what_a_message_names(setup: Setup) -> None:
    """The address in a Via leads to its sender for two hours after the last message that named it."""
    connection = setup.alg.connection()
    for _ in range(2):
        assert connection.feed(Direction.OUTWARD, options("10.0.30.2")) == options(POOL)
        setup.wait(7000)
    setup.wait(400)
    called = setup.connection(SERVER, (POOL, 5060))
    assert called.path.target == ("10.0.30.2", 5060)
    setup.proxy.ended(called)
    setup.wait(300)
    assert setup.connection(SERVER, (POOL, 5060)).path.refusal == "no inside endpoint has this address and port"
