"""Connections, look-ups, search rules and policy: the words of each line."""

from __future__ import annotations

import pytest

from harness.expressway import patterns
from harness.expressway.log import network
from harness.expressway.log.entry import X8_10, Entry
from harness.expressway.search import Plan, Request, plan
from harness.expressway.settings import Action, Callers, Expressway, PolicyRule, SourceType
from tests.harness.expressway.configurations import (
    AND_SO_ON,
    ENDLESS,
    TRAVERSAL,
    WEBEX_ALIAS,
    expressway_c,
    expressway_e,
)

EXPRESSWAY = ("172.16.2.2", 25026)
WEBEX = ("146.20.193.70", 5062)
ROUTED = Request("bob@rtp.example.net", TRAVERSAL, route="sip:cucm.rtp.example.net;lr")
CALL = Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False, source_alias="5010@rtp.example.net")


def said(entry: Entry) -> str:
    """A line from its module on."""
    return entry.render("T", X8_10).removeprefix('UTCTime="T" ')


@pytest.mark.parametrize(
    ("entry", "level", "words"),
    [
        (network.tcp_connecting(EXPRESSWAY, WEBEX), "DEBUG", 'Detail="TCP Connecting"'),
        (network.tcp_established(EXPRESSWAY, WEBEX), "DEBUG", 'Detail="TCP Connection Established"'),
        (network.tcp_failed(EXPRESSWAY, WEBEX), "ERROR", 'Detail="TCP Connection Failed"'),
        (
            network.tcp_closed(EXPRESSWAY, WEBEX, "Got EOF on socket"),
            "DEBUG",
            'Detail="TCP Connection Closed" Reason="Got EOF on socket"',
        ),
    ],
)
def test_connections(entry: Entry, level: str, words: str) -> None:
    """Whoever connects is the source; only a failure is an error."""
    assert said(entry) == (
        f'Module="network.tcp" Level="{level}":  Src-ip="172.16.2.2" Src-port="25026" Dst-ip="146.20.193.70" '
        f'Dst-port="5062" {words}'
    )


def test_a_question() -> None:
    """Its name and type."""
    assert said(network.dns_query("_sips._tcp.callservice.ciscospark.com", "SRV")) == (
        'Module="network.dns" Level="DEBUG":  Detail="Sending DNS query" '
        'Name="_sips._tcp.callservice.ciscospark.com" Type="SRV (IPv4 and IPv6)"'
    )


def test_an_answer() -> None:
    """Addresses with the ports of their services, the services, and how many records that were."""
    answer = network.dns_resolved([("146.20.193.64", 5061)], [network.ServiceRecord("l2sip-cfa-01.wbx2.com", 5061)])
    assert said(answer) == (
        'Module="network.dns" Level="DEBUG":  Detail="Resolved hostname to: '
        "['IPv4''TCP''146.20.193.64:5061'] (A/AAAA) "
        "Hostname:'l2sip-cfa-01.wbx2.com' Port:'5061' Priority:'5' TTL:'300' Weight:'10' (SRV) "
        'Number of relevant records retrieved: 2"'
    )


def test_no_answer() -> None:
    """The name is in the question."""
    assert said(network.dns_failed()) == 'Module="network.dns" Level="DEBUG":  Detail="Could not resolve hostname"'


def search_lines(found: Plan) -> list[str]:
    """The details of a search, without DNS."""
    considered = [network.search_considering(found, candidate) for group in found.attempts() for candidate in group]
    lines = [said(entry) for entry in (*network.search_filtered(found), *considered)]
    head = 'Module="network.search" Level="DEBUG":  Detail="'
    assert all(line.startswith(head) for line in lines)
    return [line.removeprefix(head).removesuffix('"') for line in lines]


