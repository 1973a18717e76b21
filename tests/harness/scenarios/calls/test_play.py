"""A play on a stage: what a call through the ALG comes to, as facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.calls.middle import Device
from harness.scenarios.calls.play import LEAKS, Act, Play, Setting, perform, place_call
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned

GOOD = {
    "answer to INVITE": "200 OK",
    LEAKS: "none",
    "ACK at the callee": "arrives",
    **{f"audio {what} at the {who}": "heard" for what in ("RTP", "RTCP") for who in ("caller", "callee")},
    "answer to the callee's BYE": "200 OK",
}


def performed(turned: Turned, folder: Path, setting: Setting, act: Act = place_call) -> Observation:
    """What is seen of a play."""
    with Network() as network:
        stage = Stage(turned.reactor, network, folder)
        return turned.result(Deferred.fromCoroutine(_perform(setting, act, stage)))


async def _perform(setting: Setting, act: Act, stage: Stage) -> Observation:
    return await perform({False: setting}, act, stage, False)


def test_a_good_call(turned: Turned, tmp_path: Path) -> None:
    """Every fact, both logs, and the files."""
    seen = performed(turned, tmp_path, Setting())
    assert seen.facts == GOOD
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


def test_a_failure_closes_everything(turned: Turned, tmp_path: Path) -> None:
    """Nothing is left open when an act breaks off, and its error is told."""

    async def breaks_off(play: Play) -> Any:
        play.open()
        await play.caller.call(play.invite())
        raise KeyError("the script is lost")

    with pytest.raises(KeyError, match="the script is lost"):
        performed(turned, tmp_path, Setting(), breaks_off)
