"""How runs of `sipalg fuzz` end: done, cut short, interrupted, without a target."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from harness.fuzz import probing
from tests.harness.conftest import StartServer
from tests.harness.fuzz.running import LIMIT, Program, said, size
from tests.helpers.system import PATIENCE, eventually, sipalg_command, sipalg_environment

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given time to come back."""
    monkeypatch.setattr(probing, "RECOVERY", (0.0, 0.0, 0.0))


def test_the_progress_bar(start_server: StartServer) -> None:
    """On a terminal it shows the size and the bracket of the search; the result is not mixed with it."""
    server = start_server(LIMIT)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    command = sipalg_command("fuzz", "size", "--to", server.address, "--max", "5000", "--rate", "40", "--json")
    with (
        open(ours, "rb", buffering=0) as terminal,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=sipalg_environment()
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        with suppress(OSError):
            while data := terminal.read(4096):
                shown += data
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["largest_accepted"] == LIMIT
    assert re.search(rb"endpoint: \d+ bytes, the limit is between \d+ and \d+", shown)


@pytest.mark.usefixtures("impatient")
def test_a_crash(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, loud, with the last words kept."""
    assert size(start_server(LIMIT, mortal=True), "--max", "5000") == 1
    out, errors = capsys.readouterr()
    assert "AFTER size 5000 (closed) THE TARGET DOES NOT ANSWER" in out
    assert "the target does not answer" in errors


@pytest.mark.usefixtures("impatient")
def test_nobody_there(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was ever accepted."""
    server = start_server()
    server.close()
    assert size(server, "--json") == 1
    found = said(capsys)
    assert (found["largest_accepted"], found["refusal"], found["target_alive"]) == (None, "refused", False)


def test_too_many_probes(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is bounded: cut short with status 3, or not started where the number is known."""
    server = start_server(LIMIT)
    assert size(server, "--max-probes", "10", "--json", "--out", "run") == 3
    assert said(capsys)["probes"] == 10
    assert size(server, "--resume", "--out", "run", "--json") == 0
    assert said(capsys)["largest_accepted"] == LIMIT
    assert size(server, "--step", "1", "--max", "2000") == 2
    assert "--max-probes 200: this takes " in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_run_can_be_resumed(start_server: StartServer, tmp_path: Path, number: signal.Signals) -> None:
    """What was found is kept, whatever ends the run; the second part asks nothing again, and knows the seed."""
    server = start_server(LIMIT)
    journal = tmp_path / "run" / "journal.jsonl"
    arguments = ("--to", server.address, "--out", "run", "--json", "--timeout", "10")
    with Program(*arguments, "--rate", "20") as first:
        eventually("five probes are made", lambda: journal.exists() and journal.read_text().count("\n") > 5)
        first.signal(number)
        status, out, errors = first.end()
    if number is signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 3
        assert f"interrupted; --resume goes on after {json.loads(out)['probes']} probes" in errors
        assert "Traceback" not in errors
    eventually("no connection is left", lambda: server.open == 0, PATIENCE)
    made = len(server.seen)
    done = journal.read_text().count("\n") - 1
    with Program(*arguments, "--rate", "5000", "--resume") as second:
        status, out, errors = second.end()
    found = json.loads(out)
    assert status == 0, errors
    assert (found["largest_accepted"], found["smallest_refused"]) == (LIMIT, LIMIT + 1)
    assert f"{done} probes are done" in errors
    assert found["seed"] == json.loads(journal.read_text().splitlines()[0])["seed"]
    refusals = len(found["findings"])
    assert len(server.seen) <= found["probes"] + refusals + 2, "nothing is asked twice but what the end cut off"
    assert made >= done
