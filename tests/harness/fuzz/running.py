"""Runs `sipalg fuzz` as a script does, and as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import pytest

from harness.cli import main
from tests.harness.fuzz.servers import LimitedServer
from tests.helpers.system import sipalg_command, sipalg_environment

LIMIT = 1234
KEYS = [
    *("largest_accepted", "smallest_refused", "refusal", "monotonic", "probes", "seconds", "seed", "findings"),
    "target_alive",
]
FAST = ("--rate", "5000", "--timeout", "10")


def size(server: LimitedServer, *arguments: str) -> int:
    """`sipalg fuzz size`"""
    return main(["fuzz", "size", "--to", server.address, *FAST, *arguments])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


class Program:
    """`sipalg fuzz size` as a process."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            sipalg_command("fuzz", "size", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=sipalg_environment(),
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def end(self) -> tuple[int, str, str]:
        """Status, standard output and standard error."""
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors
