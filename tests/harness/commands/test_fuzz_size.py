"""`sipalg fuzz size` as a person and a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.fuzz.growing import PLACES
from tests.harness.conftest import Pki, StartServer
from tests.harness.fuzz.callers import Caller
from tests.harness.fuzz.running import KEYS, LIMIT, Program, said, size

pytestmark = pytest.mark.usefixtures("elsewhere")


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


def test_an_endpoint_that_is_not_monotonic(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It refuses 4000 to 8999 bytes and takes larger ones: a person and a script are told."""
    server = start_server(hole=range(4000, 9000))
    assert size(server, "--max", "70000") == 0
    assert "NO: 70000 bytes were accepted although 4000 were refused" in capsys.readouterr().out
    assert size(server, "--max", "70000", "--json") == 0
    found = said(capsys)
    assert (found["monotonic"], found["largest_accepted"], found["smallest_refused"]) == (False, 70_000, 4000)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--tls", "--cert", "missing.pem"), "--cert missing.pem: No such file"),
        (("--step", "1", "--max", "2000"), "--max-probes 200: this takes "),
        (("--method", "missing.sip"), "--method missing.sip: No such file"),
        (("--alg", "--map", "10.0.0.1"), "--map"),
    ],
)
def test_a_mistake_leaves_nothing_behind(
    start_server: StartServer, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], complaint: str
) -> None:
    """Neither a directory nor a message."""
    server = start_server()
    assert size(server, *options) == 2
    assert complaint in capsys.readouterr().err
    assert list(Path().iterdir()) == []
    assert server.seen == []


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
        (
            ("--to", "127.0.0.1:5060", "--max", "100"),
            "OPTIONS that grows by header has 299 bytes",
        ),
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


def test_we_are_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    """Says where it listens; a caller with a limit is found out, and a finding can be answered again."""
    arguments = ("--response", "--listen", "127.0.0.1:0", "--grow", "sdp-attributes", "--timeout", "10")
    with Program(*arguments, "--min", "1999", "--max", "2002", "--json") as program:
        assert program.process.stderr is not None
        said_first = program.process.stderr.readline()
        assert said_first.startswith("sipalg fuzz size: seed ")
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
    assert capsys.readouterr().out.startswith("size 2002: closed")


@pytest.mark.parametrize("grow", PLACES)
def test_every_growth_has_a_name(start_server: StartServer, capsys: pytest.CaptureFixture[str], grow: str) -> None:
    """That the command line knows."""
    server = start_server()
    assert size(server, "--grow", grow, "--min", "900", "--max", "900", "--json") == 0
    assert said(capsys)["largest_accepted"] == 900
    assert {len(message) for message in server.seen} == {900}
