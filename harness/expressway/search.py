"""Which search rules a request meets, in which order, and what each would send where.

Strategy: transforms, then call policy, then the search rules by ascending priority number, as "How the Expressway
determines the destination of a call" and "Search and Zone Transformation Process" have it (Expressway Administrator
Guide X14.0.1). FindMe, which stands between policy and rules, has no users here and changes nothing. A plan is made
without asking anybody: `harness.expressway.locate` and the peers walk it, and ask the zones.

A preloaded Route takes the place of the alias behind the policy: policy sees the request URI, search rules see the
Route, in a log as `cucm.example.com;lr`. A zone that does not accept it rejects the request before anything else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

from harness.expressway import policy
from harness.expressway.expressions import Undecided
from harness.expressway.patterns import Check, check_pattern
from harness.expressway.settings import (
    LOCAL_ZONE,
    Expressway,
    LocalZone,
    NeighborZone,
    Progress,
    Protocol,
    RuleMode,
    RuleProtocol,
    RuleSource,
    SearchRule,
    State,
    TraversalClientZone,
    TraversalServerZone,
    YesNo,
)
from harness.expressway.transforms import Transformed, transform_alias
from harness.expressway.zones import accepts_preloaded_routes

_ALL_ZONES = (LocalZone, NeighborZone, TraversalClientZone, TraversalServerZone)
"""What source mode AllZones means: "Locally registered devices plus neighbor or traversal zones"."""


class Outcome(Enum):
    """What became of a search rule; the value says it to a person."""

    CONSIDERED = "considered"
    DISABLED = "disabled"
    SOURCE = "ignored due to source filtering"
    PROTOCOL = "ignored: it is for another protocol"
    AUTHENTICATION = "ignored: the request must be authenticated"
    NO_MATCH = "did not match"
    UNDECIDED = "counts as not matching: its pattern is too complex for the alias"
    STOPPED = "never considered"


@dataclass(frozen=True, slots=True)
class Request:
    """What is searched for, and who asks."""

    alias: str
    """`user@domain`, or whatever else was dialled; a scheme in front does not count."""
    source: str = LOCAL_ZONE
    """Name of the zone that it comes in through."""
    authenticated: bool = True
    source_alias: str = "xcom-locate"
    """The caller, without scheme."""
    protocol: Protocol = Protocol.SIP
    route: str | None = None
    """The URI of a preloaded Route."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One search rule, and what became of it."""

    rule: SearchRule
    outcome: Outcome
    alias: str
    """What the target zone is asked for, or what the rule was compared with."""
    stopped_by: str = ""
    """With outcome STOPPED: why."""
    undecided: str = ""
    """With outcome UNDECIDED: why."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The answer to a request that goes nowhere."""

    status: int
    reason: str
    warning: str = "Policy Response"
    """Text of the Warning header field."""


FORBIDDEN = Rejection(403, "Forbidden")
"""Call policy rejects."""
NOT_FOUND = Rejection(404, "Not Found")
"""No zone has it, or a preloaded Route is not accepted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known about a search before the first zone is asked."""

    request: Request
    transformed: Transformed
    decision: policy.Decision
    candidates: tuple[Candidate, ...]
    """Every search rule in the order in which they are looked at; none once the request is rejected."""
    rejection: Rejection | None = None
    """The answer, if the search ends before the first rule."""
    because: str = ""
    """Why it does."""

    @property
    def alias(self) -> str:
        """What the search rules are compared with."""
        return self.transformed.alias

    @property
    def undecided(self) -> tuple[str, ...]:
        """Patterns of which nobody can tell whether they match, and why; they count as not matching."""
        rules = tuple(candidate.undecided for candidate in self.candidates if candidate.undecided)
        return (*self.transformed.undecided, *self.decision.undecided, *rules)

    def attempts(self) -> Iterator[tuple[Candidate, ...]]:
        """The rules whose zones are asked: those of one priority together, one priority after the other."""
        considered = (candidate for candidate in self.candidates if candidate.outcome is Outcome.CONSIDERED)
        for _, group in groupby(considered, lambda candidate: candidate.rule.priority):
            yield tuple(group)


