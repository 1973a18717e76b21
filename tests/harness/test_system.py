"""Programs that are run: what they say, and what they complain about."""

from __future__ import annotations

import os

import pytest

from alg.errors import ConfigError
from harness.system import require_root, run


def test_what_a_program_says() -> None:
    """Standard input goes in, standard output comes back."""
    assert run(["cat"], "one\ntwo\n") == "one\ntwo\n"


def test_a_complaint_names_the_program() -> None:
    """Its first line is enough."""
    with pytest.raises(ConfigError, match=r"^sh -c echo first >&2; echo second >&2; exit 3: first$"):
        run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"])
    with pytest.raises(ConfigError, match=r"^false: exit status 1$"):
        run(["false"])


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one line is enough to go on."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match=r"^nft is missing: Debian package nftables$"):
        run(["nft", "list", "ruleset"])


@pytest.mark.parametrize("user", [0, 1000])
def test_root_is_required(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    """Anybody else gets one line."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: user)
        if user == 0:
            require_root("lab")
            return
        with pytest.raises(ConfigError, match=r"^lab: needs root$"):
            require_root("lab")
