"""`sipalg fuzz replay` as a person and a script use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from tests.harness.conftest import StartServer
from tests.harness.fuzz.running import LIMIT, said, size

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_replay(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 if the same comes of it, 1 if the endpoint has been repaired."""
    server = start_server(LIMIT, refuses="513")
    size(server, "--max", "2000", "--json")
    place = said(capsys)["findings"][0]
    assert main(["fuzz", "replay", place, "--json"]) == 0
    found = said(capsys)
    assert (found["before"], found["now"], found["status"], found["same"]) == ("rejected", "rejected", 513, True)
    server.limit = 10**6
    assert main(["fuzz", "replay", place]) == 1
    assert capsys.readouterr().out == "size 2000: accepted 200 (answered); it was rejected 513\n"
    assert server.seen[-1] == (Path(place) / "sent.bin").read_bytes()
