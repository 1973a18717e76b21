"""Ends of a call: ours, who place it and see it through, and others, who are asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO

import pytest
from twisted.internet.defer import Deferred

from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.scenarios.hybrid.connectivity import Report
from harness.scenarios.hybrid.parties import Party, Played, Progress, Stranger, Wanted
from harness.scenarios.stage import Stage
from harness.sip.agent import Agent
from harness.sip.call import Call
from harness.sip.call_states import End
from harness.sip.flow import Target
from harness.sip.timers import Timers
from tests.harness.peers.turning import Turned

WANTED = Wanted("sip:bob@example.com", "at 192.0.2.2:5060 over TCP", ("<sip:cluster.example.com;lr>",))


def called(turned: Turned, party: Party, progress: Progress) -> dict[str, str]:
    """What an end tells of a call."""

    async def call() -> dict[str, str]:
        return dict(await party.call(WANTED, progress))

    return turned.result(Deferred.fromCoroutine(call()))


class Two:
    """Two CUCMs, one of which calls the other."""

    def __init__(self, turned: Turned, stage: Stage) -> None:
        self.turned = turned
        self.calls: list[Call] = []
        self.over = False
        self.callee = Cucm(stage.reactor, CucmSettings(), stage.network.host(3), StringIO(), timers=Timers.scaled(0.05))
        self.callee.agent.on_call = self.answer
        self.there = Target("TCP", *self.callee.listen((stage.network.host(3), 0)))
        caller = Cucm(stage.reactor, CucmSettings(), stage.network.host(2), StringIO(), timers=Timers.scaled(0.05))
        self.found: tuple[Target, ...] = (self.there,)
        self.placed: list[Call] = []
        self.caller = Played(caller, self.find, self.place, self.until)

    async def find(self) -> Report:
        """Where the callee is, and something to tell."""
        return Report({"looked": "up"}, self.found)

    def place(self, wanted: Wanted, where: Sequence[Target]) -> Call:
        """A call, which is kept."""
        self.placed.append(self.caller.peer.call(wanted.uri, where))
        return self.placed[-1]

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Turn the reactor."""
        await turned_until(self.turned, condition)
        return condition()

    def answer(self, call: Call) -> None:
        """And keep it."""
        self.calls.append(call)
        call.ended.addCallback(lambda ended: setattr(self, "over", True))
        call.answer()

    def close(self) -> None:
        """Both."""
        for closing in (self.caller.close(), self.callee.close()):
            self.turned.result(Deferred.fromCoroutine(closing))


async def turned_until(turned: Turned, condition: Callable[[], bool]) -> None:
    """Let the reactor work in between."""
    while not condition():
        waiting: Deferred[None] = Deferred()
        turned.reactor.callLater(0.01, waiting.callback, None)
        await waiting


def test_one_of_ours_sees_it_through(turned: Turned, stage: Stage) -> None:
    """Answered, acknowledged, hung up; what was learnt before is told."""
    two = Two(turned, stage)
    progress = Progress(lambda: any(call.acknowledged for call in two.calls), lambda: two.over)
    assert called(turned, two.caller, progress) == {"looked": "up"}
    assert [call.result.end for call in two.calls if call.result is not None] == [End.REMOTE]
    assert [call.where for call in two.placed] == [None], "what follows goes by the route set"
    two.close()


def test_nowhere_to_call(turned: Turned, stage: Stage) -> None:
    """No call is placed."""
    two = Two(turned, stage)
    two.found = ()
    assert called(turned, two.caller, Progress(lambda: False, lambda: False)) == {"looked": "up"}
    assert two.calls == []
    two.close()


def test_calls_are_taken_by_whoever_wants_them(turned: Turned, stage: Stage) -> None:
    """With the agent at hand that may place another."""
    two, taken = Two(turned, stage), []

    def take(agent: Agent, call: Call) -> None:
        taken.append(agent)
        call.reject(603)

    callee = Played(two.callee, two.find, lambda wanted, to: two.callee.call(wanted.uri, to), two.until)
    callee.takes(take)
    two.calls = []
    called(turned, two.caller, Progress(lambda: False, lambda: bool(taken)))
    assert taken == [two.callee.agent]
    two.close()


@pytest.mark.parametrize("comes", [True, False])
def test_somebody_else_is_asked(turned: Turned, stage: Stage, comes: bool) -> None:
    """Once, with everything that is needed; whether it happens is seen elsewhere."""
    asked: list[str] = []
    party = Stranger(replace(stage, wait=0.1, tell=asked.append), "webex")
    assert called(turned, party, Progress(lambda: False, lambda: comes)) == {}
    assert asked == [
        "webex: call sip:bob@example.com, with `Route: <sip:cluster.example.com;lr>`, at 192.0.2.2:5060 over TCP, and "
        "hang up once it stands (within 0.1 s)"
    ]
