"""Server transactions, second by second (RFC 3261 17.2, RFC 6026)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from harness.sip.client import Failure, State
from harness.sip.server import InviteServer, NonInviteServer, ServerTransaction
from harness.sip.timers import Timers
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response


class Served:
    """A transaction that began with a request."""

    def __init__(self, method: str, reliable: bool = False) -> None:
        self.clock = Clock()
        self.flow = FakeFlow(reliable)
        self.failures: list[Failure] = []
        self.ended: list[float] = []
        self.request = request(method)
        kind: Any = InviteServer if method == "INVITE" else NonInviteServer
        self.transaction: ServerTransaction = kind(
            self.request, self.flow, self.clock, Timers(), lambda flow, message: flow.send(message)
        )
        self.transaction.on_end = lambda: self.ended.append(self.clock.seconds())
        self.transaction.on_failure = self.failures.append

    def say(self, *statuses: int) -> None:
        """Respond."""
        for status in statuses:
            self.transaction.respond(response(self.request, status))

    def again(self) -> bool:
        """The request comes again."""
        return self.transaction.receive(self.request)

    def ack(self) -> bool:
        """An ACK comes; whether it was the transaction's."""
        return self.transaction.receive(request("ACK"))

    def rest(self) -> None:
        """Nothing is left."""
        assert self.transaction.state is State.TERMINATED
        assert not self.clock.getDelayedCalls()
        assert len(self.ended) == 1


def test_trying_is_said_unless_something_else_is() -> None:
    """100 within 200 ms (17.2.1)."""
    served = Served("INVITE")
    served.clock.advance(0.19)
    assert served.flow.titles == []
    served.clock.advance(0.01)
    assert served.flow.titles == ["100"]
    served = Served("INVITE")
    served.say(180)
    served.clock.advance(1)
    assert served.flow.titles == ["180"]


def test_invite_that_comes_again() -> None:
    """Gets the last provisional response; nothing while there is none."""
    served = Served("INVITE")
    assert served.again()
    assert served.flow.titles == []
    served.say(180)
    assert served.again()
    assert served.flow.titles == ["180", "180"]


def test_failure_is_retransmitted_until_its_ack() -> None:
    """Timer G doubles up to T2. Timer I keeps what is left for T4."""
    served = Served("INVITE")
    served.say(486)
    served.clock.pump([0.5] * 15)
    assert served.flow.titles == ["486"] * 5
    assert served.ack()
    served.clock.advance(4.9)
    assert served.ack(), "absorbed"
    assert served.flow.titles == ["486"] * 5
    served.clock.advance(0.1)
    served.rest()
    assert not served.failures


def test_failure_without_an_ack() -> None:
    """Timer H."""
    served = Served("INVITE")
    served.say(486)
    for _ in range(64):
        served.clock.advance(0.5)
    assert served.failures == [Failure.TIMEOUT]
    assert served.flow.titles == ["486"] * 11
    served.rest()


def test_failure_over_a_connection() -> None:
    """Is sent once, and once more for each INVITE that comes again."""
    served = Served("INVITE", reliable=True)
    served.say(486)
    served.clock.advance(10)
    assert served.flow.titles == ["486"]
    served.again()
    assert served.flow.titles == ["486", "486"]
    served.ack()
    served.clock.advance(0)
    served.rest()


def test_success_is_the_cores() -> None:
    """RFC 6026: INVITEs that come again are absorbed, ACKs are passed up, and the core sends its 2xx as often as it
    likes for 64 T1.
    """
    served = Served("INVITE")
    served.say(200)
    assert served.again()
    assert not served.ack()
    assert served.flow.titles == ["200"]
    served.say(200, 486, 180)
    assert served.flow.titles == ["200", "200"]
    served.clock.advance(32)
    served.rest()


def test_only_the_first_final_response() -> None:
    """What comes behind it is not sent."""
    for method in ("INVITE", "OPTIONS"):
        served = Served(method)
        served.say(404, 200, 180)
        assert served.flow.titles == ["404"]


@pytest.mark.parametrize(("reliable", "lasts"), [(False, 32.0), (True, 0.0)])
def test_others(reliable: bool, lasts: float) -> None:
    """A request that comes again gets the last response, for 64 T1 (timer J), or not at all over a connection."""
    served = Served("OPTIONS", reliable)
    assert served.again()
    assert served.flow.titles == []
    served.say(100)
    served.again()
    served.say(200)
    served.again()
    assert served.flow.titles == ["100", "100", "200", "200"]
    served.clock.advance(lasts)
    served.rest()
    assert served.ended == [lasts]


def test_response_that_cannot_be_sent() -> None:
    """Is told."""
    served = Served("INVITE", reliable=True)
    served.flow.open = False
    served.say(180)
    assert served.failures == [Failure.LOST]
    served.transaction.abandon()
    served.rest()
