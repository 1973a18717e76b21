"""Acts on a stage, each in a good and in a bad form: the facts that come of it, and what is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.scenarios.traversal import acts
from harness.scenarios.traversal import connectivity as test
from harness.scenarios.traversal.acts import Act, call_in, call_in_with_fork, call_out, perform
from harness.scenarios.traversal.cast import Cast
from harness.scenarios.traversal.ground import Dial
from tests.harness.peers.turning import Turned

THROUGH = {
    "traversal zone": "active",
    acts.ANSWER: "200 OK",
    acts.WARNING: "none",
    acts.ACK: "arrives",
    acts.BYE: "200 OK",
    acts.FORWARDED: "INVITE, ACK, BYE",
}
REPORT = {
    test.DNS: "Successful",
    test.CONNECTING: "Successful",
    test.SOCKET: "Successful",
    test.HANDSHAKE: "Successful",
    test.PING: "Successful",
    test.SYN: "answered",
}
RIGHT = Dial()
INSIDE = {acts.AT_EXPC: "arrives", acts.AT_CUCM: "arrives", acts.CONNECTIONS: "some"}


def performed(turned: Turned, stage: Stage, act: Act, dial: Dial = RIGHT) -> Observation:
    """What is seen of an act."""
    return turned.result(Deferred.fromCoroutine(_perform(act, dial, stage)))


async def _perform(act: Act, dial: Dial, stage: Stage) -> Observation:
    return await perform({False: dial}, act, stage, False)


def test_a_call_in(turned: Turned, stage: Stage) -> None:
    """Every fact, both logs, and the files."""
    seen = performed(turned, stage, call_in)
    assert seen.facts == {**THROUGH, **REPORT, **INSIDE}
    assert set(seen.logs) == {"Expressway-C", "Expressway-E"}
    assert {file.name for file in stage.directory.iterdir()} == {
        *("capture.pcapng", "expressway-c.log", "expressway-c.toml", "expressway-e.log", "expressway-e.toml"),
    }
    assert seen.strangers == ()


def test_a_call_out(turned: Turned, stage: Stage) -> None:
    """Over mutual TLS to Webex's second port, found by the override."""
    seen = performed(turned, stage, call_out)
    assert seen.facts == {**THROUGH, acts.AT_WEBEX: "arrives", acts.TRIED: "none"}


def test_behind_a_firewall_that_translates(turned: Turned, stage: Stage) -> None:
    """Expressway-E calls itself what it is outside, and BYE finds it there."""
    seen = performed(turned, stage, call_in, Dial(static_nat=True))
    assert seen.facts == {**THROUGH, **REPORT, **INSIDE}
    assert f"{stage.network.host(64)}:5062;transport=tls;lr>" in seen.logs["Expressway-E"]


@pytest.mark.parametrize(("preservation", "parameter", "toasts"), [(True, "squared", "1"), (False, "gone", "2")])
def test_a_fork(turned: Turned, stage: Stage, preservation: bool, parameter: str, toasts: str) -> None:
    """Webex knows its call again by the parameter, and announces it twice without."""
    seen = performed(turned, stage, call_in_with_fork, Dial(preservation=preservation))
    wanted = {acts.PARAMETER_IN: "squared", acts.PARAMETER_BETWEEN: parameter, acts.PARAMETER_OUT: parameter}
    assert {**wanted, acts.TOASTS: toasts, acts.ANSWER: "200 OK"}.items() <= seen.facts.items()


def test_no_name(turned: Turned, stage: Stage) -> None:
    """Nothing is sent."""
    seen = performed(turned, stage, call_in, Dial(published=False))
    assert (seen.facts[acts.ANSWER], seen.facts[acts.CONNECTIONS]) == ("no INVITE is sent", "none")


def test_a_failure_closes_everything(turned: Turned, stage: Stage) -> None:
    """Nothing is left open when an act breaks off, and its error is told."""

    async def breaks_off(cast: Cast) -> Any:
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        performed(turned, stage, breaks_off)
