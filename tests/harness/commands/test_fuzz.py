"""`sipalg fuzz` as a person and a script use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.fuzz.growing import PLACES
from tests.harness.conftest import Pki, StartServer
from tests.harness.fuzz.callers import Caller
from tests.harness.fuzz.servers import LimitedServer
from tests.helpers.system import PATIENCE, eventually, sipalg_command, sipalg_environment

LIMIT = 1234
KEYS = [
    *("largest_accepted", "smallest_refused", "refusal", "monotonic", "probes", "seconds", "seed", "findings"),
    "target_alive",
]
FAST = ("--rate", "5000", "--timeout", "10")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave their journals in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


def size(server: LimitedServer, *arguments: str) -> int:
    """`sipalg fuzz size`"""
    return main(["fuzz", "size", "--to", server.address, *FAST, *arguments])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", ["size", "segmentation", "replay"])
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The help of a command shows how it is used."""
    assert main(["fuzz", name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"sipalg fuzz {name} " in out


def test_json(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly the keys that scripts rely on."""
    assert size(start_server(LIMIT), "--seed", "7", "--json") == 0
    found = said(capsys)
    assert list(found) == KEYS
    assert (found["largest_accepted"], found["smallest_refused"], found["refusal"]) == (LIMIT, LIMIT + 1, "closed")
    assert (found["monotonic"], found["seed"], found["target_alive"]) == (True, 7, True)
    assert found["probes"] < 40
    assert all(Path(place).is_dir() for place in found["findings"])


def test_people(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A table, a plot, and where the findings are; what is said on the way is on standard error."""
    server = start_server(LIMIT, refuses="513")
    assert size(server, "--max", "5000", "--bisect") == 0
    out, errors = capsys.readouterr()
    assert f"largest accepted  {LIMIT} bytes" in out
    assert f"smallest refused  {LIMIT + 1} bytes: rejected 513" in out
    assert "\nrejected 513 " in out
    assert "sipalg fuzz replay fuzz-size-127.0.0.1-" in out
    assert errors.startswith("sipalg fuzz size: seed ")
    assert max(map(len, out.splitlines())) < 140
    assert out.replace("\n", "").isprintable()


def test_steps_and_segments(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Sizes in steps, each message cut."""
    server = start_server(LIMIT)
    arguments = ("--min", "1000", "--max", "1500", "--step", "100", "--segments", "random", "--json")
    assert size(server, *arguments) == 0
    found = said(capsys)
    assert (found["largest_accepted"], found["smallest_refused"], found["probes"]) == (1200, 1300, 6)
    cuts = json.loads((Path(found["findings"][0]) / "finding.json").read_text())["cuts"]
    assert all(0 < cut < 1300 for cut in cuts)


def test_a_minimum_that_is_too_small(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what the smallest message is, and starts there."""
    assert size(start_server(), "--min", "100", "--max", "700", "--grow", "via") == 0
    errors = capsys.readouterr().err
    assert "--min 100: the smallest OPTIONS that grows by via has 3" in errors


def test_through_the_alg(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Two limits; the sender's address is that of the first map."""
    server = start_server(LIMIT)
    arguments = ("--alg", "--map", "10.0.30.2=64.100.0.10", "--method", "INVITE", "--max", "5000")
    assert size(server, *arguments, "--json") == 0
    found = said(capsys)
    assert list(found) == [*KEYS, "alg"]
    assert found["largest_accepted"] == LIMIT
    assert found["alg"]["largest_accepted"] == LIMIT - 10
    assert (found["alg"]["largest_arrived"], found["alg"]["growth"]) == (LIMIT, 10)
    assert size(server, *arguments) == 0
    out = capsys.readouterr().out
    assert f"The sender may send {LIMIT - 10} bytes; behind the ALG they are {LIMIT} (+10)." in out


def test_a_crash(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, loud, with the last words kept."""
    assert size(start_server(LIMIT, mortal=True), "--max", "5000") == 1
    out, errors = capsys.readouterr()
    assert "AFTER size 5000 (closed) THE TARGET DOES NOT ANSWER" in out
    assert "the target does not answer" in errors


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


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--to", "192.0.2.1:5060"), "--to: 192.0.2.1 is not loopback: confirm with --i-own-this-target"),
        (("--response", "--listen", "192.0.2.1:5060"), "--listen: 192.0.2.1 is not loopback"),
        ((), "Missing option '--to'"),
        (("--to", "127.0.0.1:5060", "--bisect", "--step", "5"), "--bisect and --step exclude each other"),
        (("--to", "127.0.0.1:5060", "--segment", "5", "--segments", "random"), "exclude each other"),
        (("--to", "127.0.0.1:5060", "--map", "10.0.0.1=192.0.2.1"), "belong to --alg"),
        (("--to", "127.0.0.1:5060", "--listen", "127.0.0.1:0"), "--listen belongs to --response"),
        (("--to", "127.0.0.1:5060", "--max", "100"), "--max 100: the smallest OPTIONS that grows by header has 3"),
        (("--to", "127.0.0.1:5060", "--min", "900", "--max", "800"), "--max 800: --min is larger"),
        (("--to", "127.0.0.1:5060", "--method", "OPTION"), "--method OPTION: No such file"),
        (("--to", "127.0.0.1:5060", "--resume"), "--resume: "),
        (("--response",), "--listen is missing"),
        (("--response", "--listen", "127.0.0.1:0", "--grow", "via"), "--grow via: a response has the Via fields"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str) -> None:
    """Status 2 and one line."""
    assert main(["fuzz", "size", *arguments]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert complaint in line


def test_mutual_tls(start_server: StartServer, pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """Options to the certificates, sizes of the messages within."""
    server = start_server(LIMIT, context=pki.server_context(mutual=True))
    tls = ("--tls", "--cert", str(pki.client), "--ca", str(pki.ca), "--name", "target.example")
    assert size(server, *tls, "--max", "1300", "--json") == 0
    assert said(capsys)["largest_accepted"] == LIMIT


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


def test_we_are_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    """Says where it listens; a caller with a limit is found out, and a finding can be answered again."""
    arguments = ("--response", "--listen", "127.0.0.1:0", "--grow", "sdp-attributes", "--timeout", "10")
    with Program(*arguments, "--min", "1990", "--max", "2010", "--json") as program:
        assert program.process.stderr is not None
        line = program.process.stderr.readline()
        assert line.startswith("listening on 127.0.0.1:")
        port = int(line.rpartition(":")[2])
        caller = Caller(port, limit=2000, hangs_up=True)
        status, out, _ = program.end()
        caller.stop()
    found = json.loads(out)
    assert status == 0
    assert list(found) == KEYS
    assert (found["largest_accepted"], found["smallest_refused"], found["refusal"]) == (2000, 2001, "closed")
    caller = Caller(port, limit=2000, hangs_up=True)
    assert main(["fuzz", "replay", found["findings"][0]]) == 0
    caller.stop()
    assert capsys.readouterr().out.startswith("size 2010: closed")


@pytest.mark.parametrize("grow", PLACES)
def test_every_growth_has_a_name(start_server: StartServer, capsys: pytest.CaptureFixture[str], grow: str) -> None:
    """That the command line knows."""
    server = start_server()
    assert size(server, "--grow", grow, "--min", "900", "--max", "900", "--json") == 0
    assert said(capsys)["largest_accepted"] == 900
    assert {len(message) for message in server.seen} == {900}
