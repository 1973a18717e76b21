"""A scenario whose real peer is on another machine: two namespaces, a router between them, and SIPp at the far end.

Strategy: the network of the run is local to one namespace, and the router knows the way to it: what `--network` asks of
an engineer's lab. What SIPp counts is its own.
"""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

from tests.e2e.test_scenario_peers import CALLEE
from tests.helpers.lab import CLIENT, SERVER, stage
from tests.helpers.system import PATIENCE, eventually, require_system, sipalg_command, sipalg_environment

NETWORK = "10.0.99.0/24"


def test_a_peer_on_another_machine(tmp_path: Path) -> None:
    """The failure is seen and the cure brings a call, both from addresses that the real peer can answer to."""
    sipp = require_system("sipp", "sip-tester")
    with stage("elsewhere") as lab:
        subprocess.run(lab.lab.command("inside", "ip", "route", "add", "local", NETWORK, "dev", "lo"), check=True)
        subprocess.run(lab.lab.command("router", "ip", "route", "add", NETWORK, "via", CLIENT), check=True)
        answer = [sipp, "-sf", str(CALLEE), "-t", "t1", "-i", SERVER, "-ci", SERVER, "-p", "5060", "-nostdin"]
        answer += ["-trace_stat", "-stf", "callee.csv", "-fd", "60"]
        run = sipalg_command(
            *("scenario", "run", "l4f-off", "--json", "--network", NETWORK, "--peer", f"callee={SERVER}:5060")
        )
        with subprocess.Popen(
            lab.lab.command("outside", *answer), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=tmp_path
        ) as process:
            try:
                listening = lab.lab.command("outside", "ss", "-Hltn", "sport = :5060")
                eventually("SIPp listens", lambda: subprocess.run(listening, capture_output=True, check=True).stdout)
                verdicts = []
                for form in ([], ["--fixed"]):
                    done = subprocess.run(
                        lab.lab.command("inside", *run, *form),
                        capture_output=True,
                        check=False,
                        timeout=60,
                        env=sipalg_environment(),
                    )
                    assert done.stderr == b""
                    verdicts += json.loads(done.stdout)
            finally:
                process.terminate()
                process.wait(PATIENCE)
    assert [(each["fixed"], each["verdict"], each["reason"]) for each in verdicts if each["verdict"] != "pass"] == []
    assert len(verdicts) == 2
    with (tmp_path / "callee.csv").open() as file:
        *_, row = csv.DictReader(file, delimiter=";")
    assert (row["IncomingCall(C)"], row["FailedUnexpectedMessage(C)"]) == ("2", "0")
