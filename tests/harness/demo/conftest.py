"""Runs of `sipalg demo`, each in a process of its own, since a reactor runs only once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

TIME_LIMIT = 10
"""Seconds: what the command contract allows."""


@dataclass(frozen=True)
class Run:
    """A process that ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    directory: Path | None = None


def run_python(code: str) -> Run:
    """Run a program; its exit status is that of `status`, which it has to set."""
    environment = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "COLUMNS"}}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nsys.exit(status)"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=TIME_LIMIT + 5,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def run_demo(*arguments: str, before: str = "") -> Run:
    """`sipalg demo` with these arguments, after the statements in `before`."""
    return run_python(f"{before}\nfrom harness.cli import main\nstatus = main(['demo', *{arguments!r}])")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run with `--out` into a directory that is not there yet."""
    directory = tmp_path_factory.mktemp("demo") / "new" / "call"
    run = run_demo("--out", str(directory))
    return Run(run.status, run.stdout, run.stderr, run.seconds, directory)
