"""The *Locate* tool: a plan walked to its end, with whoever answers for the zones.

Strategy: priority by priority the zones of the rules that match are asked, first with the protocol of the request, then
with the other one where the interworking mode says so. The first zone that has the alias ends the search; all zones of
one priority are asked at once. Who answers is an argument, so that the same walk serves a dry run and a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.expressway.search import NOT_FOUND, Candidate, Outcome, Plan, Rejection, Request
from harness.expressway.settings import (
    LOCAL_ZONE,
    Expressway,
    InterworkingMode,
    LocalZone,
    Protocol,
    Zone,
    zone_type,
)
from harness.expressway.zones import whom_it_asks

Answers = Callable[[Zone, Protocol, str], bool]
"""Whether a zone has an alias."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question to one zone."""

    zone: str
    type: str
    """Of the zone, as the product writes it."""
    protocol: Protocol
    alias: str
    asked: str
    """`address:port` or the name that is looked up; empty where the other side connects."""
    found: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rule whose zone was asked."""

    candidate: Candidate
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """What a search came to."""

    plan: Plan
    rules: tuple[Candidate, ...]
    """Every rule with its final outcome."""
    attempts: tuple[Attempt, ...]
    found: Query | None
    """The zone that gets the call."""

    @property
    def rejection(self) -> Rejection | None:
        """The answer to the caller if the call goes nowhere."""
        return None if self.found else self.plan.rejection or NOT_FOUND


def locate(expressway: Expressway, plan: Plan, answers: Answers) -> Located:
    """Walk a plan until a zone has the alias, or there is none left to ask."""
    attempts: list[Attempt] = []
    found: Query | None = None
    asked: set[str] = set()
    for group in plan.attempts():
        for candidate in group:
            queries = _ask(expressway, plan.request, candidate, answers)
            attempts.append(Attempt(candidate, queries))
            asked.add(candidate.rule.name)
            found = found or next((query for query in queries if query.found), None)
        if found is not None:
            break
    rules = tuple(_settled(candidate, asked, found) for candidate in plan.candidates)
    return Located(plan, rules, tuple(attempts), found)


def _settled(candidate: Candidate, asked: set[str], found: Query | None) -> Candidate:
    """The final outcome of a rule: one whose turn never came is no longer considered."""
    if found is None or candidate.outcome is not Outcome.CONSIDERED or candidate.rule.name in asked:
        return candidate
    return replace(candidate, outcome=Outcome.STOPPED, stopped_by=f"the alias is found in {found.zone!r}")


def offline(expressway: Expressway, absent: frozenset[str] = frozenset()) -> Answers:
    """Answers without a network: the Local Zone has what is registered, every other zone has any alias by SIP.

    Zones in `absent` have nothing.
    """
    registered = {alias.lower() for alias in expressway.system.registrations}

    def answer(zone: Zone, protocol: Protocol, alias: str) -> bool:
        if protocol is not Protocol.SIP or zone.name in absent:
            return False
        return not isinstance(zone, LocalZone) or alias.partition(";")[0].lower() in registered

    return answer


def _ask(expressway: Expressway, request: Request, candidate: Candidate, answers: Answers) -> tuple[Query, ...]:
    """The questions to the zone of one rule, until it has the alias."""
    zone = expressway.zone(candidate.rule.target)
    assert zone is not None, f"search rule {candidate.rule.name!r} was checked when it was loaded"
    queries: list[Query] = []
    for protocol in _protocols(expressway, request, zone):
        asked = whom_it_asks(expressway, zone, candidate.alias)
        has_it = answers(zone, protocol, candidate.alias)
        queries.append(Query(zone.name, zone_type(zone), protocol, candidate.alias, asked, has_it))
        if has_it:
            break
    return tuple(queries)


def _protocols(expressway: Expressway, request: Request, zone: Zone) -> tuple[Protocol, ...]:
    """The protocols that a zone is asked by ("Search rules", Expressway Administrator Guide X14.0.1)."""
    native = request.protocol
    other = Protocol.H323 if native is Protocol.SIP else Protocol.SIP
    match expressway.system.interworking:
        case InterworkingMode.OFF:
            return (native,)
        case InterworkingMode.ON:
            return (native, other)
        case InterworkingMode.REGISTERED_ONLY:
            registered = isinstance(zone, LocalZone) or request.source == LOCAL_ZONE
            return (native, other) if registered else (native,)
