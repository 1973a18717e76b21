"""Scenarios of calls from Webex: the guide's log lines and packets in what a run leaves behind."""

from __future__ import annotations

import re

from harness.scenarios.hybrid_inbound import SCENARIOS
from harness.scenarios.registry import find
from harness.scenarios.scenario import Observation
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios.whole_run import WholeRun


def log(whole_run: WholeRun, label: str, fixed: bool, peer: str) -> str:
    """Of an Expressway."""
    return (whole_run.form(find(label)[0].name, fixed) / f"expressway-{peer}.log").read_text()


def test_labels() -> None:
    """As the guide counts them."""
    assert [each.label for each in SCENARIOS] == ["I1", "I2", "I3", "I4", "I5"]
    assert all(f"inbound, problem {each.label[1:]}" in each.source for each in SCENARIOS)


def test_no_observation_is_no_pass() -> None:
    """Neither form is content with nothing."""
    for scenario in SCENARIOS:
        for fixed in (False, True):
            assert judge(scenario, fixed, Observation({})).verdict is Outcome.FAIL


def test_expressway_e_hears_nothing(whole_run: WholeRun) -> None:
    """I1, I2, I3: no line of a connection to 5062 in its log; in the capture only I2 and I3 have SYNs."""
    for label, syns in (("I1", 0), ("I2", 2), ("I3", 1)):
        assert 'Dst-port="5062"' not in log(whole_run, label, False, "e")
        assert 'Dst-port="5062"' in log(whole_run, label, True, "e")
        found = whole_run.hits(find(label)[0].name, False, "tcp.dstport == 5062 && tcp.flags.syn == 1")
        assert found >= syns
        assert bool(found) is bool(syns)


def test_nobody_is_searched_for(whole_run: WholeRun) -> None:
    """I4: on Expressway-C the events of the guide between INVITE and 404, in its order, and no search rule."""
    said = log(whole_run, "I4", False, "c")
    names = ["Call Attempted", "Search Attempted", "Search Completed", "Call Rejected"]
    assert re.findall(r'Event="([^"]*)"', said) == names
    received, sent = said.index("Receive Request Method=INVITE"), said.index("Sending Response Code=404")
    assert received < said.index('Event="Call Attempted"') < said.index('Event="Call Rejected"') < sent
    answer = said[said.index(" |SIP/2.0 404 Not Found") :]
    assert re.search(r'\n Warning: 399 127\.\d+\.\d+\.2:5061 "Policy Response"\n', answer)
    assert "\n Server: TANDBERG/4135 (X8.10.2)\n" in answer
    assert "network.search" not in said


def test_the_search_for_the_route(whole_run: WholeRun) -> None:
    """I4 cured: network.cpl puts the Route in, network.search considers the rules for it in the guide's order."""
    said = log(whole_run, "I4", True, "c")
    wanted = [
        'Detail="CPL: <routed> "',
        'added us-cucm.example.com;lr to location set "',
        "Search rule 'Calls to Webex' did not match destination alias 'us-cucm.example.com;lr'",
        "Considering search rule 'as is local' towards target 'LocalZone' at priority '1'",
        "Considering search rule 'Hybrid Call Service Inbound Routing' towards target 'CUCM11' at priority '2'",
        'Action="Sent" Local-ip=',
    ]
    places = [said.index(text) for text in wanted[:-1]]
    assert places == sorted(places)
    assert whole_run.hits(find("I4")[0].name, True, 'tcp.dstport == 5065 && sip.Method == "INVITE"') == 1


def test_where_the_parameter_gets_lost(whole_run: WholeRun) -> None:
    """I5: it is in the INVITE that comes in on 5062, and not in the one that leaves on 7003."""
    name = find("I5")[0].name
    squared = 'sip.Method == "INVITE" && sip.msg_hdr contains "call-type=squared"'
    assert whole_run.hits(name, False, f"tcp.dstport == 5062 && {squared}") == 1
    assert whole_run.hits(name, False, f"tcp.srcport == 7003 && {squared}") == 0
    assert whole_run.hits(name, True, f"tcp.srcport == 7003 && {squared}") == 1
