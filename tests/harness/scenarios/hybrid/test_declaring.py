"""How a scenario of a hybrid call is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.scenarios import hybrid_codec, hybrid_inbound, hybrid_outbound, hybrid_size
from harness.scenarios.hybrid.acts import call_out
from harness.scenarios.hybrid.declaring import WORKS, declared
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.hybrid.legs import EXPRESSWAY_E, Leg
from harness.scenarios.hybrid.seeing import ACK, ANSWER, WARNING, ZONE
from harness.scenarios.scenario import Observation, Scenario, says
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios.whole_run import WholeRun

MADE_UP = declared(
    "O9",
    "made-up",
    "for a test",
    source="nowhere",
    happens="Nothing.",
    look="Nowhere.",
    wireshark="sip",
    cure="None.",
    act=call_out,
    broken=Dial(mtls=False),
    failure={ANSWER: "404 Not Found", WARNING: "Policy Response"},
    success=WORKS,
    log=("a line",),
    more=(says("Expressway-C", "another line"),),
)


def test_signs_of_both_forms() -> None:
    """Facts, lines of the log of Expressway-E, and what else is said."""
    logs = {"Expressway-E": "... a line ...", "Expressway-C": "another line"}
    good = Observation({ZONE: "active", ANSWER: "404 Not Found", WARNING: "Policy Response"}, logs)
    assert judge(MADE_UP, False, good).verdict is Outcome.PASS
    assert judge(MADE_UP, False, Observation({ANSWER: "404 Not Found"}, {})).verdict is Outcome.FAIL
    assert judge(MADE_UP, True, Observation(WORKS)).verdict is Outcome.PASS
    assert judge(MADE_UP, True, good).verdict is Outcome.FAIL


def test_what_strangers_do_not_tell() -> None:
    """Is not asked for: a log, a Warning of theirs, and what crosses a leg that nobody sees."""
    told = {what: text for what, text in WORKS.items() if what != ACK}
    unseen = Leg.OUTSIDE.value
    assert judge(MADE_UP, True, Observation(told)).verdict is Outcome.FAIL
    assert judge(MADE_UP, True, Observation(told, strangers=(unseen,))).verdict is Outcome.PASS
    alone = Observation({ZONE: "active", ANSWER: "404 Not Found"}, {"Expressway-C": "another line"}, (EXPRESSWAY_E,))
    assert judge(MADE_UP, False, alone).verdict is Outcome.PASS
    assert judge(MADE_UP, False, replace(alone, strangers=())).verdict is Outcome.FAIL


def test_everybody_may_be_a_stranger() -> None:
    """All four have a part in calls of either way."""
    assert MADE_UP.replaceable == ("cucm", "expressway-c", "expressway-e", "webex")


OURS = (*hybrid_inbound.SCENARIOS, *hybrid_outbound.SCENARIOS, *hybrid_codec.SCENARIOS, *hybrid_size.SCENARIOS)


@pytest.mark.parametrize("scenario", OURS, ids=[each.name for each in OURS])
def test_forms_differ_without_any_one_of_them(whole_run: WholeRun, scenario: Scenario) -> None:
    """Whoever is a stranger: several signs are left, and those of one form are not there in the other."""
    for fixed in (False, True):
        seen = whole_run.observation(scenario.name, fixed)
        for name in scenario.replaceable:
            alone = replace(seen, strangers=(name,))
            told = judge(scenario, fixed, alone)
            assert told.verdict is Outcome.PASS, (name, told.reason)
            assert len(told.evidence) >= 3
            assert judge(scenario, not fixed, alone).verdict is Outcome.FAIL, name
