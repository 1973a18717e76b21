"""The verdict on one form of a scenario: what was observed against its signs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.scenarios.scenario import Evidence, Observation, Scenario


class Outcome(Enum):
    """What it comes to."""

    PASS = "pass"
    FAIL = "fail"
    """A sign is missing."""
    ERROR = "error"
    """It could not be observed."""
    SKIPPED = "skipped"
    """It cannot be observed on this machine."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one form."""

    name: str
    fixed: bool
    """With the cure."""
    verdict: Outcome
    reason: str
    evidence: tuple[Evidence, ...] = ()
    seconds: float = 0.0


def judge(scenario: Scenario, fixed: bool, observation: Observation, seconds: float = 0.0) -> Verdict:
    """By the signs of a form, whichever form was observed."""
    strangers = frozenset(observation.strangers)
    signs = [sign for sign in scenario.signs(fixed) if strangers.isdisjoint(sign.witnesses)]
    evidence = tuple(sign.check(observation) for sign in signs)
    if not evidence:
        reason = "none of its signs can be seen from here"
        return Verdict(scenario.name, fixed, Outcome.ERROR, reason, (), seconds)
    missing = [each for each in evidence if not each.shown]
    outcome = Outcome.FAIL if missing else Outcome.PASS
    reason = f"all {len(evidence)} signs are there"
    if missing:
        first = missing[0]
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        reason = f"{first.what}: expected {first.expected}, found {first.found}{more}"
    return Verdict(scenario.name, fixed, outcome, reason, evidence, seconds)
