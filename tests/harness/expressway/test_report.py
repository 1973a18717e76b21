"""What is shown of a search: the product's tree of lines, the rules behind it, and the object for machines."""

from __future__ import annotations

from datetime import datetime

from harness.expressway.locate import Located, locate, offline
from harness.expressway.report import Identity, as_object, result_tree, rule_list, verdict
from harness.expressway.search import Request, plan
from harness.expressway.settings import Expressway, Protocol
from tests.harness.expressway.configurations import TRAVERSAL, WEBEX_ALIAS, expressway_c, expressway_e

IDENTITY = Identity("ae73fb64-c305", "473a5b19-9a37", datetime(2017, 9, 24, 9, 51, 18))
CLUSTER = Request("cucm.rtp.example.net", TRAVERSAL)
ROUTED = Request("bob@rtp.example.net", TRAVERSAL, route="sip:cucm.rtp.example.net;lr")
WEBEX = Request(WEBEX_ALIAS, TRAVERSAL, authenticated=False, source_alias="5010@rtp.example.net")


def located(expressway: Expressway, request: Request, *absent: str) -> Located:
    """What a search comes to."""
    return locate(expressway, plan(expressway, request), offline(expressway, frozenset(absent)))


def lines(expressway: Expressway, request: Request, *absent: str) -> list[str]:
    """The tree without its indentation, as a page that is copied as text."""
    tree = result_tree(expressway, located(expressway, request, *absent), IDENTITY)
    return [line.strip() for line in tree.splitlines()]


def test_the_result_of_the_locate_page() -> None:
    """Line by line what the page shows for a cluster that is found, up to the search rules."""
    alias = ["Type: Url", "Origin: Unknown", "Value: cucm.rtp.example.net"]
    assert lines(expressway_c(), CLUSTER) == [
        *("Search (1)", "State: Completed", "Found: True", "Type: SIP (OPTIONS)", "SIPVariant: Standards-based"),
        *("CallRouted: True", "CallSerial Number: ae73fb64-c305", "Tag: 473a5b19-9a37"),
        *("Source (1)", "Authenticated: True", "Aliases (1)", "Alias (1)", *alias[:2], "Value: xcom-locate"),
        *("Zone (1)", "Name: Hybrid Call Service Traversal", "Type: TraversalClient"),
        *("Path (1)", "Hop (1)", "Address: 127.0.0.1"),
        *("Destination (1)", "Alias (1)", *alias[:2], "Value: sip:cucm.rtp.example.net"),
        *("StartTime: 2017-09-24 09:51:18", "Duration: 0"),
        *("SubSearch (1)", "Type: Transforms", "Action: Not Transformed", "ResultAlias (1)", *alias),
        *("SubSearch (1)", "Type: Admin Policy", "Action: Proxy", "ResultAlias (1)", *alias),
        *("SubSearch (1)", "Type: FindMe", "Action: Proxy", "ResultAlias (1)", *alias),
        *("SubSearch (1)", "Type: Search Rules"),
        *("SearchRule (1)", "Name: as is local"),
        *("Zone (1)", "Name: LocalZone", "Type: Local", "Protocol: SIP", "Found: False", "Reason: Not Found"),
        *("StartTime: 2017-09-24 09:51:18", "Duration: 0"),
        *("Gatekeeper (1)", "Address: 192.168.1.5:0", "Alias (1)", *alias),
        *("Zone (2)", "Name: LocalZone", "Type: Local", "Protocol: H323", "Found: False", "Reason: Not Found"),
        *("StartTime: 2017-09-24 09:51:18", "Duration: 0"),
        *("Gatekeeper (1)", "Address: 192.168.1.5:0", "Alias (1)", *alias),
        *("SearchRule (2)", "Name: Hybrid Call Service Inbound Routing"),
        *("Zone (1)", "Name: CUCM11", "Type: Neighbor", "Protocol: SIP", "Found: True"),
        *("StartTime: 2017-09-24 09:51:18", "Duration: 0"),
        *("Gatekeeper (1)", "Address: 192.168.1.21:5065", "Alias (1)", *alias),
    ]


def test_levels() -> None:
    """What belongs to something stands two spaces further in."""
    tree = result_tree(expressway_c(), located(expressway_c(), CLUSTER), IDENTITY)
    for line in ("Search (1)", "  SubSearch (1)", "    SearchRule (2)", "      Zone (1)", "        Found: True"):
        assert f"\n{line}\n" in f"\n{tree}"


