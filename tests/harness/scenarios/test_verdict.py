"""The verdict is what the signs say."""

from __future__ import annotations

from dataclasses import replace

from harness.scenarios.scenario import Observation, fact
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios import made_up

TWO_SIGNS = replace(
    made_up.WORKS, failure=(fact("answer", "408 Request Timeout"), fact("sound", "silence"), fact("BYE", "none"))
)


def test_all_signs() -> None:
    """Pass."""
    seen = Observation({"answer": "408 Request Timeout", "sound": "silence", "BYE": "none"})
    verdict = judge(TWO_SIGNS, False, seen, 1.5)
    assert (verdict.verdict, verdict.reason, verdict.seconds) == (Outcome.PASS, "all 3 signs are there", 1.5)


def test_one_sign_is_missing() -> None:
    """Fail, with what was found instead."""
    verdict = judge(TWO_SIGNS, False, Observation({"answer": "408 Request Timeout", "sound": "heard", "BYE": "none"}))
    assert (verdict.verdict, verdict.reason) == (Outcome.FAIL, "sound: expected silence, found heard")
    assert [each.shown for each in verdict.evidence] == [True, False, True]


def test_several_signs_are_missing() -> None:
    """The first is told, and how many more."""
    verdict = judge(TWO_SIGNS, False, Observation({}))
    assert verdict.reason == "answer: expected 408 Request Timeout, found not there (and 2 more)"


def test_what_a_stranger_alone_could_tell_is_not_asked_for() -> None:
    """The real callee says nothing of what it heard."""
    silent = Observation({}, strangers=("callee",))
    assert judge(made_up.WORKS, True, Observation({})).verdict is Outcome.FAIL
    both = replace(made_up.WORKS, success=(*made_up.WORKS.success, fact("ACK", "leaves")))
    seen = judge(both, True, replace(silent, facts={"ACK": "leaves"}))
    assert (seen.verdict, [each.what for each in seen.evidence]) == (Outcome.PASS, ["ACK"])
    assert judge(made_up.WORKS, True, silent).verdict is Outcome.ERROR, "no evidence is no pass"
