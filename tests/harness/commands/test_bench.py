"""`sipalg bench`"""

from __future__ import annotations

import json
import os

import pytest

from harness.bench.idle import IdleFigure
from harness.bench.lab_calls import RouterFigure
from harness.cli import main
from harness.commands import bench


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Machine output has a list of rows for each part."""
    assert main(["bench", "core", "--quick", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["core"]
    assert {"what", "microseconds", "message_bytes"} == set(rows[0])


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    """People get a table, and are told of which machine it is."""
    assert main(["bench", "core", "--quick"]) == 0
    machine, table = capsys.readouterr().out.split("\n", 1)
    assert ", Linux " in machine
    assert "10,000 mappings" in table


def test_a_missing_program_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SIPp the part is left out, the Debian package is named, and the status says so."""
    monkeypatch.setattr(bench, "available", lambda program: False)
    assert main(["bench", "calls"]) == 1
    assert capsys.readouterr().err == "sipalg bench: calls: sipp is not installed (Debian package sip-tester)\n"


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not root, and for whom every part that needs nobody else takes no time."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for name in ("measure_core", "measure_calls", "measure_handshakes"):
        monkeypatch.setattr(bench, name, lambda *_: [])
    monkeypatch.setattr(bench, "measure_idle", lambda _: IdleFigure(1, 1.0, 0, 1, 1))
    monkeypatch.setattr(bench, "available", lambda program: True)


@pytest.mark.usefixtures("somebody")
def test_without_root_the_lab_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """What can be measured is, and standard error says what was not."""
    assert main(["bench", "--json"]) == 0
    said = capsys.readouterr()
    assert list(json.loads(said.out)) == ["core", "calls", "idle", "handshakes"]
    assert said.err == "sipalg bench: lab: left out: needs root\nsipalg bench: segments: left out: needs root\n"


@pytest.mark.usefixtures("somebody")
def test_the_lab_without_root(capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for it by name is told in one line, and by the status."""
    assert main(["bench", "segments"]) == 1
    assert capsys.readouterr() == ("", "sipalg bench: segments: needs root\n")


def test_rows_that_were_not_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has their remark; a column that nobody fills is not there."""
    rows = [
        RouterFigure("kernel, plain NAT", "t1", 10, 0, None, 300.0, 80.0),
        RouterFigure("kernel, SIP helper", "t1", 10, remark="no such helper"),
        RouterFigure("inline", "t1", 10, 1, None, 1000.0, 70.0),
    ]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(bench, "available", lambda program: True)
    monkeypatch.setattr(bench, "measure_lab_calls", lambda transport, *_: rows if transport == "t1" else [])
    assert main(["bench", "lab"]) == 0
    table = capsys.readouterr().out
    assert "process cpu" not in table
    assert "no such helper" in table
    assert "3.33" in table


def test_an_unknown_part(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is one line and status 2."""
    assert main(["bench", "engine"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
