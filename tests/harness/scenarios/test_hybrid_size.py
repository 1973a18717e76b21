"""Scenarios of messages that CUCM does not read."""

from __future__ import annotations

import re

import pytest

from harness.scenarios.hybrid_size import SCENARIOS
from harness.scenarios.registry import find
from tests.harness.scenarios.whole_run import WholeRun

NAMES = [each.name for each in SCENARIOS]


def test_placements() -> None:
    """Each of the three has a label; the document and its problem are named."""
    assert [each.label for each in SCENARIOS] == ["B2-inbound", "B2-early", "B2-delayed"]
    for each in SCENARIOS:
        assert find(each.label) == [each]
        assert "both directions, problem 2" in each.source


@pytest.mark.parametrize("name", NAMES)
def test_trace(whole_run: WholeRun, name: str) -> None:
    """As the guide has it, line by line; its figures add up. What CUCM has connected to is Expressway-C's port."""
    trace = whole_run.observation(name, False).logs["CUCM SDL trace"]
    port = r"\d{4,5}" if name == NAMES[0] else "5060"
    shapes = (
        r"handleReadComplete send SdlReadRsp: size 5000",
        r"\|SdlSig \|SdlReadRsp \|wait \|SIPTcp\(5,100,71,1\) \|SdlTCPConnection\(.*\^\^ \|\*TraceFlagOverrode",
        r"SIPTcp - SdlRead bufferLen=5000",
        r"httpish_msg_process_network_msg: Content Length \d+, Bytes Remaining \d+",
        r"ccsip_process_network_message: process_network_msg: not complete",
        rf"Ignoring large message from [\d.]+:\[{port}\]\. Only allow up to 5000 bytes\. Resetting connection\.",
    )
    for line, shape in zip(trace.splitlines(), shapes, strict=False):
        assert re.search(f"{shape}$", line)
    found = re.search(r"Content Length (\d+), Bytes Remaining (\d+)", trace)
    assert found is not None
    length, remaining = map(int, found.groups())
    assert 0 < remaining < length
    assert whole_run.observation(name, True).logs["CUCM SDL trace"] == ""


@pytest.mark.parametrize("name", NAMES[1:])
def test_webex_gives_up(whole_run: WholeRun, name: str) -> None:
    """Its 200 comes again and again, and then 603; the Expressway-E has no ACK to pass on."""
    log = whole_run.observation(name, False).logs["Expressway-E"]
    received = re.findall(r'Detail="Receive Response Code=(\d+), Method=INVITE', log)
    assert received.count("200") > 1
    assert received[-1] == "603"
    assert "Request Method=ACK" not in log
