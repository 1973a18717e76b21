"""The options of a transparent proxy: what they mean together, and what makes no sense."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alg.edge.entrance import Listener
from alg.edge.interception import Method
from alg.edge.transparent import Source, TransparentListener
from alg.errors import ConfigError
from harness.cli import main
from harness.settings import Flags, listeners, load_settings

LISTEN = ("--transparent", "--listen", "0.0.0.0:15060")


def test_rules_are_printed_without_root_and_without_a_reactor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--print-rules prints a script and does nothing else."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        assert main(["proxy", *LISTEN, "--pool", "203.0.113.10", "--sip-port", "5070", "--print-rules"]) == 0
    said, complaints = capsys.readouterr()
    assert complaints == ""
    assert said.startswith("nft -f - <<'EOF'\ntable ip sipalg_15060\n")
    assert "elements = { 203.0.113.10 }" in said
    assert "tcp dport { 5070 }" in said
    assert "# nft delete table ip sipalg_15060" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*LISTEN, "--to", "127.0.0.1:5060"), "--to: a transparent proxy finds it out by itself"),
        ((*LISTEN, "--side", "inside"), "--side: a transparent proxy finds it out by itself"),
        (("--transparent",), "--listen is missing"),
        (("--transparent", "--listen", "0.0.0.0:5060"), "--listen: 5060 is a SIP port"),
        ((*LISTEN, "--sip-port", "15060"), "--listen: 15060 is a SIP port"),
        (("--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--source", "own"), "--source: nothing is --transparent"),
        (("--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--print-rules"), "nothing is --transparent"),
        (("--transparent", "--listen", "0.0.0.0:0", "--print-rules"), "--listen names no port"),
        ((*LISTEN, "--intercept", "magic"), "--intercept"),
    ],
)
def test_options_that_make_no_sense(
    arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the option, and the exit status is 2."""
    assert main(["proxy", *arguments]) == 2
    said, complaints = capsys.readouterr()
    assert said == ""
    assert complaint in complaints
    assert complaints.count("\n") == 1


def test_a_file_says_the_same(tmp_path: Path) -> None:
    """Transparent and explicit listeners stand side by side in a file."""
    config = tmp_path / "sipalg.toml"
    config.write_text(
        '[[listener]]\nlisten = "0.0.0.0:15060"\ntransparent = true\nintercept = "redirect"\nsource = "client"\n'
        '[[listener]]\nlisten = "127.0.0.1:0"\nto = "127.0.0.1:5061"\n'
    )
    settings = load_settings(str(config))
    first, second = listeners(settings, Flags(), None, None, None)
    assert first == TransparentListener(("0.0.0.0", 15060), Method.REDIRECT, Source.CLIENT)
    assert isinstance(second, Listener)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    """--intercept and --source hold for every transparent listener."""
    config = tmp_path / "sipalg.toml"
    config.write_text('[[listener]]\nlisten = "0.0.0.0:15060"\ntransparent = true\nsource = "client"\n')
    flags = Flags(intercept="redirect", source="own")
    found = listeners(load_settings(str(config)), flags, None, None, None)
    assert found == [TransparentListener(("0.0.0.0", 15060), Method.REDIRECT, Source.OWN)]


@pytest.mark.parametrize("key", ["side", "to"])
def test_a_file_that_makes_no_sense(tmp_path: Path, key: str) -> None:
    """The error names listener and key."""
    config = tmp_path / "sipalg.toml"
    config.write_text(f'[[listener]]\nlisten = "0.0.0.0:15060"\ntransparent = true\n{key} = "inside"\n')
    with pytest.raises(ConfigError, match=rf"\[\[listener\]\] 1 {key}: "):
        listeners(load_settings(str(config)), Flags(), None, None, None)
