"""What needs root says so in one line."""

from __future__ import annotations

import os

import pytest

from harness.cli import main


@pytest.mark.parametrize("command", [("up",), ("down",), ("status",), ("exec", "inside", "--", "true")])
def test_every_subcommand(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and one line."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        assert main(["lab", *command]) == 2
    assert capsys.readouterr() == ("", "sipalg: lab: needs root\n")
