"""`sipalg fuzz` and its commands."""

from __future__ import annotations

import pytest

from harness.cli import main

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize("name", ["size", "segmentation", "replay"])
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The help of a command shows how it is used."""
    assert main(["fuzz", name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"sipalg fuzz {name} " in out
