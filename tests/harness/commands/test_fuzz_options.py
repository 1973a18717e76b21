"""What the commands of `sipalg fuzz` make of their shared options."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from harness.commands import fuzz_options as shared
from harness.fuzz.classification import REFUSING
from harness.fuzz.target import TlsOptions

PLAIN: dict[str, Any] = {
    **{"to": "127.0.0.1:5060", "owned": False, "tls": False, "cert": None, "key": None, "ca": None},
    **{"verify": False, "name": None, "timeout": 2.0, "rate": 50.0, "connections": "fresh", "refusing": ()},
    **{"method": "OPTIONS", "uri": None, "sender": None, "seed": None, "out": None, "resume": False},
    **{"max_probes": 200, "as_json": False},
}


def test_tls() -> None:
    """--ca means that certificates are checked; TLS options without TLS are a mistake."""
    assert shared.tls_of(PLAIN) is None
    assert shared.tls_of(PLAIN | {"tls": True}) == TlsOptions()
    found = shared.tls_of(PLAIN | {"tls": True, "cert": "c", "key": "k", "ca": "a", "name": "n"})
    assert found == TlsOptions("c", "k", "a", True, "n")
    with pytest.raises(click.UsageError, match="--ca: there is no --tls"):
        shared.tls_of(PLAIN | {"ca": "a"})


def test_manner() -> None:
    """More statuses can count as refusals; never fewer."""
    manner = shared.manner_of(PLAIN | {"connections": "reuse", "refusing": (408, 503), "timeout": 0.5})
    assert (manner.timeout, manner.rate, manner.reuse) == (0.5, 50.0, True)
    assert manner.refusing == REFUSING | {408, 503}


def test_message() -> None:
    """The target is called, unless somebody else is to be."""
    target = shared.target_of(PLAIN)
    assert shared.message_of(PLAIN, target, None).uri == "sip:127.0.0.1:5060"
    assert shared.message_of(PLAIN | {"method": "invite"}, target, None).method == "INVITE"
    assert shared.message_of(PLAIN | {"uri": "sip:bob@x"}, target, None).uri == "sip:bob@x"
    with pytest.raises(click.UsageError, match="'--to'"):
        shared.target_of(PLAIN | {"to": None})


def test_two_runs_have_different_identities() -> None:
    """Whatever their seed: a server remembers transactions for half a minute."""
    assert shared.new_tokens().next() != shared.new_tokens().next()


def test_the_journal_remembers_what_matters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not where it is, nor how fast it goes, nor how much of it is wanted."""
    options = PLAIN | {"out": str(tmp_path / "run"), "seed": 5}
    with closing(shared.open_journal(options, "size", "127.0.0.1:5060")) as journal:
        assert journal.beginning.seed == 5
        assert shared.findings_directory(journal) == tmp_path / "run" / "findings"
    changed = options | {"seed": None, "resume": True, "rate": 1.0, "max_probes": 9, "as_json": True}
    with closing(shared.open_journal(changed, "size", "127.0.0.1:5060")) as journal:
        assert journal.beginning.seed == 5
    assert capsys.readouterr().err.splitlines() == [
        f"sipalg fuzz size: seed 5, journal in {tmp_path / 'run'}",
        f"sipalg fuzz size: seed 5, journal in {tmp_path / 'run'}, 0 probes are done",
    ]
