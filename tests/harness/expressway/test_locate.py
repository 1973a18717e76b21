"""Where a search ends: which zones are asked, with which protocol, and who gets the call."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from harness.expressway.locate import Located, Query, locate, offline
from harness.expressway.search import FORBIDDEN, NOT_FOUND, Outcome, Request, plan
from harness.expressway.settings import (
    Expressway,
    InterworkingMode,
    NeighborZone,
    Progress,
    Protocol,
    SearchRule,
    System,
    Zone,
)
from tests.harness.expressway.configurations import HYBRID_DNS, TRAVERSAL, WEBEX_ALIAS, expressway_c, expressway_e

BOB = "bob@example.com"
FROM_A = Request(BOB, "a")
ZONES = (NeighborZone(name="a"), NeighborZone(name="b"), NeighborZone(name="c"))


def rules(*targets: tuple[int, str]) -> tuple[SearchRule, ...]:
    """A rule for each priority and zone, named after the zone."""
    return tuple(SearchRule(name=zone, priority=priority, target=zone) for priority, zone in targets)


def located(expressway: Expressway, *absent: str, request: Request = FROM_A) -> Located:
    """What a search comes to when these zones do not have the alias."""
    return locate(expressway, plan(expressway, request), offline(expressway, frozenset(absent)))


def asked(found: Located) -> list[tuple[str, str, bool]]:
    """Zone, protocol and answer of every question in order."""
    return [(q.zone, q.protocol.value, q.found) for attempt in found.attempts for q in attempt.queries]


def test_a_call_from_webex_reaches_the_cluster() -> None:
    """The Local Zone is asked first, in vain and by both protocols; then CUCM."""
    request = Request("cucm.rtp.example.net", TRAVERSAL)
    found = located(expressway_c(), request=request)
    assert asked(found) == [("LocalZone", "SIP", False), ("LocalZone", "H323", False), ("CUCM11", "SIP", True)]
    assert found.found == Query(
        "CUCM11", "Neighbor", Protocol.SIP, "cucm.rtp.example.net", "192.168.1.21:5065", found=True
    )
    assert found.rejection is None


def test_a_call_to_webex_ends_in_the_wrong_zone() -> None:
    """The DNS zone finds nobody; the rule for Webex is never considered; 404."""
    request = Request(WEBEX_ALIAS, TRAVERSAL)
    wrong = located(expressway_e(priority=101), "DNS", request=request)
    assert asked(wrong) == [("DNS", "SIP", False)]
    assert (wrong.found, wrong.rejection) == (None, NOT_FOUND)
    right = located(expressway_e(priority=99), "DNS", request=request)
    assert right.found is not None
    assert (right.found.zone, right.found.asked) == (HYBRID_DNS, "_sips._tcp.callservice.ciscospark.com")


def test_policy_ends_the_search() -> None:
    """No zone is asked."""
    rejecting = expressway_e(source=".*", destination=".*")
    found = located(rejecting, request=Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False))
    assert (asked(found), found.rules, found.rejection) == ([], (), FORBIDDEN)


def test_the_first_zone_that_has_it_ends_the_search() -> None:
    """Priorities behind it are not asked, and their rules are told as never considered."""
    expressway = Expressway(zones=ZONES, search_rules=rules((1, "a"), (2, "b"), (3, "c")))
    found = located(expressway, "a")
    assert asked(found) == [("a", "SIP", False), ("b", "SIP", True)]
    assert [candidate.outcome for candidate in found.rules] == [
        Outcome.CONSIDERED,
        Outcome.CONSIDERED,
        Outcome.STOPPED,
    ]
    assert found.rules[-1].stopped_by == "the alias is found in 'b'"


def test_all_zones_of_one_priority_are_asked() -> None:
    """The one that answers first gets the call."""
    expressway = Expressway(zones=ZONES, search_rules=rules((2, "a"), (2, "b"), (2, "c")))
    found = located(expressway, "a")
    assert asked(found) == [("a", "SIP", False), ("b", "SIP", True), ("c", "SIP", True)]
    assert found.found is not None
    assert found.found.zone == "b"


def test_nobody_has_it() -> None:
    """After the last rule, or the one that stops."""
    expressway = Expressway(zones=ZONES, search_rules=rules((1, "a"), (2, "b")))
    found = located(expressway, "a", "b")
    assert (found.found, found.rejection) == (None, NOT_FOUND)
    stopping = tuple(msgspec.structs.replace(rule, progress=Progress.STOP) for rule in expressway.search_rules)
    assert asked(located(Expressway(zones=ZONES, search_rules=stopping), "a")) == [("a", "SIP", False)]


def test_there_are_no_rules() -> None:
    """Nobody is asked."""
    assert located(Expressway(zones=ZONES)).rejection == NOT_FOUND


def test_interworking() -> None:
    """Off: one protocol. Registered only: both in the Local Zone, or if the request comes from there. On: both."""
    for mode, source, expected in (
        (InterworkingMode.OFF, "LocalZone", ["SIP LocalZone", "SIP a"]),
        (InterworkingMode.REGISTERED_ONLY, "b", ["SIP LocalZone", "H323 LocalZone", "SIP a"]),
        (InterworkingMode.REGISTERED_ONLY, "LocalZone", ["SIP LocalZone", "H323 LocalZone", "SIP a", "H323 a"]),
        (InterworkingMode.ON, "b", ["SIP LocalZone", "H323 LocalZone", "SIP a", "H323 a"]),
    ):
        system = System(interworking=mode)
        expressway = Expressway(system=system, zones=ZONES, search_rules=rules((1, "LocalZone"), (2, "a")))
        found = located(expressway, "a", request=Request(BOB, source))
        assert [f"{protocol} {zone}" for zone, protocol, _ in asked(found)] == expected


def test_a_request_by_h323() -> None:
    """Its own protocol comes first, the other one only if that was in vain; here everybody is found by SIP."""
    expressway = Expressway(system=System(interworking=InterworkingMode.ON), zones=ZONES, search_rules=rules((1, "a")))
    found = located(expressway, request=Request(BOB, "b", protocol=Protocol.H323))
    assert asked(found) == [("a", "H323", False), ("a", "SIP", True)]
    assert asked(located(expressway, request=Request(BOB, "b"))) == [("a", "SIP", True)]


def test_registrations() -> None:
    """The Local Zone has what is registered, in any case and whatever its parameters."""
    expressway = Expressway(
        system=System(registrations=["Bob@example.com"]), zones=ZONES, search_rules=rules((1, "LocalZone"))
    )
    assert located(expressway, request=Request("bob@example.com;lr", "a")).found
    assert not located(expressway, request=Request("rob@example.com", "a")).found


def test_whoever_answers_is_asked_for_the_alias_of_the_rule() -> None:
    """Answers can come from anywhere, and are told zone, protocol and alias."""
    expressway = Expressway(zones=ZONES, search_rules=rules((1, "a")))
    questions = []

    def answer(zone: Zone, protocol: Protocol, alias: str) -> bool:
        questions.append((zone.name, protocol, alias))
        return True

    found = locate(expressway, plan(expressway, replace(Request(BOB), source="b")), answer)
    assert questions == [("a", Protocol.SIP, BOB)]
    assert found.found
