"""`sipalg pattern`: what it prints, and its status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main

CONFIG = """
[system]
"SIP Domains" = ["example.com"]
[[search_rule]]
Name = "to DNS"
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = "(?!.*@%localdomains%.*$).*"
"Pattern Behavior" = "Leave"
"Target Name" = "LocalZone"
[[search_rule]]
Name = "as is local"
"Target Name" = "LocalZone"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A file with a rule that has a pattern, and one that has none."""
    path = tmp_path / "expe.toml"
    path.write_text(CONFIG)
    return str(path)


def test_an_alias_that_matches(capsys: pytest.CaptureFixture[str]) -> None:
    """The result as the tool shows it."""
    arguments = ["--type", "prefix", "--string", "cucm.rtp.example.net", "--behavior", "leave"]
    assert main(["pattern", "cucm.rtp.example.net", *arguments]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Result   Succeeded",
        "Details  Alias matched pattern",
        "Alias    cucm.rtp.example.net",
    ]


def test_an_alias_that_does_not_match(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1."""
    assert main(["pattern", "bob@example.com", "--string", "bob"]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["Result   Failed", "Details  Alias did not match pattern"]


def test_what_an_alias_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    """With groups, for machines."""
    options = ["--string", r"(\d{4})@.*", "--behavior", "replace", "--replace", r"\1@example.net", "--json"]
    assert main(["pattern", "5010@example.com", *options]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "result": "Succeeded",
        "details": "Alias matched pattern",
        "alias": "5010@example.net",
        "matched": True,
    }


def test_a_rule_of_a_file(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """Its pattern, with the domains of the system."""
    assert main(["pattern", "bob@example.com", "--config", config, "--rule", "to DNS"]) == 1
    assert main(["pattern", "bob@example.org", "--config", config, "--rule", "to DNS"]) == 0
    assert main(["pattern", "bob@example.com", "--config", config, "--string", "bob@%localdomains%"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--string", "("], "'(' is no regular expression: missing )"),
        (["--string", "a", "--behavior", "strip"], "'Pattern Behavior' Strip goes with Prefix and Suffix"),
        ([], "Missing option '--string', or '--rule' with '--config'."),
        (["--rule", "to DNS"], "Option '--rule' needs '--config'."),
        (["--string", "a", "--config", "/none.toml"], "--config /none.toml: No such file or directory"),
        (["--rule", "to dns", "--config", "CONFIG"], "has no such search rule"),
        (["--rule", "as is local", "--config", "CONFIG"], "its mode is AnyAlias, it has no pattern"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], config: str, arguments: list[str], complaint: str) -> None:
    """Status 2 and one line."""
    assert main(["pattern", "bob", *(config if word == "CONFIG" else word for word in arguments)]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert complaint in line


def test_a_pattern_that_nobody_can_decide(capsys: pytest.CaptureFixture[str]) -> None:
    """Given up, with pattern and alias, after about a second of computing."""
    alias = "a" * 60 + "c"
    assert main(["pattern", alias, "--string", "(a|aa)+"]) == 2
    assert capsys.readouterr().err == (f"sipalg: '(a|aa)+' compared with '{alias}': no result after 1 s of computing\n")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Has examples."""
    assert main(["pattern", "--help"]) == 0
    assert "sipalg pattern 5010@example.com" in capsys.readouterr().out
