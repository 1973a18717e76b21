"""How a scenario of a hybrid call is declared."""

from __future__ import annotations

from harness.scenarios.scenario import Observation, says
from harness.scenarios.traversal.acts import ACK, ANSWER, call_out
from harness.scenarios.traversal.cast import WEBEX, WEBEX_PART
from harness.scenarios.traversal.declaring import WORKS, declared
from harness.scenarios.traversal.ground import Dial
from harness.scenarios.verdict import Outcome, judge

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
    failure={ANSWER: "404 Not Found"},
    success=WORKS,
    log=("a line",),
    more=(says("Expressway-C", "another line"),),
    parts=(WEBEX_PART,),
)


def test_signs_of_both_forms() -> None:
    """Facts, lines of the log of Expressway-E, and what else is said."""
    logs = {"Expressway-E": "... a line ...", "Expressway-C": "another line"}
    good = Observation({ANSWER: "404 Not Found"}, logs)
    assert judge(MADE_UP, False, good).verdict is Outcome.PASS
    assert judge(MADE_UP, False, Observation({ANSWER: "404 Not Found"}, {})).verdict is Outcome.FAIL
    assert judge(MADE_UP, True, Observation(WORKS)).verdict is Outcome.PASS
    assert judge(MADE_UP, True, good).verdict is Outcome.FAIL


def test_what_a_real_callee_does_not_tell() -> None:
    """Is not asked for."""
    told = {what: text for what, text in WORKS.items() if what != ACK}
    assert judge(MADE_UP, True, Observation(told)).verdict is Outcome.FAIL
    assert judge(MADE_UP, True, Observation(told, strangers=(WEBEX,))).verdict is Outcome.PASS
