"""What a search came to, as the *Locate* page shows it, and as one object for machines.

The page's result is a tree of `Name: value` lines; behind it stands what the page leaves to the log: every search rule
in order, and why it did not get the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.expressway.locate import Attempt, Located, Query
from harness.expressway.search import NOT_FOUND, Candidate, Outcome
from harness.expressway.settings import Expressway, Protocol, zone_type

_TYPES = {Protocol.SIP: "SIP (OPTIONS)", Protocol.H323: "H323 (LRQ)"}
"""What a search is made with, and its `Type`."""

Line = tuple[int, str]
"""A level and a text."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one search from another."""

    serial_number: str
    tag: str
    started: datetime


def result_tree(expressway: Expressway, located: Located, identity: Identity) -> str:
    """The result as the *Locate* page shows it, two spaces a level."""
    return "".join(f"{'  ' * level}{text}\n" for level, text in _search(expressway, located, identity))


def rule_list(located: Located) -> str:
    """Every search rule in order, and what became of it."""
    rules = located.rules
    if located.plan.rejection is not None:
        return f"Search rules: none considered, {located.plan.because}\n"
    if not rules:
        return "Search rules: there are none\n"
    width = max(len(candidate.rule.name) for candidate in rules)
    lines = [
        f"  {candidate.rule.priority:>5}  {candidate.rule.name:<{width}}  {_outcome(located, candidate)}\n"
        for candidate in rules
    ]
    return f"Search rules by priority for {located.plan.alias!r}:\n{''.join(lines)}"


def verdict(located: Located) -> str:
    """One line: who gets the call, or how it is answered."""
    if located.found is not None:
        asked = f" ({located.found.asked})" if located.found.asked else ""
        return f"{located.found.zone!r}{asked} gets the call to {located.found.alias!r}\n"
    rejection = located.rejection
    assert rejection is not None, "what is not found is rejected"
    return f"nobody gets the call: {rejection.status} {rejection.reason}, Warning {rejection.warning!r}\n"


def as_object(located: Located) -> dict[str, Any]:
    """The same for machines."""
    plan, rejection = located.plan, located.rejection
    transform, policy_rule = plan.transformed.transform, plan.decision.rule
    queries = {attempt.candidate.rule.name: attempt.queries for attempt in located.attempts}
    return {
        "alias": plan.request.alias,
        "route": plan.request.route,
        "source": plan.request.source,
        "source_alias": plan.request.source_alias,
        "authenticated": plan.request.authenticated,
        "found": located.found is not None,
        "zone": located.found.zone if located.found else None,
        "result_alias": located.found.alias if located.found else None,
        "status": rejection.status if rejection else None,
        "reason": rejection.reason if rejection else None,
        "because": plan.because or None,
        "transform": None if transform is None else transform.priority,
        "transformed": plan.alias,
        "policy": {
            "allowed": plan.decision.allowed,
            "destination": None if policy_rule is None else policy_rule.destination,
        },
        "rules": [
            {
                "name": candidate.rule.name,
                "priority": candidate.rule.priority,
                "target": candidate.rule.target,
                "outcome": candidate.outcome.name.lower(),
                "explanation": _outcome(located, candidate),
                "alias": candidate.alias,
                "zones": [_query_object(query) for query in queries.get(candidate.rule.name, ())],
            }
            for candidate in located.rules
        ],
    }


def _query_object(query: Query) -> dict[str, Any]:
    return {
        "name": query.zone,
        "type": query.type,
        "protocol": query.protocol.value,
        "asked": query.asked,
        "found": query.found,
    }


def _outcome(located: Located, candidate: Candidate) -> str:
    match candidate.outcome:
        case Outcome.CONSIDERED:
            attempts = [attempt for attempt in located.attempts if attempt.candidate.rule is candidate.rule]
            found = any(query.found for attempt in attempts for query in attempt.queries)
            result = "found" if found else "not found"
            return f"considered towards {candidate.rule.target!r} with {candidate.alias!r}: {result}"
        case Outcome.STOPPED:
            return f"{candidate.outcome.value}: {candidate.stopped_by}"
        case _:
            return str(candidate.outcome.value)


