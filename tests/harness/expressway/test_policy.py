"""Call policy: which rule decides, and about whom."""

from __future__ import annotations

import pytest

from harness.expressway import patterns
from harness.expressway.policy import Decision, decide
from harness.expressway.settings import Action, Callers, Expressway, Policy, PolicyMode, PolicyRule, SourceType, System
from tests.harness.expressway.configurations import AND_SO_ON, ENDLESS

REJECT = PolicyRule(source="carol@.*", destination=r".*@%localdomains%", action=Action.REJECT)
ALLOW = PolicyRule(source="carol@example.com", destination="bob@example.com", action=Action.ALLOW)
SYSTEM = System(domains=["example.com"])


def decided(*rules: PolicyRule, source: str = "carol@example.com", authenticated: bool = False) -> Decision:
    """The decision about a call to bob@example.com."""
    expressway = Expressway(system=SYSTEM, policy_rules=rules)
    return decide(expressway, source, "bob@example.com", "DefaultZone", authenticated)


def test_without_rules_every_call_is_allowed() -> None:
    """The default policy allows all calls."""
    assert decided().allowed


def test_the_first_rule_that_matches_decides() -> None:
    """From top to bottom."""
    assert decided(REJECT, ALLOW) == Decision(REJECT)
    assert not decided(REJECT, ALLOW).allowed
    assert decided(ALLOW, REJECT) == Decision(ALLOW)
    assert decided(ALLOW, REJECT).allowed


@pytest.mark.parametrize("source", ["bob@example.com", "xcarol@example.com"])
def test_a_rule_matches_source_and_destination(source: str) -> None:
    """One of them is not enough; a pattern is compared with the whole alias."""
    assert decided(REJECT, source=source) == Decision(None)


def test_whom_a_rule_applies_to() -> None:
    """A rule for unauthenticated callers does not inspect authenticated ones, and the other way round."""
    assert decided(REJECT, authenticated=True).allowed
    for_authenticated = PolicyRule(callers=Callers.AUTHENTICATED, destination=".*", action=Action.REJECT)
    assert decided(for_authenticated).allowed
    assert not decided(for_authenticated, authenticated=True).allowed


def test_an_empty_source_pattern() -> None:
    """It means all callers of that kind."""
    assert not decided(PolicyRule(destination=".*", action=Action.REJECT), source="").allowed


def test_a_rule_for_a_zone() -> None:
    """It inspects all calls from there, whoever makes them."""
    rule = PolicyRule(source_type=SourceType.ZONE, zone="DefaultZone", destination=".*", action=Action.REJECT)
    assert not decided(rule).allowed
    assert not decided(rule, authenticated=True).allowed
    other = PolicyRule(source_type=SourceType.ZONE, zone="DNS", destination=".*", action=Action.REJECT)
    assert decided(other).allowed


def test_policy_that_is_off() -> None:
    """Its rules are not looked at."""
    expressway = Expressway(system=SYSTEM, policy=Policy(mode=PolicyMode.OFF), policy_rules=(REJECT,))
    assert decide(expressway, "carol@example.com", "bob@example.com", "DefaultZone", False) == Decision(None)


@pytest.mark.parametrize("key", ["source", "destination"])
def test_a_rule_that_nobody_can_decide(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """It is passed over, and says so; the next one decides."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    endless = PolicyRule(**{"destination": ".*", key: ENDLESS})
    reject = PolicyRule(destination=".*", action=Action.REJECT)
    expressway = Expressway(policy_rules=(endless, reject))
    found = decide(expressway, AND_SO_ON, AND_SO_ON, "DefaultZone", False)
    assert found.rule is reject
    (why,) = found.undecided
    assert why.startswith(f"call policy rule 1: {ENDLESS!r} compared with {AND_SO_ON!r}: no result after")
