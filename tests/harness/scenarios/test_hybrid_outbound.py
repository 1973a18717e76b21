"""Scenarios of calls to Webex: the guide's log lines and packets in what a run leaves behind."""

from __future__ import annotations

import re

from harness.scenarios.hybrid_outbound import SCENARIOS
from harness.scenarios.registry import find
from harness.scenarios.scenario import Observation
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios.whole_run import WholeRun


def log(whole_run: WholeRun, label: str, fixed: bool) -> str:
    """Of Expressway-E."""
    return (whole_run.form(find(label)[0].name, fixed) / "expressway-e.log").read_text()


def in_order(text: str, *wanted: str) -> bool:
    """Whether all of them are there, one behind the other."""
    return re.search(".*".join(map(re.escape, wanted)), text, re.DOTALL) is not None


def test_labels() -> None:
    """As the guide counts them."""
    assert [each.label for each in SCENARIOS] == ["O1", "O2", "O3", "O4"]
    assert all(f"outbound, problem {each.label[1:]}" in each.source for each in SCENARIOS)


def test_no_observation_is_no_pass() -> None:
    """Neither form is content with nothing."""
    for scenario in SCENARIOS:
        for fixed in (False, True):
            assert judge(scenario, fixed, Observation({})).verdict is Outcome.FAIL


def test_the_wrong_port(whole_run: WholeRun) -> None:
    """O1: rule, question, answer with 5061, connecting, failed; cured, the other name and 5062."""
    rule = "Considering search rule 'Webex Hybrid - to Webex Cloud'"
    ends = 'Detail="TCP Connecting"', 'Detail="TCP Connection Failed"', "Sending Response Code=408"
    assert in_order(log(whole_run, "O1", False), rule, "_sips._tcp.sub.call.ciscospark.com", ":5061'] (A/AAAA)", *ends)
    cured = "_sips._tcp.callservice.ciscospark.com", ":5062'] (A/AAAA)", "TCP Connection Established"
    assert in_order(log(whole_run, "O1", True), rule, *cured, "Handshake succeeded", "Sending Request Method=INVITE")


def test_both_addresses_are_tried(whole_run: WholeRun) -> None:
    """O2: each fails before the next is tried; in the capture nothing but SYNs, two addresses of them."""
    said = log(whole_run, "O2", False)
    to = re.findall(r'Dst-ip="([\d.]+)" Dst-port="5062" Detail="TCP (Connecting|Connection Failed)"', said)
    first, second = to[0][0], to[2][0]
    assert first != second
    assert to == [(host, what) for host in (first, second) for what in ("Connecting", "Connection Failed")]
    name = find("O2")[0].name
    packets = whole_run.hits(name, False, "tcp.port == 5062")
    assert packets == whole_run.hits(name, False, "tcp.dstport == 5062 && tcp.flags == 2")
    assert packets >= 4


def test_the_rule_that_is_never_considered(whole_run: WholeRun) -> None:
    """O3: the general rule, DNS in vain, 404; the log does not name the other one."""
    said = log(whole_run, "O3", False)
    assert in_order(
        said,
        "Search rule 'Webex Hybrid' ignored due to source filtering",
        "Considering search rule 'to DNS' towards target 'DNS' at priority '100'",
        'Name="_sips._tcp.sub.call.ciscospark.com"',
        "Could not resolve hostname",
        "Sending Response Code=404",
    )
    assert re.search(r'\n Warning: 399 127\.\d+\.\d+\.3:7003 "Policy Response"\n', said)
    assert "to Webex Cloud" not in said


def test_policy_before_search(whole_run: WholeRun) -> None:
    """O4: network.cpl with the rule, the events of the guide, 403; no network.search and no network.dns."""
    said = log(whole_run, "O4", False)
    assert in_order(said, "CPL: <routed>", "CPL: <rule-switch>", ' matched "', "CPL: <reject/>", 'Reason="Forbidden"')
    assert re.search(r'\n Warning: 399 127\.\d+\.\d+\.3:7003 "Policy Response"\n', said)
    assert "network.search" not in said
    assert "network.dns" not in said
