"""Acts on a stage, each in a good and in a bad form: the facts that come of it, and what is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.peers.cucm_settings import CucmSettings, EarlyOffer, Region
from harness.peers.webex import WebexSettings
from harness.scenarios.hybrid import connectivity as test
from harness.scenarios.hybrid import seeing
from harness.scenarios.hybrid.acts import Act, call_in, call_in_with_fork, call_out, perform
from harness.scenarios.hybrid.cast import TRACE, Cast
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from tests.harness.peers.turning import Turned

THROUGH = {
    seeing.ZONE: "active",
    seeing.ANSWER: "200 OK",
    seeing.WARNING: "none",
    seeing.ACK: "arrives",
    seeing.BYE: "200 OK",
    seeing.FORWARDED: "INVITE, ACK, BYE",
    seeing.TRIED: "none",
    seeing.AUDIO: "a port",
    seeing.RESET: "no",
    seeing.DECLINE: "nothing",
    seeing.AT_EXPC: "arrives",
    seeing.TOASTS: "1",
    seeing.OPTIONS: "answered",
    seeing.CODECS: "without G.729",
    seeing.CRYPTO: "yes",
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
INSIDE = {
    **dict.fromkeys((seeing.PARAMETER_IN, seeing.PARAMETER_BETWEEN, seeing.PARAMETER_OUT), "squared"),
    seeing.SIZE: "over 5000 bytes",
    seeing.CALLED: "sip:bob@example.com",
    **{seeing.AT_CUCM: "arrives", seeing.CONNECTIONS: "some", seeing.FROM_CUCM: "200 OK", seeing.ENDING: "nothing"},
}


def performed(turned: Turned, stage: Stage, act: Act, dial: Dial = RIGHT) -> Observation:
    """What is seen of an act."""
    return turned.result(Deferred.fromCoroutine(_perform(act, dial, stage)))


async def _perform(act: Act, dial: Dial, stage: Stage) -> Observation:
    return await perform({False: dial}, act, stage, False)


def test_a_call_in(turned: Turned, stage: Stage) -> None:
    """Every fact, all logs, and the files."""
    seen = performed(turned, stage, call_in)
    assert seen.facts == {**THROUGH, **REPORT, **INSIDE, seeing.ASKED: "yes"}
    assert set(seen.logs) == {"Expressway-C", "Expressway-E", TRACE}
    assert seen.logs[TRACE] == ""
    assert {file.name for file in stage.directory.iterdir()} == {
        *("capture.pcapng", "expressway-c.log", "expressway-c.toml", "expressway-e.log", "expressway-e.toml"),
        "cucm-sdl-trace.log",
    }
    assert seen.strangers == ()


@pytest.mark.parametrize(
    ("early_offer", "size"),
    [(EarlyOffer.BEST_EFFORT, "up to 5000 bytes"), (EarlyOffer.DISABLED, "over 5000 bytes")],
)
def test_a_call_out(turned: Turned, stage: Stage, early_offer: EarlyOffer, size: str) -> None:
    """Over mutual TLS to Webex's second port, found by the override; the 200 is longer if it has to offer."""
    seen = performed(turned, stage, call_out, Dial(cucm=CucmSettings(early_offer=early_offer)))
    outside = {
        seeing.AT_WEBEX: "arrives",
        seeing.FROM_CUCM: "nothing",
        seeing.ENDING: "BYE",
        seeing.CONNECTIONS: "none",
        seeing.CALLED: "sip:alice@sub.call.ciscospark.com",
    }
    gone = dict.fromkeys((seeing.PARAMETER_IN, seeing.PARAMETER_BETWEEN, seeing.PARAMETER_OUT), "gone")
    offer = {seeing.CODECS: "with G.729" if early_offer is EarlyOffer.BEST_EFFORT else "without G.729"}
    assert seen.facts == {**THROUGH, **outside, **gone, **offer, seeing.TOASTS: "2", seeing.SIZE: size}


def test_behind_a_firewall_that_translates(turned: Turned, stage: Stage) -> None:
    """Expressway-E calls itself what it is outside, and BYE finds it there."""
    seen = performed(turned, stage, call_in, Dial(static_nat=True))
    assert seen.facts == {**THROUGH, **REPORT, **INSIDE, seeing.ASKED: "yes"}
    assert f"{stage.network.host(64)}:5062;transport=tls;lr>" in seen.logs["Expressway-E"]


@pytest.mark.parametrize(("preservation", "parameter", "toasts"), [(True, "squared", "1"), (False, "gone", "2")])
def test_a_fork(turned: Turned, stage: Stage, preservation: bool, parameter: str, toasts: str) -> None:
    """Webex knows its call again by the parameter, and announces it twice without."""
    seen = performed(turned, stage, call_in_with_fork, Dial(preservation=preservation))
    wanted = {
        **{seeing.PARAMETER_IN: "squared", seeing.PARAMETER_BETWEEN: parameter, seeing.PARAMETER_OUT: parameter},
        **{seeing.TOASTS: toasts, seeing.ANSWER: "200 OK", seeing.BYE: "200 OK", seeing.FORWARDED: "INVITE, ACK, BYE"},
    }
    assert wanted.items() <= seen.facts.items()


def test_no_name(turned: Turned, stage: Stage) -> None:
    """Nothing is sent."""
    seen = performed(turned, stage, call_in, Dial(published=False))
    wanted = {seeing.ANSWER: "nothing", seeing.CONNECTIONS: "none", seeing.AT_EXPC: "never arrives"}
    assert wanted.items() <= seen.facts.items()


@pytest.mark.parametrize(("size", "reset"), [(18000, "no"), (5000, "yes")])
def test_limit(turned: Turned, stage: Stage, size: int, reset: str) -> None:
    """The same INVITE from Webex, by what CUCM reads; the trace has the port that the connection came from."""
    dial = Dial(cucm=CucmSettings(sip_max_incoming_message_size=size), webex=WebexSettings(locus_participants=8))
    seen = performed(turned, stage, call_in, dial)
    assert (seen.facts[seeing.RESET], seen.facts[seeing.SIZE]) == (reset, "over 5000 bytes")
    assert (f"from {stage.network.host(2)}:[" in seen.logs[TRACE]) is (reset == "yes")
    assert ":[5060]" not in seen.logs[TRACE]


@pytest.mark.parametrize(("kbps", "ending"), [(64, "BYE"), (8, "BYE, Reason: Q.850;cause=47")])
def test_region(turned: Turned, stage: Stage, kbps: int, ending: str) -> None:
    """64 kbps is enough; 8 is not."""
    dial = Dial(cucm=CucmSettings(region=Region(kbps), early_offer=EarlyOffer.MANDATORY))
    assert performed(turned, stage, call_out, dial).facts[seeing.ENDING] == ending


def test_a_failure_closes_everything(turned: Turned, stage: Stage) -> None:
    """Nothing is left open when an act breaks off, and its error is told."""

    async def breaks_off(cast: Cast) -> Any:
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        performed(turned, stage, breaks_off)
