"""`sipalg fuzz segmentation` as a person and a script use it."""

from __future__ import annotations

import pytest

from harness.cli import main
from tests.harness.conftest import StartServer
from tests.harness.fuzz.running import FAST, said

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_segmentation(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A script learns how many cases there were, and which were not answered."""
    server = start_server()
    arguments = ["fuzz", "segmentation", "--to", server.address, *FAST, "--kind", "boundary", "--kind", "coalesced"]
    assert main([*arguments, "--pause", "0", "--json"]) == 0
    found = said(capsys)
    assert found["cases"] == found["answered"] == found["probes"]
    assert (found["not_answered"], found["findings"], found["target_alive"]) == ([], [], True)
    assert main([*arguments, "--pause", "0"]) == 0
    assert f"{found['cases']} of {found['cases']} cases answered" in capsys.readouterr().out


def test_segmentation_that_breaks_it(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1."""
    server = start_server(65_536, counts="read")
    arguments = ["fuzz", "segmentation", "--to", server.address, *FAST, "--kind", "slow", "--pause", "0.02"]
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "0 of " in out
    assert "  not answered: slow at " in out
