"""`sipalg bench`"""

from __future__ import annotations

import json

import pytest

from harness.cli import main
from harness.commands import bench


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Machine output has a list of rows for each part."""
    assert main(["bench", "core", "--quick", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["core"]
    assert {"what", "microseconds", "message_bytes"} == set(rows[0])


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    """People get a table."""
    assert main(["bench", "core", "--quick"]) == 0
    assert "10,000 mappings" in capsys.readouterr().out


def test_a_missing_program_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SIPp the part is left out, the Debian package is named, and the status says so."""
    monkeypatch.setattr(bench, "available", lambda program: False)
    assert main(["bench", "calls"]) == 1
    assert capsys.readouterr().err == "sipalg bench: calls: sipp is not installed (Debian package sip-tester)\n"


def test_an_unknown_part(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is one line and status 2."""
    assert main(["bench", "engine"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
