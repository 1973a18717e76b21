"""`sipalg fuzz mutate` as a person and a script use it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.fuzz.operators import OPERATORS
from tests.harness.conftest import StartServer
from tests.harness.fuzz.servers import LimitedServer

FAST = ("--rate", "5000", "--timeout", "10")
HARMLESS = ("--only", "order", "--only", "unknown", "--only", "zeros")
"""What a server that only frames takes."""
_IDENTITY = re.compile(rb"[0-9a-f]{16}")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave their journals in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


def mutate(server: LimitedServer, *arguments: str) -> int:
    """`sipalg fuzz mutate`"""
    return main(["fuzz", "mutate", "--to", server.address, *FAST, *arguments])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows how it is used."""
    assert main(["fuzz", "mutate", "--help"]) == 0
    assert "sipalg fuzz mutate --to " in capsys.readouterr().out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a target: every mutation, what is left of a message, what it does."""
    assert main(["fuzz", "mutate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(OPERATORS)
    assert {line.split()[0] for line in lines} == {"harmless", "spoilt", "unframed"}


def test_the_same_seed_sends_the_same_bytes(start_server: StartServer) -> None:
    """But for the port and the identity of each transaction."""
    server = start_server()
    sent = []
    for number, seed in enumerate(("7", "7", "8")):
        before = len(server.seen)
        assert mutate(server, *HARMLESS, "--count", "12", "--seed", seed, "--out", f"run{number}") == 0
        sent.append([_nameless(message) for message in server.seen[before:]])
    assert sent[0] == sent[1] != sent[2]
    assert len(sent[0]) == 14


def _nameless(message: bytes) -> bytes:
    return re.sub(rb"127\.0\.0\.1:\d+", b"HERE", _IDENTITY.sub(b"TOKEN", message))


def test_a_failure_is_made_smaller(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; the smallest message is a finding that is replayed like any other."""
    server = start_server(refuses="500")
    server._too_large = lambda message: b"\r\nX-Empty:" in message  # type: ignore[method-assign]
    assert mutate(server, "--only", "unknown", "--count", "12", "--seed", "1", "--json") == 1
    found = said(capsys)
    assert {case["got"] for case in found["not_as_expected"]} == {"rejected 500"}
    assert found["topics"]["harmless"]["failed"] == len(found["not_as_expected"]) < 12
    (small,) = (place for place in found["findings"] if "smallest" in place)
    sent = (Path(small) / "sent.bin").read_bytes()
    assert sent.count(b"\r\nX-") == sent.count(b"\r\nX-Empty:") == 1
    assert b"User-Agent" not in sent
    assert "made " in (Path(small) / "expected.txt").read_text()
    assert main(["fuzz", "replay", small]) == 0
    assert server.seen[-2] == sent, "the health check comes last"


def test_left_as_they_are(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    """--minimise 0 sends the mutants, and no more."""
    server = start_server(refuses="500")
    server._too_large = lambda message: b"\r\nX-Empty:" in message  # type: ignore[method-assign]
    assert mutate(server, "--only", "unknown", "--count", "5", "--seed", "1", "--minimise", "0", "--json") == 1
    found = said(capsys)
    assert found["probes"] == 7
    assert len(found["findings"]) == len(found["not_as_expected"])


def test_a_template_through_the_alg(start_server: StartServer) -> None:
    """Any request out of a file; the sender is the first map's inside address."""
    Path("request.sip").write_text(
        "PING sip:a SIP/2.0\nVia: SIP/2.0/TCP 10.0.30.2;branch=z9hG4bKx\nFrom: <sip:b@10.0.30.2>;tag=1\nTo: <sip:c>\n"
        "Call-ID: d\nCSeq: 1 PING\n\n"
    )
    server = start_server()
    mapping = ("--alg", "--map", "10.0.30.2=64.100.0.10")
    assert mutate(server, "--method", "request.sip", *HARMLESS, *mapping, "--count", "5", "--seed", "3") == 0
    assert all(message.startswith(b"PING ") and b"10.0.30.2" not in message for message in server.seen)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--to", "127.0.0.1:9", "--only", "nothing"), "--only nothing: no mutation"),
        (("--to", "192.0.2.1:5060"), "--i-own-this-target"),
        (("--to", "127.0.0.1:9", "--method", "nowhere.sip"), "--method nowhere.sip: No such file"),
        (("--to", "127.0.0.1:9", "--count", "0"), "--count"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one line, no directory."""
    assert main(["fuzz", "mutate", *arguments]) == 2
    errors = capsys.readouterr().err
    assert complaint in errors
    assert errors.count("\n") == 1
    assert not list(Path().iterdir())
