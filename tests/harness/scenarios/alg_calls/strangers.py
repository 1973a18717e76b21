"""Plays of several scenarios at once, with programs of somebody else's in them.

Strategy: all run on one reactor of the test's own, each in a network of its own, so that their waits are shared. What
they ask for is told to the test, which may start a program then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults

from alg.edge.entrance import Address
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.scenario import FORMS, Observation
from harness.scenarios.stage import Network, Stage
from harness.scenarios.verdict import Outcome, Verdict, judge
from tests.harness.peers.turning import Turned

WAIT = 15.0
"""Seconds that a program has to start."""


def observe(
    turned: Turned,
    folder: Path,
    names: Iterable[str],
    fixed: bool,
    peers: Callable[[str, Network], Mapping[str, Address]],
    told: Callable[[str, str], None] = lambda name, text: None,
    wait: float = WAIT,
) -> dict[str, Observation]:
    """What is seen of scenarios in one form, by name; `told` hears what whoever is in front of the screen is told."""

    async def one(name: str, network: Network) -> tuple[str, Observation]:
        directory = folder / name / FORMS[fixed]
        directory.mkdir(parents=True)
        stage = Stage(turned.reactor, network, directory, peers(name, network), wait, partial(told, name))
        return name, await SCENARIOS[name].observe(stage, fixed)

    with ExitStack() as stack:
        plays = [Deferred.fromCoroutine(one(name, stack.enter_context(Network()))) for name in names]
        found: list[tuple[str, Observation]] = turned.result(gatherResults(plays, consumeErrors=True))
        return dict(found)


def verdicts(seen: Mapping[str, Observation], fixed: bool) -> dict[str, Verdict]:
    """On each of them; none may pass for the other form."""
    others = {name: judge(SCENARIOS[name], not fixed, each) for name, each in seen.items()}
    assert {name: each.reason for name, each in others.items() if each.verdict is not Outcome.FAIL} == {}
    return {name: judge(SCENARIOS[name], fixed, each) for name, each in seen.items()}


def failing(found: Mapping[str, Verdict]) -> dict[str, str]:
    """Why, of those that do not pass."""
    return {name: each.reason for name, each in found.items() if each.verdict is not Outcome.PASS}
