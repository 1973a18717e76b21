"""Scenarios of a firewall that reflects."""

from __future__ import annotations

import re

import pytest

from harness.scenarios.nat_reflection import SCENARIOS
from tests.harness.scenarios.whole_run import WholeRun

NAMES = [each.name for each in SCENARIOS]


def test_cures() -> None:
    """One failure, three cures."""
    assert NAMES == ["nat-reflection", "nat-reflection-dual-nic", "nat-reflection-tcp"]
    assert len({each.cure for each in SCENARIOS}) == 3
    assert len({each.wireshark for each in SCENARIOS}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_log(whole_run: WholeRun, name: str) -> None:
    """Four attempts to connect, each failed, from ports of their own, and then the 408; none of it in the cure."""
    log = whole_run.observation(name, False).logs["Expressway-C"]
    failed = re.findall(r'Src-port="(\d+)" Dst-ip="([\d.]+)" Dst-port="(\d+)" Detail="TCP Connection Failed"', log)
    assert len({port for port, *_ in failed}) == 4
    assert len({tuple(to) for _, *to in failed}) == 1
    assert "SIP/2.0 408 Request Timeout" in log[log.rindex("TCP Connection Failed") :]
    assert "TCP Connection Failed" not in whole_run.observation(name, True).logs["Expressway-C"]


def test_attempts_in_the_capture(whole_run: WholeRun) -> None:
    """Four SYN, each answered by RST."""
    shown = SCENARIOS[0].wireshark
    assert whole_run.hits("nat-reflection", False, shown) == 4
    assert whole_run.hits("nat-reflection", False, "tcp.flags.reset == 1 && ip.src == 64.100.0.10") >= 4


def test_alg_repairs_the_route(whole_run: WholeRun) -> None:
    """What leaves the Expressway-E arrives at the Expressway-C with its own address."""
    seen = whole_run.observation("nat-reflection-tcp", True).logs
    sent, came = (
        re.findall(r"^ Route: <sip:([\d.]+):(\d+);transport=tcp;apparent;ds;lr>$", seen[name], re.MULTILINE)
        for name in ("Expressway-E", "Expressway-C")
    )
    assert sent[0][0].endswith(".10")
    assert came[0][0].endswith(".2")
