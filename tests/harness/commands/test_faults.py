"""`sipalg faults`, and `--fault` on a command line."""

from __future__ import annotations

import json

from alg.faults import FAULTS
from tests.faults.rig import Rig, request
from tests.helpers.system import run_sipalg


def test_every_fault_is_listed() -> None:
    """By name, with its keys; as a table and as JSON."""
    listed = json.loads(run_sipalg("faults", "--json").stdout)
    assert [entry["name"] for entry in listed] == list(FAULTS)
    table = run_sipalg("faults").stdout.decode()
    assert all(name in table for name in FAULTS)


def test_a_fault_of_the_command_line() -> None:
    """`sipalg rewrite` does wrong what it is told to."""
    done = run_sipalg(
        "rewrite", "--map", "10.0.30.2=64.100.0.10", "--fault", "call-id-rewritten:method=OPTIONS", stdin=request()
    )
    assert done.stdout == Rig(("call-id-rewritten",)).send(request())


def test_a_fault_that_there_is_not() -> None:
    """One line, status 2."""
    done = run_sipalg("rewrite", "--fault", "nothing")
    assert done.returncode == 2
    assert b"--fault nothing: no fault 'nothing'" in done.stderr
