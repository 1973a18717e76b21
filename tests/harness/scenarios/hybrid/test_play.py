"""Hybrid calls on a stage: what they come to, as facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.peers.cucm_settings import CucmSettings, EarlyOffer, Region
from harness.peers.webex import WebexSettings
from harness.scenarios.hybrid.play import TRACE, Setting, perform
from harness.scenarios.scenario import Observation
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.playing import observed

GOOD = {
    "answer to INVITE, at its caller's Expressway": "200 OK",
    "m=audio of the last answer": "a port",
    "ACK for the called side": "arrives",
    "CUCM resets the connection": "no",
    "answer to BYE": "200 OK",
    "Webex, behind its 200": "nothing",
}


def play(turned: Turned, folder: Path, setting: Setting) -> Observation:
    """What is seen of it."""
    return observed(turned, folder, lambda stage: perform({False: setting}, stage, False))


@pytest.mark.parametrize(
    ("setting", "ending", "from_cucm"),
    [
        (Setting(CucmSettings(early_offer=EarlyOffer.BEST_EFFORT)), "BYE", "nothing"),
        (Setting(CucmSettings()), "BYE", "nothing"),
        (Setting(CucmSettings(), inbound=True), "nothing", "200 OK"),
    ],
    ids=["early", "delayed", "inbound"],
)
def test_good_calls(turned: Turned, tmp_path: Path, setting: Setting, ending: str, from_cucm: str) -> None:
    """In every placement: every fact, all logs, and the files."""
    seen = play(turned, tmp_path, setting)
    assert {what: seen.facts[what] for what in GOOD} == GOOD
    assert seen.facts["CUCM ends the call"] == ending
    assert seen.facts["final answer of CUCM to INVITE"] == from_cucm
    assert seen.logs[TRACE] == ""
    assert 'Detail="Receive Request Method=BYE' in seen.logs["Expressway-C"]
    assert 'Detail="Receive Request Method=BYE' in seen.logs["Expressway-E"]
    logs = {"expressway-c.log", "expressway-e.log", "cucm-sdl-trace.log"}
    assert {file.name for file in tmp_path.iterdir()} == {"addresses.json", "capture.pcapng", *logs}
    assert len(json.loads((tmp_path / "addresses.json").read_text())) == 4


@pytest.mark.parametrize(("size", "reset"), [(18000, "no"), (5000, "yes")])
def test_limit(turned: Turned, tmp_path: Path, size: int, reset: str) -> None:
    """The same INVITE from Webex, by what CUCM reads."""
    cucm = CucmSettings(sip_max_incoming_message_size=size)
    seen = play(turned, tmp_path, Setting(cucm, WebexSettings(locus_participants=8), inbound=True))
    assert seen.facts["CUCM resets the connection"] == reset
    assert seen.facts["largest message to CUCM"] == "over 5000 bytes"
    assert ("Resetting connection." in seen.logs[TRACE]) is (reset == "yes")


@pytest.mark.parametrize(("kbps", "ending"), [(64, "BYE"), (8, "BYE, Reason: Q.850;cause=47")])
def test_region(turned: Turned, tmp_path: Path, kbps: int, ending: str) -> None:
    """64 kbps is enough; 8 is not."""
    seen = play(turned, tmp_path, Setting(CucmSettings(region=Region(kbps), early_offer=EarlyOffer.MANDATORY)))
    assert seen.facts["CUCM ends the call"] == ending
