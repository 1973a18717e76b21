"""Scenarios with somebody else's program: what they ask for on the screen is done; their verdicts are handed back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from tests.helpers.system import sipalg_command, sipalg_environment

MOST_SECONDS = 60.0


def run_scenarios(*args: str, obey: Callable[[str], None] = lambda order: None) -> list[dict[str, Any]]:
    """The verdicts of `sipalg scenario run`; `obey` gets each order, such as `webex: connect to ...`."""
    command = sipalg_command("scenario", "run", *args, "--json")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=sipalg_environment()
    ) as process:
        assert process.stderr is not None, "was asked for"
        try:
            for line in process.stderr:
                _, colon, order = line.partition(": ")
                assert colon, line
                obey(order)
            output, _ = process.communicate(timeout=MOST_SECONDS)
        finally:
            process.kill()
    verdicts: list[dict[str, Any]] = json.loads(output)
    return verdicts


def reasons(verdicts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Of those that have not passed."""
    return [(each["name"], each["reason"]) for each in verdicts if each["verdict"] != "pass"]
