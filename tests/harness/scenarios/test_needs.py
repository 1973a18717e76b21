"""What a machine may lack."""

from __future__ import annotations

import os

import pytest

from harness.scenarios.needs import LAB, Need, first_missing, program

THERE = Need("air", lambda: "")


def test_nothing_is_missing() -> None:
    """No reason."""
    assert first_missing([THERE, program("sh", "dash")]) == ""


def test_the_first_that_is_missing() -> None:
    """Is the reason, with the package that has it."""
    needs = [THERE, program("sipalg-no-such-program", "nothing"), Need("moon", lambda: "no moon")]
    assert first_missing(needs) == "sipalg-no-such-program is missing: Debian package nothing"


def test_the_lab_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is for one at a time."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert first_missing([LAB]) == "the lab needs root"
    assert LAB.exclusive
