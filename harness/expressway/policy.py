"""Call policy: whether a call may be made at all, before any search rule is considered.

Each rule is compared with the call from top to bottom until one matches (Expressway Administrator Guide X14.0.1,
Configuring Call Policy Rules Using the Web Interface); a call that none matches is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.expressway.expressions import Undecided
from harness.expressway.patterns import matches
from harness.expressway.settings import Action, Callers, Expressway, PolicyMode, PolicyRule, SourceType


@dataclass(frozen=True, slots=True)
class Decision:
    """What call policy says of a call."""

    rule: PolicyRule | None
    """The one that matched."""
    undecided: tuple[str, ...] = ()
    """The rules that count as not matching since nobody can tell, and why."""

    @property
    def allowed(self) -> bool:
        """Whether the call goes on."""
        return self.rule is None or self.rule.action is Action.ALLOW


def decide(expressway: Expressway, source_alias: str, destination: str, zone: str, authenticated: bool) -> Decision:
    """The decision about a call from an alias, which came in through a zone, to an alias."""
    if expressway.policy.mode is PolicyMode.OFF:
        return Decision(None)
    variables = expressway.variables
    undecided: list[str] = []
    for number, rule in enumerate(expressway.policy_rules, 1):
        try:
            if rule.source_type is SourceType.ZONE:
                inspected = rule.zone == zone
            else:
                callers = Callers.AUTHENTICATED if authenticated else Callers.UNAUTHENTICATED
                known = rule.callers is callers
                inspected = known and (not rule.source or matches(source_alias, rule.source, variables))
            if inspected and matches(destination, rule.destination, variables):
                return Decision(rule, tuple(undecided))
        except Undecided as error:
            undecided.append(f"call policy rule {number}: {error}")
    return Decision(None, tuple(undecided))
