"""Scenarios of mutual TLS: the log lines of the guide, and its wire, in what a run leaves behind."""

from __future__ import annotations

import re

import pytest

from harness.scenarios.registry import find
from harness.scenarios.scenario import Observation
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios.whole_run import WholeRun

DETAILS = {
    "T1": "self signed certificate in certificate chain",
    "T2": "Peer's TLS certificate identity was unacceptable",
    "T3": "sslv3 alert certificate unknown",
    "T4": "No SSL error available, probably remote disconnect",
    "T5": "sslv3 alert certificate unknown",
    "T6": "Peer's TLS certificate identity was unacceptable",
    "T7": "sslv3 alert certificate unknown",
}
"""The guide's words."""


@pytest.mark.parametrize("label", DETAILS)
def test_the_log_that_is_kept(whole_run: WholeRun, label: str) -> None:
    """Has the guide's line in the failure, and in the cure the handshake that succeeded."""
    name = find(label)[0].name
    failure, cure = ((whole_run.form(name, fixed) / "expressway-e.log").read_text() for fixed in (False, True))
    assert f'Detail="{DETAILS[label]}"' in failure
    assert "Handshake succeeded" not in failure
    assert DETAILS[label] not in cure
    assert "Handshake succeeded" in cure
    assert find(label)[0].log
    assert all(line in failure for line in find(label)[0].log)


def test_a_firewall_speaks_no_tls(whole_run: WholeRun) -> None:
    """T4: reset on the inside, none on the outside, and no alert anywhere."""
    name = find("T4")[0].name
    assert whole_run.hits(name, False, 'tcp.flags.reset == 1 && frame.interface_name == "inside"') == 1
    assert whole_run.hits(name, False, 'tcp.flags.reset == 1 && frame.interface_name == "outside"') == 0
    assert whole_run.hits(name, False, "tls.alert_message") == 0


def test_no_observation_is_no_pass() -> None:
    """Neither form is content with nothing."""
    for label in DETAILS:
        for fixed in (False, True):
            assert judge(find(label)[0], fixed, Observation({})).verdict is Outcome.FAIL


def test_the_firewall_has_an_address(whole_run: WholeRun) -> None:
    """Of the network of the run, on both of its sides."""
    name = find("T4")[0].name
    assert whole_run.hits(name, False, "ip.addr == 127.0.0.1") == 0
    log = (whole_run.form(name, True) / "webex.log").read_text()
    assert re.search(r'Src-ip="[\d.]+\.4" .*Detail="TCP Connection Established"', log)


@pytest.mark.parametrize("label", DETAILS)
def test_real_peers(label: str) -> None:
    """Either peer may be one; three signs in each form, or more, do without the log of Expressway-E."""
    (scenario,) = find(label)
    assert scenario.replaceable == ("expressway-e", "webex")
    assert all(part.tls for part in scenario.parts)
    for fixed in (False, True):
        assert sum("expressway-e" not in sign.witnesses for sign in scenario.signs(fixed)) >= 3
