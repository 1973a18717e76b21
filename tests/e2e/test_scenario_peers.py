"""SIPp in place of CUCM and of Webex: hybrid calls through both Expressways end at somebody else's endpoint.

Strategy: SIPp answers on one address for all scenarios that can do with it; `sipalg scenario run` is told by `--peer`.
The verdicts are ours, the count of calls that went well is SIPp's own.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.scenarios import calls_inbound, calls_outbound
from tests.edge.sockets import free_port_pair
from tests.helpers.system import PATIENCE, eventually, require_system, sipalg_command, sipalg_environment

ADDRESS = "127.0.78.3"
CALLEE = Path(__file__).parent / "callee.xml"
MOST_SECONDS = 60.0
FAMILIES = (*calls_inbound.SCENARIOS, *calls_outbound.SCENARIOS)


def scenarios_with(peer: str) -> list[str]:
    """Those in which a real one can take a peer's place."""
    return [each.name for each in FAMILIES if peer in each.replaceable]


@contextmanager
def answering(folder: Path) -> Iterator[int]:
    """SIPp's callee, for as long as the block runs; the port it listens on."""
    port = free_port_pair(ADDRESS)
    listens = "{:02X}{:02X}{:02X}{:02X}:{:04X}".format(*map(int, reversed(ADDRESS.split("."))), port)
    command = [require_system("sipp", "sip-tester"), "-sf", str(CALLEE), "-t", "t1", "-i", ADDRESS, "-p", str(port)]
    command += ["-ci", ADDRESS, "-nostdin", "-trace_stat", "-stf", "callee.csv", "-fd", "60"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder) as process:
        try:
            eventually("SIPp listens", lambda: f"{listens} 00000000:0000 0A" in Path("/proc/net/tcp").read_text())
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def figures(folder: Path) -> dict[str, int]:
    """What SIPp counted."""
    with (folder / "callee.csv").open() as file:
        *_, row = csv.DictReader(file, delimiter=";")
    names = ("IncomingCall(C)", "SuccessfulCall(C)", "FailedUnexpectedMessage(C)")
    return {name: int(row[name]) for name in names}


def run(names: list[str], peer: str, port: int, *form: str) -> list[dict[str, Any]]:
    """The verdicts of scenarios in one form."""
    command = sipalg_command("scenario", "run", *names, *form, "--json", "--peer", f"{peer}={ADDRESS}:{port}")
    done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False, env=sipalg_environment())
    verdicts: list[dict[str, Any]] = json.loads(done.stdout)
    assert [(each["name"], each["reason"]) for each in verdicts if each["verdict"] != "pass"] == []
    assert [each["name"] for each in verdicts] == names
    assert done.returncode == 0
    return verdicts


@pytest.mark.parametrize(
    ("peer", "least", "failing", "got_through"),
    [("cucm", 5, ["preloaded-route-rejected", "two-notifications"], 1), ("webex", 2, ["search-rule-order"], 0)],
    ids=["cucm", "webex"],
)
def test_a_real_peer(tmp_path: Path, peer: str, least: int, failing: list[str], got_through: int) -> None:
    """Failures are recognised with SIPp at the end, and every cure brings it a call that it counts as good.

    Of the failures, only the second notification is a call that gets through.
    """
    names = scenarios_with(peer)
    assert len(names) >= least
    with answering(tmp_path) as port:
        run(failing, peer, port)
        cured = run(names, peer, port, "--fixed")
    counted = figures(tmp_path)
    assert counted["IncomingCall(C)"] == counted["SuccessfulCall(C)"] == len(names) + got_through
    assert counted["FailedUnexpectedMessage(C)"] == 0
    answers = [each["found"] for one in cured for each in one["evidence"] if each["what"] == "answer to INVITE"]
    assert answers == ["200 OK"] * len(names)
