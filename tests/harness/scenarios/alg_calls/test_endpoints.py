"""Real endpoints as a play has them: asked on the screen, waited for, and told by what crosses the ALG."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.alg_calls.endpoints import Theirs, awaited
from harness.scenarios.alg_calls.seen import INSIDE
from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.alg_calls.test_seen import INVITE, OK, SENT, Legs, message

WAIT = 0.3
"""Seconds that the caller has."""


class Asked:
    """A real caller who is waited for."""

    def __init__(self, turned: Turned, network: Network, folder: Path) -> None:
        self.said: list[str] = []
        self.legs = Legs()
        stage = Stage(turned.reactor, network, folder, wait=WAIT, tell=self.said.append)
        self.caller = Theirs("caller", stage, INSIDE, self.legs.seen)
        self._turned = turned

    def begin(self, what: Awaitable[Any]) -> list[Any]:
        """What comes of it, once it has."""
        results: list[Any] = []

        async def run() -> None:
            results.append(await what)

        Deferred.fromCoroutine(run())
        return results

    def result(self, what: Awaitable[Any]) -> Any:
        """What comes of it."""
        results = self.begin(what)
        self._turned.until("it is done", lambda: bool(results))
        return results[0]

    def do(self, order: str = "call") -> Awaitable[None]:
        """A call that is over once it is answered."""

        async def never(party: object) -> None:
            raise AssertionError("a real endpoint does not do ours")

        seen = self.legs.seen
        return self.caller.do(never, order, lambda: bool(seen.asked("INVITE")), lambda: seen.decided("INVITE"))


@pytest.fixture
def asked(turned: Turned, tmp_path: Path) -> Any:
    """One."""
    with Network() as network:
        yield Asked(turned, network, tmp_path)


def test_an_order(asked: Asked, turned: Turned) -> None:
    """It is on the screen, and it is carried out when what was to be done is done."""
    results = asked.begin(asked.do())
    assert asked.said == ["caller: call (within 0.3 s)"]
    asked.legs.crosses(INVITE, SENT)
    turned.reactor.iterate(0.05)
    assert not results
    asked.legs.answers(OK)
    turned.until("the order is carried out", lambda: bool(results))


def test_an_order_that_nobody_carries_out(asked: Asked) -> None:
    """It is given up when the time is over; what cannot be told is not."""
    asked.result(asked.do())
    assert asked.legs.seen.answer("INVITE") == "no INVITE"
    assert asked.caller.heard() == {}
    assert asked.result(asked.caller.hang_up()) == ""


def test_no_order(asked: Asked) -> None:
    """Nobody is asked for anything, and nothing is waited for."""
    assert asked.begin(asked.do("")) == [None]
    assert asked.said == []


def test_an_ack(asked: Asked) -> None:
    """It is seen, or not."""
    asked.legs.crosses(INVITE, SENT)
    asked.legs.answers(OK)
    assert asked.result(asked.caller.acknowledged(0.05)) is False
    asked.legs.crosses(message("ACK sip:b@198.51.100.20 SIP/2.0", "1 ACK"))
    assert asked.result(asked.caller.acknowledged(5.0)) is True


def test_who_is_waited_for(asked: Asked) -> None:
    """A real endpoint is not waited for until it sends RTCP."""
    assert awaited(asked.caller) == "RTP"
