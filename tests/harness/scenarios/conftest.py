"""What tests of scenarios share: all of them run once, also where several processes share the tests."""

from __future__ import annotations

import fcntl
import os

import pytest

from tests.harness.scenarios.whole_run import WholeRun, run_all


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Every scenario in both forms, run the first time a test asks for it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return run_all(tmp_path_factory.mktemp("scenarios"))
    folder = tmp_path_factory.getbasetemp().parent / "scenarios"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return run_all(folder)
