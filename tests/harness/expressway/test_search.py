"""Which search rules a request meets: order, filters, stop, and what comes before the first of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressway import patterns
from harness.expressway.patterns import Behavior, PatternType
from harness.expressway.search import FORBIDDEN, NOT_FOUND, Outcome, Plan, Request, plan, without_scheme
from harness.expressway.settings import (
    Action,
    DnsZone,
    Expressway,
    NeighborZone,
    OnOff,
    PolicyRule,
    Progress,
    Protocol,
    RuleMode,
    RuleProtocol,
    RuleSource,
    SearchRule,
    State,
    System,
    Transform,
    TraversalClientZone,
    TraversalServerZone,
    YesNo,
)
from tests.harness.expressway.configurations import (
    AND_SO_ON,
    ENDLESS,
    TRAVERSAL,
    WEBEX_ALIAS,
    expressway_c,
    expressway_e,
)

ZONES = (
    NeighborZone(name="neighbor", preloaded_routes=OnOff.ON),
    TraversalClientZone(name="client"),
    TraversalServerZone(name="server"),
    DnsZone(name="dns"),
)
BOB = "bob@example.com"
FOR_BOB = Request(BOB)


def rule(name: str, priority: int = 100, **settings: object) -> SearchRule:
    """A rule towards the Local Zone."""
    return SearchRule(name=name, priority=priority, target="LocalZone", **settings)  # type: ignore[arg-type]


def planned(*rules: SearchRule, request: Request = FOR_BOB) -> Plan:
    """What becomes of a request."""
    return plan(Expressway(zones=ZONES, search_rules=rules), request)


def outcomes(found: Plan) -> dict[str, Outcome]:
    """What became of each rule, in order."""
    return {candidate.rule.name: candidate.outcome for candidate in found.candidates}


def attempted(found: Plan) -> list[list[str]]:
    """The rules whose zones would be asked, priority by priority."""
    return [[candidate.rule.name for candidate in group] for group in found.attempts()]


def test_the_rule_for_webex_is_never_considered() -> None:
    """A rule for everything has priority 100 and stops; the rule for Webex has 101."""
    found = plan(expressway_e(priority=101), Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False))
    assert [(c.rule.priority, c.rule.name, c.outcome) for c in found.candidates] == [
        (10, "B2B calls to VCS-C", Outcome.NO_MATCH),
        (15, "Webex Hybrid", Outcome.SOURCE),
        (100, "to DNS", Outcome.CONSIDERED),
        (101, "Webex Hybrid - to Webex Cloud", Outcome.STOPPED),
    ]
    assert found.candidates[-1].stopped_by == "the search stops at 'to DNS'"
    assert attempted(found) == [["to DNS"]]


def test_the_rule_for_webex_has_a_lower_number() -> None:
    """With 99 it is the one, and the rule for everything is never considered."""
    found = plan(expressway_e(priority=99), Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False))
    assert attempted(found) == [["Webex Hybrid - to Webex Cloud"]]
    assert outcomes(found)["to DNS"] is Outcome.STOPPED


def test_source_and_destination_of_a_policy_rule_are_swapped() -> None:
    """Call policy comes first: 403, Policy Response, and no search rule is looked at."""
    swapped = expressway_e(source=".*", destination=r".*@dmzlab\.call\.ciscospark\.com.*")
    request = Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False, source_alias="5010@rtp.example.net")
    found = plan(swapped, request)
    assert found.rejection == FORBIDDEN
    assert (FORBIDDEN.status, FORBIDDEN.reason, FORBIDDEN.warning) == (403, "Forbidden", "Policy Response")
    assert (found.candidates, attempted(found)) == ((), [])
    assert r"'.*@dmzlab\\.call\\.ciscospark\\.com.*'" in found.because
    assert plan(expressway_e(), request).rejection is None


def test_a_preloaded_route_takes_the_place_of_the_alias() -> None:
    """Search rules see the Route with its parameters, without its scheme."""
    request = Request("bob@rtp.example.net", TRAVERSAL, route="sip:cucm.rtp.example.net;lr")
    found = plan(expressway_c(), request)
    assert found.alias == "cucm.rtp.example.net;lr"
    assert attempted(found) == [["as is local"], ["Hybrid Call Service Inbound Routing"]]


def test_an_exact_pattern_does_not_match_a_route() -> None:
    """The parameter `lr` is a part of it."""
    request = Request("bob@rtp.example.net", TRAVERSAL, route="sip:cucm.rtp.example.net;lr")
    assert attempted(plan(expressway_c(pattern_type="Exact"), request)) == [["as is local"]]


def test_preloaded_routes_are_not_accepted() -> None:
    """404, Policy Response; no search rule is considered on the Route, nor on the request URI."""
    request = Request("bob@rtp.example.net", TRAVERSAL, route="sip:cucm.rtp.example.net;lr")
    found = plan(expressway_c(preloaded="Off"), request)
    assert found.rejection == NOT_FOUND
    assert (NOT_FOUND.status, NOT_FOUND.reason, NOT_FOUND.warning) == (404, "Not Found", "Policy Response")
    assert found.candidates == ()
    assert found.because == f"'SIP PreloadedSipRoutes Accept' is Off in zone {TRAVERSAL!r}"


def test_policy_sees_the_request_uri() -> None:
    """Also of a request with a preloaded Route."""
    reject = PolicyRule(destination=BOB, action=Action.REJECT)
    expressway = Expressway(zones=ZONES, policy_rules=(reject,))
    request = Request(BOB, "neighbor", authenticated=False, route="sip:cucm.example.com;lr")
    assert plan(expressway, request).rejection == FORBIDDEN


def test_transforms_come_before_policy_and_rules() -> None:
    """Both see what a transform made of the alias."""
    transform = Transform(
        priority=1, type=PatternType.REGEX, string="(5010)", behavior=Behavior.REPLACE, replace=r"\1@example.com"
    )
    reject = PolicyRule(destination="5010@example.com", action=Action.REJECT)
    pattern = rule(
        "a",
        mode=RuleMode.ALIAS_PATTERN_MATCH,
        string="@example.com",
        type=PatternType.SUFFIX,
        behavior=Behavior.STRIP,
    )
    allowing = Expressway(transforms=(transform,), search_rules=(pattern,))
    found = plan(allowing, Request("5010", authenticated=False))
    assert found.alias == "5010@example.com"
    assert [candidate.alias for candidate in found.candidates] == ["5010"]
    rejecting = Expressway(transforms=(transform,), policy_rules=(reject,))
    assert plan(rejecting, Request("5010", authenticated=False)).rejection == FORBIDDEN


@pytest.mark.parametrize(
    ("mode", "taken"),
    [
        (RuleSource.ANY, {"LocalZone", "DefaultZone", "neighbor", "client", "server", "dns"}),
        (RuleSource.ALL_ZONES, {"LocalZone", "neighbor", "client", "server"}),
        (RuleSource.LOCAL_ZONE, {"LocalZone"}),
        (RuleSource.NAMED, {"dns"}),
    ],
)
def test_sources(mode: RuleSource, taken: set[str]) -> None:
    """Where a request may come from for a rule to be considered."""
    one = rule("a", source_mode=mode, source_name="dns")
    for source in ("LocalZone", "DefaultZone", "neighbor", "client", "server", "dns"):
        expected = Outcome.CONSIDERED if source in taken else Outcome.SOURCE
        assert outcomes(planned(one, request=Request(BOB, source))) == {"a": expected}


@pytest.mark.parametrize(
    ("settings", "request_", "outcome"),
    [
        ({"protocol": RuleProtocol.SIP}, Request(BOB), Outcome.CONSIDERED),
        ({"protocol": RuleProtocol.H323}, Request(BOB), Outcome.PROTOCOL),
        ({"protocol": RuleProtocol.H323}, Request(BOB, protocol=Protocol.H323), Outcome.CONSIDERED),
        ({"authentication": YesNo.YES}, Request(BOB, authenticated=True), Outcome.CONSIDERED),
        ({"authentication": YesNo.YES}, Request(BOB, authenticated=False), Outcome.AUTHENTICATION),
        ({"authentication": YesNo.NO}, Request(BOB, authenticated=False), Outcome.CONSIDERED),
        ({"state": State.DISABLED}, Request(BOB), Outcome.DISABLED),
        ({"mode": RuleMode.ANY_ALIAS}, Request("192.0.2.1"), Outcome.NO_MATCH),
        ({"mode": RuleMode.ANY_ALIAS}, Request("bob@192.0.2.1"), Outcome.CONSIDERED),
        ({"mode": RuleMode.ANY_IP_ADDRESS}, Request("192.0.2.1"), Outcome.CONSIDERED),
        ({"mode": RuleMode.ANY_IP_ADDRESS}, Request("[2001:db8::1]"), Outcome.CONSIDERED),
        ({"mode": RuleMode.ANY_IP_ADDRESS}, Request(BOB), Outcome.NO_MATCH),
        ({"mode": RuleMode.ALIAS_PATTERN_MATCH, "string": "bob"}, Request(BOB), Outcome.CONSIDERED),
        ({"mode": RuleMode.ALIAS_PATTERN_MATCH, "string": "ob"}, Request(BOB), Outcome.NO_MATCH),
    ],
)
def test_filters(settings: dict[str, object], request_: Request, outcome: Outcome) -> None:
    """Protocol, authentication, state and mode, each as its setting says."""
    assert outcomes(planned(rule("a", **settings), request=request_)) == {"a": outcome}


def test_rules_of_one_priority_are_tried_together() -> None:
    """Also when one of them stops: it keeps away higher numbers only."""
    found = planned(
        rule("third", 3), rule("a", 2, progress=Progress.STOP), rule("first", 1), rule("b", 2), rule("c", 2)
    )
    assert attempted(found) == [["first"], ["a", "b", "c"]]
    assert outcomes(found)["third"] is Outcome.STOPPED


def test_a_rule_that_does_not_match_does_not_stop() -> None:
    """Nor does one that is filtered or disabled."""
    found = planned(
        rule("a", 1, mode=RuleMode.ANY_IP_ADDRESS, progress=Progress.STOP),
        rule("b", 2, state=State.DISABLED, progress=Progress.STOP),
        rule("c", 3, source_mode=RuleSource.NAMED, source_name="dns", progress=Progress.STOP),
        rule("d", 4),
    )
    assert attempted(found) == [["d"]]


def test_a_zone_gets_the_alias_that_its_rule_makes() -> None:
    """A zone transform changes it for this zone only."""
    found = planned(
        rule("a", 1, mode=RuleMode.ALIAS_PATTERN_MATCH, string="bob", behavior=Behavior.REPLACE, replace="rob"),
        rule("b", 2),
    )
    assert [candidate.alias for candidate in found.candidates] == ["rob@example.com", BOB]


def test_local_domains_that_are_not_there() -> None:
    """On an Expressway-E, which has no domains, the usual pattern for DNS matches everything."""
    everything = rule(
        "to DNS",
        mode=RuleMode.ALIAS_PATTERN_MATCH,
        type=PatternType.REGEX,
        string="(?!.*@%localdomains%.*$).*",
        behavior=Behavior.LEAVE,
    )
    assert attempted(planned(everything)) == [["to DNS"]]
    local = Expressway(system=System(domains=["example.com"]), search_rules=(everything,))
    assert attempted(plan(local, Request(BOB))) == []


@pytest.mark.parametrize("uri", ["sip:bob@example.com", "SIPS:bob@example.com", BOB])
def test_a_scheme_does_not_count(uri: str) -> None:
    """Rules are compared with what stands behind it."""
    assert without_scheme(uri) == BOB
    assert plan(Expressway(), Request(uri, source_alias=uri)).request == Request(BOB, source_alias=BOB)
    assert without_scheme("bob:x") == "bob:x"


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), max_size=12))
def test_what_is_tried(rules: list[tuple[int, bool, bool]]) -> None:
    """The rules that match, up to and with the lowest priority in which one of them stops, in ascending order."""
    made = [
        rule(
            str(number),
            priority,
            mode=RuleMode.ANY_ALIAS if matching else RuleMode.ANY_IP_ADDRESS,
            progress=Progress.STOP if stopping else Progress.CONTINUE,
        )
        for number, (priority, matching, stopping) in enumerate(rules)
    ]
    last = min([priority for priority, matching, stopping in rules if matching and stopping], default=5)
    tried = [(priority, str(number)) for number, (priority, matching, _) in enumerate(rules) if matching]
    expected = sorted(((p, name) for p, name in tried if p <= last), key=lambda pair: pair[0])
    found = planned(*made)
    assert [name for group in attempted(found) for name in group] == [name for _, name in expected]
    assert len({candidate.rule.name for candidate in found.candidates}) == len(rules)


def test_a_pattern_that_nobody_can_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule counts as not matching, says why, and the search goes on."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    endless = {"mode": RuleMode.ALIAS_PATTERN_MATCH, "string": ENDLESS, "type": PatternType.REGEX}
    found = planned(rule("endless", 1, **endless), rule("any", 2), request=Request(AND_SO_ON))
    assert outcomes(found) == {"endless": Outcome.UNDECIDED, "any": Outcome.CONSIDERED}
    assert attempted(found) == [["any"]]
    (why,) = found.undecided
    assert why.startswith(f"search rule 'endless': {ENDLESS!r} compared with {AND_SO_ON!r}: no result after")


def test_everything_that_nobody_can_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transforms of the alias and of the Route, and policy, are told of too."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    expressway = Expressway(
        transforms=(Transform(priority=1, string=ENDLESS, type=PatternType.REGEX),),
        policy_rules=(PolicyRule(destination=ENDLESS),),
    )
    found = plan(expressway, Request(AND_SO_ON, authenticated=False, route=f"sip:{AND_SO_ON}"))
    assert [why.partition(":")[0] for why in found.undecided] == [
        "transform of priority 1",
        "transform of priority 1",
        "call policy rule 1",
    ]
