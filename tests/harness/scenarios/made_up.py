"""Scenarios that are made up: one that works, and others that end in every way that is an error; a child for them.

python -m tests.harness.scenarios.made_up
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import msgspec
from twisted.internet import defer, task

from harness.scenarios.child import Child, Order
from harness.scenarios.needs import Need
from harness.scenarios.scenario import Observation, Part, Scenario, fact
from harness.scenarios.stage import Stage


async def works(stage: Stage, fixed: bool) -> Observation:
    """Answers 200 with the cure."""
    stage.keep("note.txt", f"{stage.network.host(2)} {dict(stage.peers)}")
    return Observation({"answer": "200 OK" if fixed else "408 Request Timeout"})


async def asks(stage: Stage, fixed: bool) -> Observation:
    """Waits for a real peer in vain."""
    await stage.expect("callee: call somebody", lambda: False)
    return await works(stage, fixed)


async def always_fails(stage: Stage, fixed: bool) -> Observation:
    """The cure does not help."""
    return Observation({"answer": "408 Request Timeout"})


async def raises(stage: Stage, fixed: bool) -> Observation:
    """Something is wrong with the harness."""
    raise ValueError("the stage is not set")


async def hangs(stage: Stage, fixed: bool) -> Observation:
    """Never comes to an end, but cleans up behind itself."""
    stage.keep("pids.txt", str(os.getpid()))
    try:
        return await defer.Deferred()
    finally:
        stage.keep("cleaned.txt", "")


async def shrugs(stage: Stage, fixed: bool) -> Observation:
    """Takes a cancellation for something that happened, and goes on."""
    stage.keep("pids.txt", str(os.getpid()))
    with suppress(defer.CancelledError):
        await defer.Deferred()
    return await works(stage, fixed)


async def resists(stage: Stage, fixed: bool) -> Observation:
    """Does not end when it is asked to, and has started a process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with subprocess.Popen(["sleep", "600"]) as other:
        stage.keep("pids.txt", f"{os.getpid()} {other.pid}")
        return await defer.Deferred()


async def dies(stage: Stage, fixed: bool) -> Observation:
    """Takes its process along."""
    sys.stderr.write("Segmentation fault\n")
    sys.stderr.flush()
    os._exit(5)


async def forgets(stage: Stage, fixed: bool) -> Observation:
    """An exception that nobody caught, while everything else is fine."""
    stage.reactor.callLater(0, lambda: 1 / 0)
    await task.deferLater(stage.reactor, 0.01)
    return await works(stage, fixed)


def _scenario(observe: object, *needs: Need) -> Scenario:
    name = getattr(observe, "__name__", "")
    return Scenario(
        name=name,
        title=f"a scenario that {name}",
        source="made up",
        topology="a -- b",
        happens="Something.",
        look="Look.",
        wireshark="sip",
        cure="Another.",
        observe=observe,  # type: ignore[arg-type]
        failure=(fact("answer", "408 Request Timeout"),),
        success=(fact("answer", "200 OK", "callee"),),
        parts=(Part("callee", 203, "TCP 5060", "answers"),),
        needs=needs,
    )


WORKS, ALWAYS_FAILS, RAISES, HANGS = map(_scenario, (works, always_fails, raises, hangs))
RESISTS, DIES, FORGETS, ASKS, SHRUGS = map(_scenario, (resists, dies, forgets, asks, shrugs))
NEEDY = _scenario(works, Need("moonlight", lambda: "there is no moon"))
COMMAND = (sys.executable, "-m", "tests.harness.scenarios.made_up")

if __name__ == "__main__":
    from twisted.internet import reactor

    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    known = {each.name: each for each in (WORKS, ALWAYS_FAILS, RAISES, HANGS, RESISTS, DIES, FORGETS, ASKS, SHRUGS)}
    Child(reactor, order, known[order.name]).run()
