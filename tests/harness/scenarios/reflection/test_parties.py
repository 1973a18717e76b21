"""What somebody else is asked for, and when it has been done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet import task
from twisted.internet.defer import Deferred

from harness.peers.phone import PhoneSettings
from harness.scenarios.hybrid.messages import Crossed, Messages
from harness.scenarios.reflection.ground import Ground, Setting
from harness.scenarios.reflection.parties import TheirCore, TheirPhone, TheirServer
from harness.scenarios.reflection.seeing import Access
from harness.scenarios.stage import Network, Stage
from tests.harness.scenarios.reflection.test_seeing import request, response


class Asked:
    """A stage on which everybody is somebody else, and a clock."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.clock = task.Clock()
        self.network = network
        self.orders: list[str] = []
        self.stage = Stage(self.clock, network, folder, wait=30.0, tell=self.orders.append)
        self.ground = Ground(network, {}, Setting(kind="TCP"))

    def after(self, what: Deferred[None], happens: Callable[[], None]) -> bool:
        """Whether that is over when something has happened, and was not before."""
        self.clock.advance(1.0)
        before = bool(what.called)
        happens()
        self.clock.advance(0.1)
        return bool(what.called) and not before


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Afresh."""
    with Network() as network:
        return Asked(tmp_path, network)


def test_core(asked: Asked) -> None:
    """Connects where the firewall is, and has to know CUCM."""
    joined: list[bool] = []
    core = TheirCore(asked.stage, asked.ground)
    over = Deferred.fromCoroutine(core.join(lambda: bool(joined)))
    (order,) = asked.orders
    host = asked.network.host
    assert order == (
        f"expressway-c: connect the traversal zone to {host(10)}:7003 over TCP; CUCM is at {host(3)}:5060 (within 30 s)"
    )
    assert asked.after(over, lambda: joined.append(True))


def test_phone(asked: Asked) -> None:
    """Is through when it has been told something other than a challenge; then when it has hung up."""
    messages = Messages(crossed=[Crossed(response(407, "REGISTER"), sent=True)])
    phone = TheirPhone(asked.stage, asked.ground, Access(messages, at_phone=False), PhoneSettings())

    def told(status: int, method: str) -> Callable[[], None]:
        return lambda: messages.crossed.append(Crossed(response(status, method), sent=True))

    assert asked.after(Deferred.fromCoroutine(phone.register()), told(200, "REGISTER"))
    over = Deferred.fromCoroutine(phone.call())
    told(200, "INVITE")()
    messages.crossed.append(Crossed(request("ACK"), sent=False))
    assert asked.after(over, told(200, "BYE"))
    assert [order.partition(" (within")[0] for order in asked.orders] == [
        f"phone: register sip:5011@cucm02.example.local at {asked.network.host(20)}:5061 over TCP, with user name "
        "phone.user and password phone-secret",
        "phone: call sip:5010@cucm02.example.local over the same connection, and hang up",
    ]


def test_a_phone_that_is_not_put_through(asked: Asked) -> None:
    """Has nothing to hang up."""
    messages = Messages()
    phone = TheirPhone(asked.stage, asked.ground, Access(messages, at_phone=False), PhoneSettings())
    refused = Crossed(response(404, "INVITE"), sent=True)
    assert asked.after(Deferred.fromCoroutine(phone.call()), lambda: messages.crossed.append(refused))


def test_server() -> None:
    """Listens of its own accord, and its zone stands as far as anybody knows."""
    server = TheirServer()
    server.listen()
    assert server.joined