def test_a_search_that_policy_ends() -> None:
    """It goes as far as the policy."""
    swapped = expressway_e(source=".*", destination=".*")
    shown = lines(swapped, WEBEX)
    assert shown[1:4] == ["State: Completed", "Found: False", "Reason: Forbidden"]
    assert shown[shown.index("Type: Admin Policy") + 1] == "Action: Reject"
    assert "Type: FindMe" not in shown
    assert "Type: Search Rules" not in shown


def test_a_route_that_is_not_accepted() -> None:
    """The search ends before the first step."""
    shown = lines(expressway_c(preloaded="Off"), ROUTED)
    assert shown[2:4] == ["Found: False", "Reason: Not Found"]
    assert "SubSearch (1)" not in shown


def test_other_requests() -> None:
    """H.323 has no variant and no scheme; a server waits for its client, and has no address."""
    shown = lines(expressway_e(), Request("5010@rtp.example.net", "DefaultZone", protocol=Protocol.H323))
    assert shown[3:6] == ["Reason: Not Found", "Type: H323 (LRQ)", "CallRouted: False"]
    assert "Value: 5010@rtp.example.net" in shown
    gatekeeper = shown.index("Gatekeeper (1)")
    assert shown[gatekeeper + 1] == "Alias (1)"


def test_every_rule_is_listed() -> None:
    """With what became of it, and why."""
    expressway = expressway_e(priority=101)
    assert rule_list(located(expressway, WEBEX, "DNS")).splitlines() == [
        f"Search rules by priority for '{WEBEX_ALIAS}':",
        "     10  B2B calls to VCS-C             did not match",
        "     15  Webex Hybrid                   ignored due to source filtering",
        f"    100  to DNS                         considered towards 'DNS' with '{WEBEX_ALIAS}': not found",
        "    101  Webex Hybrid - to Webex Cloud  never considered: the search stops at 'to DNS'",
    ]


def test_no_rule_is_listed() -> None:
    """Because the request was rejected before, or because there is none."""
    rejected = rule_list(located(expressway_c(preloaded="Off"), ROUTED))
    assert rejected == (
        f"Search rules: none considered, 'SIP PreloadedSipRoutes Accept' is Off in zone '{TRAVERSAL}'\n"
    )
    assert rule_list(located(Expressway(), Request("bob@example.com"))) == "Search rules: there are none\n"


def test_the_verdict() -> None:
    """One line says who gets the call, or how it is answered."""
    assert verdict(located(expressway_c(), ROUTED)) == (
        "'CUCM11' (192.168.1.21:5065) gets the call to 'cucm.rtp.example.net;lr'\n"
    )
    assert verdict(located(expressway_e(priority=101), WEBEX, "DNS")) == (
        "nobody gets the call: 404 Not Found, Warning 'Policy Response'\n"
    )


def test_the_object() -> None:
    """Everything for machines, rules and questions in order."""
    shown = as_object(located(expressway_e(priority=101), WEBEX, "DNS"))
    rules = shown.pop("rules")
    assert shown == {
        "alias": WEBEX_ALIAS,
        "route": None,
        "source": TRAVERSAL,
        "source_alias": "5010@rtp.example.net",
        "authenticated": False,
        "found": False,
        "zone": None,
        "result_alias": None,
        "status": 404,
        "reason": "Not Found",
        "because": None,
        "transform": None,
        "transformed": WEBEX_ALIAS,
        "policy": {"allowed": True, "destination": None},
    }
    assert [(rule["name"], rule["outcome"]) for rule in rules] == [
        ("B2B calls to VCS-C", "no_match"),
        ("Webex Hybrid", "source"),
        ("to DNS", "considered"),
        ("Webex Hybrid - to Webex Cloud", "stopped"),
    ]
    assert rules[2]["zones"] == [
        {
            "name": "DNS",
            "type": "DNS",
            "protocol": "SIP",
            "asked": "_sips._tcp.dmzlab.call.ciscospark.com",
            "found": False,
        }
    ]


def test_the_object_of_a_rejection() -> None:
    """Which rule of the policy it was."""
    shown = as_object(located(expressway_e(source=".*", destination=".*"), WEBEX))
    assert shown["policy"] == {"allowed": False, "destination": ".*"}
    assert (shown["status"], shown["rules"]) == (403, [])
    assert "call policy rejects it" in shown["because"]
