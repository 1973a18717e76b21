"""The machine after the tests: as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.helpers.lab import leftovers

_QUESTIONS = ("ip -br link", "ip rule", "ip route show table all", "nft -s list ruleset")


def machine_state() -> dict[str, str]:
    """Devices, rules and routes outside all labs, as far as the programs that tell are there."""
    told = {}
    for question in _QUESTIONS:
        words = question.split()
        if shutil.which(words[0]):
            told[question] = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return told


@pytest.fixture(scope="session", autouse=True)
def machine() -> Iterator[None]:
    """When the last test is over, no lab is left, and neither is a rule or a route outside of them."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        yield
        return
    before = machine_state()
    yield
    assert leftovers() == []
    assert machine_state() == before