def test_the_search_that_ends_in_the_wrong_zone() -> None:
    """Rules that are not considered come first; the rule for Webex does not appear at all."""
    assert search_lines(plan(expressway_e(priority=101), CALL)) == [
        f"Search rule 'B2B calls to VCS-C' did not match destination alias '{WEBEX_ALIAS}'",
        "Search rule 'Webex Hybrid' ignored due to source filtering",
        f"Considering search rule 'to DNS' towards target 'DNS' at priority '100' with alias '{WEBEX_ALIAS}'",
    ]


def test_the_search_for_a_route() -> None:
    """The alias is the Route."""
    assert search_lines(plan(expressway_c(), ROUTED)) == [
        "Considering search rule 'as is local' towards target 'LocalZone' at priority '1' "
        "with alias 'cucm.rtp.example.net;lr'",
        "Considering search rule 'Hybrid Call Service Inbound Routing' towards target 'CUCM11' at priority '2' "
        "with alias 'cucm.rtp.example.net;lr'",
    ]


def policy_details(found: Plan) -> list[str]:
    """What the policy said."""
    lines = [said(entry) for entry in network.policy_lines(found, ("192.168.1.5", 26404))]
    head = 'Module="network.cpl" Level="DEBUG":  Remote-ip="192.168.1.5" Remote-port="26404" Detail="CPL: '
    assert all(line.startswith(head) for line in lines)
    return [line.removeprefix(head).removesuffix('"') for line in lines]


def test_a_policy_that_rejects() -> None:
    """Which rule matched, and that it rejects."""
    swapped = expressway_e(source=".*", destination=r".*@dmzlab\.call\.ciscospark\.com.*")
    assert policy_details(plan(swapped, CALL)) == [
        "<routed> ",
        "<rule-switch>  ",
        r'<rule unauthenticated-origin=".*" destination=".*@dmzlab\.call\.ciscospark\.com.*" message-regex="">'
        " matched ",
        "<reject/> ",
    ]


def test_a_policy_that_allows() -> None:
    """By a rule about a zone, and by one about authenticated callers."""
    by_zone = PolicyRule(source_type=SourceType.ZONE, zone="LocalZone", destination=".*", action=Action.ALLOW)
    by_caller = PolicyRule(callers=Callers.AUTHENTICATED, source="b.*", destination=".*", action=Action.ALLOW)
    for rule, element in (
        (by_zone, '<rule originating-zone="LocalZone" destination=".*" message-regex="">'),
        (by_caller, '<rule authenticated-origin="b.*" destination=".*" message-regex="">'),
    ):
        found = plan(Expressway(policy_rules=(rule,)), Request("a@example.com", source_alias="b@example.com"))
        assert policy_details(found) == [
            "<routed> ",
            "<rule-switch>  ",
            f"{element} matched ",
            '<proxy stop-on-busy="no" timeout="0"/> ',
        ]


def test_a_route_is_put_in_by_the_policy() -> None:
    """The Route is the location, the request URI stays in the message."""
    assert policy_details(plan(expressway_c(), ROUTED)) == [
        "<routed> ",
        '<location clear="yes" url="sip:cucm.rtp.example.net;lr" diversion="" '
        'dest-url-for-message="sip:bob@rtp.example.net" sip-route-set="" dest-service=""> '
        "added sip:cucm.rtp.example.net;lr to location set ",
        '<proxy stop-on-busy="no" timeout="0"/> ',
    ]


def test_a_policy_that_has_nothing_to_do() -> None:
    """No rule matched, or the Route was rejected before."""
    assert policy_details(plan(expressway_e(), CALL)) == []
    assert policy_details(plan(expressway_c(preloaded="Off"), ROUTED)) == []


def test_what_nobody_can_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error, with the rule, its pattern and the alias."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    found = plan(Expressway(policy_rules=(PolicyRule(destination=ENDLESS),)), Request(AND_SO_ON, authenticated=False))
    assert [said(entry) for entry in network.search_undecided(found)] == [
        f'Module="network.search" Level="ERROR":  Detail="call policy rule 1: {ENDLESS!r} compared with '
        f'{AND_SO_ON!r}: no result after 0.01 s of computing"'
    ]
