"""A third party takes part: SIPp as the callee of every scenario that can do with a real one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.bench.sipp import End, Sipp
from harness.scenarios.registry import SCENARIOS
from tests.edge.sockets import free_port_pair
from tests.helpers.system import require_system, sipalg_command, sipalg_environment

CALLEE = "127.0.79.3"
NAMES = [name for name, each in SCENARIOS.items() if "callee" in each.replaceable]
MOST_SECONDS = 60.0


@pytest.mark.parametrize("form", [[], ["--fixed"]], ids=["failure", "cure"])
def test_sipp_answers(tmp_path: Path, form: list[str]) -> None:
    """At least five scenarios show their evidence, and their cure, with a callee that is not ours."""
    require_system("sipp", "sip-tester")
    assert len(NAMES) >= 5
    port = free_port_pair(CALLEE)
    with Sipp(End(CALLEE), End(CALLEE), tmp_path).answering(port):
        command = sipalg_command("scenario", "run", *NAMES, *form, "--json", "--peer", f"callee={CALLEE}:{port}")
        done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False, env=sipalg_environment())
    verdicts: list[dict[str, Any]] = json.loads(done.stdout)
    assert [(each["name"], each["verdict"], each["reason"]) for each in verdicts if each["verdict"] != "pass"] == []
    assert [each["name"] for each in verdicts] == NAMES
    assert done.returncode == 0
    answers = {each["found"] for one in verdicts for each in one["evidence"] if each["what"] == "answer to INVITE"}
    assert "200 OK" in answers
