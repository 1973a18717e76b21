"""One connection, without sockets: how it ends, whoever ends it, is told once."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from harness.sip.connection import Connection
from harness.sip.flow import Loss, Target
from harness.sip.security import Ending, Plain, Step
from harness.sip.stream import Item
from tests.harness.sip.samples import request

TARGET = Target("TCP", "192.0.2.2", 5060)


class Wire(StringTransport):
    """A TCP transport in memory."""

    def __init__(self) -> None:
        super().__init__(IPv4Address("TCP", "192.0.2.1", 40000), IPv4Address("TCP", *TARGET.address))
        self.ends: list[str] = []

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Nothing to delay."""

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Half closed."""
        self.ends.append("half")

    def abortConnection(self) -> None:  # noqa: N802
        """Reset."""
        self.ends.append("abort")


class Scene:
    """A connection, and what its owner is told."""

    def __init__(self, layer: Any = None, serves: bool = False) -> None:
        self.told: list[Any] = []
        self.clock = Clock()
        self.wire = Wire()
        target = None if serves else TARGET
        self.connection = Connection("TCP", layer or Plain(), self, 1000, target, self.clock)
        self.connection.makeConnection(self.wire)

    def opened(self, connection: Connection) -> None:
        """As Owner has it."""
        self.told.append("opened")

    def ready(self, connection: Connection) -> None:
        """As Owner has it."""
        self.told.append("ready")

    def came(self, connection: Connection, item: Item) -> None:
        """As Owner has it."""
        self.told.append(item)

    def written(self, connection: Connection, data: bytes) -> None:
        """As Owner has it."""
        self.told.append("written")

    def gone(self, connection: Connection, loss: Loss, detail: str) -> None:
        """As Owner has it."""
        self.told.append(loss)


class Scripted(Plain):
    """A layer that does as it is told."""

    up = False

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)

    def feed(self, data: bytes) -> Step:
        """The next step."""
        self.up = True
        return self.steps.pop(0)


def test_messages() -> None:
    """Go out with a length, and come in whole."""
    scene = Scene()
    bare = request("OPTIONS").drop("Content-Length")
    assert scene.connection.send(bare)
    assert scene.wire.value().endswith(b"\r\nContent-Length: 0\r\n\r\n")
    scene.connection.dataReceived(bare.to_bytes())
    assert scene.told == ["opened", "ready", "written", bare.to_bytes()]
    assert (scene.connection.local, scene.connection.remote) == (("192.0.2.1", 40000), TARGET.address)


def test_hang_up() -> None:
    """Half closed first; if the other side does not close, reset a second later."""
    scene = Scene()
    scene.connection.hang_up()
    scene.connection.hang_up()
    assert scene.wire.ends == ["half"]
    assert not scene.connection.send(request())
    scene.clock.advance(1)
    assert scene.wire.ends == ["half", "abort"]
    scene.connection.connectionLost(Failure(error.ConnectionAborted()))
    assert scene.told[-1] is Loss.HUNG_UP
    assert scene.connection.finished.called


def test_hang_up_in_order() -> None:
    """Then nothing is reset."""
    scene = Scene()
    scene.connection.hang_up()
    scene.connection.readConnectionLost()
    assert scene.wire.disconnecting
    scene.connection.connectionLost()
    scene.clock.advance(10)
    assert (scene.wire.ends, scene.told[-1]) == (["half"], Loss.HUNG_UP)


@pytest.mark.parametrize(
    ("reason", "loss"),
    [(error.ConnectionDone(), Loss.EOF), (error.ConnectionLost(), Loss.RESET), (error.TCPTimedOutError(), Loss.RESET)],
)
def test_lost(reason: Exception, loss: Loss) -> None:
    """As TCP says it."""
    scene = Scene()
    scene.connection.connectionLost(Failure(reason))
    assert scene.told == ["opened", "ready", loss]


def test_abort() -> None:
    """With the reason that is given."""
    scene = Scene()
    scene.connection.abort(Loss.OVERSIZE)
    scene.connection.connectionLost(Failure(error.ConnectionAborted()))
    assert (scene.wire.ends, scene.told[-1]) == (["abort"], Loss.OVERSIZE)


def test_layer_is_not_up_at_once() -> None:
    """Until it is, nothing can be sent."""
    scene = Scene(Scripted(Step(b"hello", b"\r\n")))
    assert not scene.connection.send(request())
    scene.connection.dataReceived(b"x")
    assert scene.told[:2] == ["opened", "ready"]
    assert scene.wire.value() == b"hello"
    assert scene.connection.send(request())


@pytest.mark.parametrize(
    ("step", "ends", "loss"),
    [
        (Step(b"alert", ending=Ending.CLOSE, failure="refused"), ["half"], Loss.TLS),
        (Step(ending=Ending.RESET, failure="dismissed"), ["abort"], Loss.TLS),
        (Step(b"goodbye", ending=Ending.CLOSE), ["half"], Loss.EOF),
    ],
)
def test_layer_ends_it(step: Step, ends: list[str], loss: Loss) -> None:
    """In order or not, and why."""
    scene = Scene(Scripted(step))
    scene.connection.dataReceived(b"x")
    scene.connection.connectionLost(Failure(error.ConnectionAborted()))
    assert (scene.wire.ends, scene.told[-1]) == (ends, loss)
    assert scene.wire.value() == step.send


def test_owner_ends_it_between_messages() -> None:
    """What came behind the message is not told any more."""
    scene = Scene(serves=True)
    came, data = scene.came, request("OPTIONS").to_bytes()
    scene.came = lambda connection, item: (came(connection, item), connection.abort())[0]  # type: ignore[method-assign]
    scene.connection.dataReceived(data + data)
    assert scene.told.count(data) == 1
