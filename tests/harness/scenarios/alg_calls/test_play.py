"""A play on a stage: what a call through the ALG comes to, as facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.alg_calls.middle import Device
from harness.scenarios.alg_calls.party import Party, Traits
from harness.scenarios.alg_calls.play import CHANGE, CONTACT, LEAKS, Act, Play, Setting, invite, perform, place_call
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned

GOOD = {
    "answer to INVITE": "200 OK",
    **{LEAKS: "none", CHANGE: "rewritten", CONTACT: "the caller's outside"},
    "inside, Request-URI of the INVITE": "the callee",
    "ACK at the callee": "arrives",
    **{f"audio {what} at the {who}": "heard" for what in ("RTP", "RTCP") for who in ("caller", "callee")},
    **{"answer to the callee's BYE": "200 OK", "answer to BYE": "200 OK"},
}


def performed(turned: Turned, folder: Path, setting: Setting, act: Act = place_call) -> Observation:
    """What is seen of a play."""
    with Network() as network:
        stage = Stage(turned.reactor, network, folder)
        return turned.result(Deferred.fromCoroutine(_perform(setting, act, stage)))


async def _perform(setting: Setting, act: Act, stage: Stage) -> Observation:
    return await perform({False: setting}, act, "", stage, False)


def test_a_good_call(turned: Turned, tmp_path: Path) -> None:
    """Every fact, both logs, and the files."""
    seen = performed(turned, tmp_path, Setting())
    assert seen.facts == GOOD
    assert seen.strangers == ()
    assert 'Detail="Receive Request Method=BYE' in seen.logs["caller"]
    assert 'Detail="Receive Request Method=INVITE' in seen.logs["callee"]
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {"addresses.json", "callee.log", "caller.log", "capture.pcapng", "events.jsonl"}


@pytest.mark.parametrize("fault", ["contact-forgotten", "noop"])
def test_what_leaks_is_named(turned: Turned, tmp_path: Path, fault: str) -> None:
    """By the lines that have the inside address."""
    seen = performed(turned, tmp_path, Setting(Device(faults=(fault,))))
    expected = {"contact-forgotten": "Contact", "noop": "none"}[fault]
    assert seen.facts[LEAKS] == expected
    assert (seen.facts["answer to the callee's BYE"] == "200 OK") == (fault == "noop")


def test_nothing_is_open_among_built_in_endpoints(turned: Turned, tmp_path: Path) -> None:
    """What they do not tell is missing."""

    async def shrug(play: Play) -> None:
        play.leave_open("answer to INVITE")

    assert performed(turned, tmp_path, Setting(), shrug).strangers == ()


async def rings(play: Play) -> None:
    """A call is placed, and that is all."""
    play.open()
    await play.call()


@pytest.mark.parametrize(("ports", "change"), [({5060}, "as it came"), ({5060, 5090}, "rewritten")])
def test_the_port_that_decides(turned: Turned, tmp_path: Path, ports: set[int], change: str) -> None:
    """Is the one that the caller connects to, wherever a callee of somebody else's listens."""
    with Network() as network:
        at = network.host(203)
        callee = Party(turned.reactor, "callee", at, at, frozenset((network.host(102), network.host(2))), Traits())
        callee.listen(5060)
        stage = Stage(turned.reactor, network, tmp_path, {"callee": callee.own})
        setting = Setting(Device(sip_ports=frozenset(ports)), port=5090)
        seen = turned.result(Deferred.fromCoroutine(_perform(setting, rings, stage)))
        turned.result(Deferred.fromCoroutine(callee.close()))
    assert (seen.facts["answer to INVITE"], seen.facts[CHANGE]) == ("200 OK", change)
    assert "callee" in seen.strangers


def test_a_failure_closes_everything(turned: Turned, tmp_path: Path) -> None:
    """Nothing is left open when an act breaks off, and its error is told."""

    async def breaks_off(play: Play) -> Any:
        async def call(party: Party) -> None:
            await party.call(invite(play, party))

        play.open()
        await play.begin(call, lambda: True, lambda: True)
        raise KeyError("the script is lost")

    with pytest.raises(KeyError, match="the script is lost"):
        performed(turned, tmp_path, Setting(), breaks_off)
