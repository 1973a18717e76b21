"""What tests of scenarios share: all of them run once."""

from __future__ import annotations

import pytest

from tests.harness.scenarios.whole_run import WholeRun, run_all


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Every scenario in both forms, run the first time a test asks for it."""
    return run_all(tmp_path_factory.mktemp("scenarios"))