def plan(expressway: Expressway, request: Request) -> Plan:
    """What an Expressway would do with a request, as far as its configuration decides it."""
    request = replace(request, alias=without_scheme(request.alias), source_alias=without_scheme(request.source_alias))
    source = expressway.zone(request.source)
    assert source is not None, f"a request comes in through a zone, and {request.source!r} is none"
    if request.route is not None and not accepts_preloaded_routes(source):
        because = f"'SIP PreloadedSipRoutes Accept' is Off in zone {source.name!r}"
        return Plan(request, Transformed(None, request.alias), policy.Decision(None), (), NOT_FOUND, because)
    transformed = transform_alias(expressway, request.alias)
    decision = policy.decide(expressway, request.source_alias, transformed.alias, request.source, request.authenticated)
    if decision.rule is not None and not decision.allowed:
        because = f"call policy rejects it by the rule with 'Destination pattern' {decision.rule.destination!r}"
        return Plan(request, transformed, decision, (), FORBIDDEN, because)
    if request.route is not None:
        routed = transform_alias(expressway, without_scheme(request.route))
        transformed = replace(routed, undecided=(*transformed.undecided, *routed.undecided))
    return Plan(request, transformed, decision, tuple(_candidates(expressway, request, transformed.alias)))


def without_scheme(uri: str) -> str:
    """A URI as search rules see it; anything else as it is."""
    scheme, colon, rest = uri.partition(":")
    return rest if colon and scheme.lower() in ("sip", "sips") else uri


def _candidates(expressway: Expressway, request: Request, alias: str) -> Iterator[Candidate]:
    """Each rule with its outcome; a rule that stops lets those of its own priority pass."""
    stop: SearchRule | None = None
    for rule in sorted(expressway.search_rules, key=lambda entry: entry.priority):
        outcome = _filtered(expressway, rule, request)
        if outcome is not None:
            yield Candidate(rule, outcome, alias)
            continue
        try:
            check = _check(expressway, rule, alias)
        except Undecided as error:
            yield Candidate(rule, Outcome.UNDECIDED, alias, undecided=f"search rule {rule.name!r}: {error}")
            continue
        if not check.matched:
            yield Candidate(rule, Outcome.NO_MATCH, alias)
        elif stop is not None and stop.priority < rule.priority:
            yield Candidate(rule, Outcome.STOPPED, alias, f"the search stops at {stop.name!r}")
        else:
            yield Candidate(rule, Outcome.CONSIDERED, check.alias)
            if rule.progress is Progress.STOP:
                stop = rule


def _filtered(expressway: Expressway, rule: SearchRule, request: Request) -> Outcome | None:
    """Why a rule is not even compared with the alias."""
    if rule.state is State.DISABLED:
        return Outcome.DISABLED
    if not _from(expressway, rule, request.source):
        return Outcome.SOURCE
    if rule.protocol is not RuleProtocol.ANY and rule.protocol.value != request.protocol.value:
        return Outcome.PROTOCOL
    if rule.authentication is YesNo.YES and not request.authenticated:
        return Outcome.AUTHENTICATION
    return None


def _from(expressway: Expressway, rule: SearchRule, source: str) -> bool:
    match rule.source_mode:
        case RuleSource.ANY:
            return True
        case RuleSource.ALL_ZONES:
            return isinstance(expressway.zone(source), _ALL_ZONES)
        case RuleSource.LOCAL_ZONE:
            return source == LOCAL_ZONE
        case RuleSource.NAMED:
            return source == rule.source_name


def _check(expressway: Expressway, rule: SearchRule, alias: str) -> Check:
    match rule.mode:
        case RuleMode.ALIAS_PATTERN_MATCH:
            return check_pattern(alias, rule.pattern, expressway.variables)
        case RuleMode.ANY_ALIAS:
            return Check(not _is_address(alias), alias)
        case RuleMode.ANY_IP_ADDRESS:
            return Check(_is_address(alias), alias)


def _is_address(alias: str) -> bool:
    try:
        ipaddress.ip_address(alias.strip("[]"))
    except ValueError:
        return False
    return True
