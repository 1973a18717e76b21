"""Plays on a stage of the test's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from twisted.internet.defer import Deferred

from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned


def observed(turned: Turned, folder: Path, perform: Callable[[Stage], Awaitable[Observation]]) -> Observation:
    """What is seen of a play."""

    async def run(stage: Stage) -> Observation:
        return await perform(stage)

    with Network() as network:
        return turned.result(Deferred.fromCoroutine(run(Stage(turned.reactor, network, folder))))
