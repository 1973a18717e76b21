"""`sipalg fuzz torture` as a person and a script use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.fuzz.torture_set import TOPICS
from tests.harness.conftest import Pki, StartServer
from tests.harness.fuzz.servers import LimitedServer

KEYS = [
    *("cases", "tried", "as_expected", "not_as_expected", "crashes", "topics", "outcomes", "probes", "seconds", "seed"),
    *("findings", "target_alive"),
]
FAST = ("--rate", "5000", "--timeout", "10")
RIGHT = ("--only", "via-stack", "--only", "two-requests-at-once", "--only", "user-of-every-character")
WRONG = ("--only", "from-missing", "--only", "methods-that-differ")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave their journals in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


def torture(server: LimitedServer, *arguments: str) -> int:
    """`sipalg fuzz torture`"""
    return main(["fuzz", "torture", "--to", server.address, *FAST, *arguments])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows how it is used."""
    assert main(["fuzz", "torture", "--help"]) == 0
    assert "sipalg fuzz torture --to " in capsys.readouterr().out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a target: every case, its topic, where it comes from, what is expected."""
    assert main(["fuzz", "torture", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(map(len, TOPICS.values()))
    assert lines[0].split() == ["well-formed", "odd-but-legal-fields", "RFC", "4475", "3.1.1.1;", "accepted"]
    assert main(["fuzz", "torture", "--list", "--json", "--only", "addresses", "--count", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {
        "topic": "addresses",
        "name": "ipv6-in-every-field",
        "source": "RFC 5118 4.1",
        "expected": "accepted",
    }


def test_json(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly the keys that scripts rely on; status 0 where all went as expected."""
    assert torture(start_server(), *RIGHT, "--seed", "7", "--json") == 0
    found = said(capsys)
    assert list(found) == KEYS
    assert (found["cases"], found["as_expected"], found["probes"], found["seed"]) == (3, 3, 4, 7)
    assert (found["not_as_expected"], found["findings"], found["target_alive"]) == ([], [], True)


def test_findings_can_be_sent_again(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; the bytes are kept, and the line that is printed replays them."""
    server = start_server()
    assert torture(server, *WRONG, *RIGHT) == 1
    out, errors = capsys.readouterr()
    assert "3 of 5 cases as expected" in out
    assert "from-missing: accepted 200, expected 4xx, silent, closed or reset" in out
    assert errors.startswith("sipalg fuzz torture: seed ")
    (line,) = (line.split() for line in out.splitlines() if "fuzz replay" in line and "from-missing" in line)
    place = Path(line[3])
    before = list(server.seen)
    assert (place / "sent.bin").read_bytes() in before
    assert main(line[1:]) == 0
    assert server.seen[len(before) :] == [(place / "sent.bin").read_bytes()]
    assert "it was accepted 200" in capsys.readouterr().out


def test_a_crash(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, though a closed connection alone would have been right: loud, with the last words kept."""
    server = start_server(10**9, mortal=True)
    server._too_large = lambda message: b"\r\nCSeq: 8 INVITE" in message  # type: ignore[method-assign]
    assert torture(server, "--only", "methods-that-differ", "--only", "via-stack", "--json") == 1
    found = said(capsys)
    assert (found["target_alive"], found["crashes"]) == (False, 1)
    (case,) = found["not_as_expected"]
    assert (case["name"], case["got"], case["target_alive"]) == ("methods-that-differ", "closed", False)
    assert b"CSeq: 8 INVITE" in (Path(case["finding"]) / "sent.bin").read_bytes()


def test_over_mutual_tls_for_somebody(start_server: StartServer, pki: Pki) -> None:
    """The messages say TLS, and whom they are for."""
    server = start_server(context=pki.server_context(mutual=True))
    tls = ("--tls", "--cert", str(pki.client), "--ca", str(pki.ca))
    assert torture(server, *RIGHT, *tls, "--user", "ann") == 0
    assert server.seen
    assert all(b"SIP/2.0/TLS" in message for message in server.seen)
    assert f"OPTIONS sip:ann@{server.address} SIP/2.0".encode() in server.seen[1]


def test_through_the_alg(start_server: StartServer) -> None:
    """The sender is the first map's inside address; the target sees the outside one."""
    server = start_server()
    mapping = ("--alg", "--map", "10.0.30.2=64.100.0.10")
    assert torture(server, *RIGHT, *mapping) == 0
    assert all(b"64.100.0.10" in message and b"10.0.30.2" not in message for message in server.seen)


def test_shuffled(start_server: StartServer) -> None:
    """By the seed, so that the same seed sends in the same order."""
    server = start_server()
    orders = []
    for number, seed in enumerate("112"):
        before = len(server.seen)
        torture(server, "--only", "meaning", "--count", "4", "--shuffle", "--seed", seed, "--out", f"run{number}")
        orders.append([message.split(b"\r\n")[0] for message in server.seen[before:]])
    names = [
        [json.loads(line)["name"] for line in Path(f"run{number}/journal.jsonl").read_text().splitlines()[1:]]
        for number in range(3)
    ]
    assert names[0] == names[1] != names[2]
    assert all(orders)


def test_resumed(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What the journal has is not sent again."""
    server = start_server()
    assert torture(server, *RIGHT, "--out", "run") == 0
    journal = Path("run/journal.jsonl")
    journal.write_text("".join(line + "\n" for line in journal.read_text().splitlines()[:3]))
    before = len(server.seen)
    capsys.readouterr()
    assert torture(server, *RIGHT, "--out", "run", "--resume", "--json") == 0
    assert said(capsys)["tried"] == 3
    assert len(server.seen) - before == 3, "two in one segment, and the last look"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--to", "127.0.0.1:9", "--only", "nobody"), "--only nobody: no case"),
        (("--to", "192.0.2.1:5060"), "--i-own-this-target"),
        (("--to", "127.0.0.1:9", "--map", "10.0.30.2=64.100.0.10"), "belong to --alg"),
        (("--to", "127.0.0.1:9", "--cert", "x.pem"), "--cert: there is no --tls"),
        ((), "--to"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one line, no directory."""
    assert main(["fuzz", "torture", *arguments]) == 2
    errors = capsys.readouterr().err
    assert complaint in errors
    assert errors.count("\n") == 1
    assert not list(Path().iterdir())