def _search(expressway: Expressway, located: Located, identity: Identity) -> Iterator[Line]:
    plan, found = located.plan, located.found is not None
    request = plan.request
    yield 0, "Search (1)"
    yield 1, "State: Completed"
    yield from _found(1, found, located.rejection.reason if located.rejection else "")
    yield 1, f"Type: {_TYPES[request.protocol]}"
    if request.protocol is Protocol.SIP:
        yield 1, "SIPVariant: Standards-based"
    yield 1, f"CallRouted: {found}"
    yield 1, f"CallSerial Number: {identity.serial_number}"
    yield 1, f"Tag: {identity.tag}"
    yield from _source(expressway, located)
    yield 1, "Destination (1)"
    scheme = "sip:" if request.protocol is Protocol.SIP else ""
    yield from _alias(2, "Alias (1)", scheme + request.alias)
    yield 1, f"StartTime: {identity.started:%Y-%m-%d %H:%M:%S}"
    yield 1, "Duration: 0"
    yield from _steps(located, identity)


def _steps(located: Located, identity: Identity) -> Iterator[Line]:
    """The parts of the search that were reached."""
    plan = located.plan
    if plan.rejection is NOT_FOUND:
        return
    steps = [("Transforms", "Transformed" if plan.transformed.transform else "Not Transformed", plan.alias)]
    steps.append(("Admin Policy", "Proxy" if plan.decision.allowed else "Reject", plan.alias))
    if plan.decision.allowed:
        steps.append(("FindMe", "Proxy", plan.alias))
    for kind, action, alias in steps:
        yield 1, "SubSearch (1)"
        yield 2, f"Type: {kind}"
        yield 2, f"Action: {action}"
        yield from _alias(2, "ResultAlias (1)", alias)
    if plan.decision.allowed:
        yield 1, "SubSearch (1)"
        yield 2, "Type: Search Rules"
        for number, attempt in enumerate(located.attempts, 1):
            yield from _rule(number, attempt, identity)


def _source(expressway: Expressway, located: Located) -> Iterator[Line]:
    request = located.plan.request
    zone = expressway.zone(request.source)
    assert zone is not None, "the zone that a request came in through exists"
    yield 1, "Source (1)"
    yield 2, f"Authenticated: {request.authenticated}"
    yield 2, "Aliases (1)"
    yield from _alias(3, "Alias (1)", request.source_alias)
    yield 2, "Zone (1)"
    yield 3, f"Name: {zone.name}"
    yield 3, f"Type: {zone_type(zone)}"
    yield 2, "Path (1)"
    yield 3, "Hop (1)"
    yield 4, "Address: 127.0.0.1"


def _rule(number: int, attempt: Attempt, identity: Identity) -> Iterator[Line]:
    yield 2, f"SearchRule ({number})"
    yield 3, f"Name: {attempt.candidate.rule.name}"
    for count, query in enumerate(attempt.queries, 1):
        yield 3, f"Zone ({count})"
        yield 4, f"Name: {query.zone}"
        yield 4, f"Type: {query.type}"
        yield 4, f"Protocol: {query.protocol.value}"
        yield from _found(4, query.found, "Not Found")
        yield 4, f"StartTime: {identity.started:%Y-%m-%d %H:%M:%S}"
        yield 4, "Duration: 0"
        yield 4, "Gatekeeper (1)"
        if query.asked:
            yield 5, f"Address: {query.asked}"
        yield from _alias(5, "Alias (1)", query.alias)


def _found(level: int, found: bool, reason: str) -> Iterator[Line]:
    yield level, f"Found: {found}"
    if not found:
        yield level, f"Reason: {reason}"


def _alias(level: int, heading: str, value: str) -> Iterator[Line]:
    yield level, heading
    yield level + 1, "Type: Url"
    yield level + 1, "Origin: Unknown"
    yield level + 1, f"Value: {value}"
