"""`sipalg locate`: the result as the page shows it, the rules behind it, the log, and the status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.cli import main
from harness.commands.locate import EXAMPLE
from harness.expressway import patterns

CONFIG = """
[system]
"SystemUnit Name" = "expc"
"Ethernet 1 IP V4 Address" = "192.0.2.5"
Registrations = ["carol@example.com"]
[[zone]]
Type = "TraversalClient"
Name = "traversal"
"SIP PreloadedSipRoutes Accept" = "{preloaded}"
[[zone]]
Type = "Neighbor"
Name = "CUCM11"
"Peer Address" = ["192.0.2.21"]
"SIP Port" = 5065
[[policy_rule]]
"Source pattern" = "mallory@.*"
"Destination pattern" = ".*"
Action = "Reject"
[[search_rule]]
Name = "as is local"
Priority = 1
"Target Name" = "LocalZone"
[[search_rule]]
Name = "inbound"
Priority = 2
Mode = "AliasPatternMatch"
"Pattern String" = "cucm.example.com"
"Pattern Behavior" = "Leave"
"Target Name" = "CUCM11"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """An Expressway-C."""
    path = tmp_path / "expc.toml"
    path.write_text(CONFIG.replace("{preloaded}", "On"))
    return str(path)


def test_an_alias_that_is_found(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """The tree, every rule, and who gets the call."""
    assert main(["locate", "cucm.example.com", "--config", config, "--source", "traversal"]) == 0
    out, errors = capsys.readouterr()
    assert errors == ""
    tree, rules, verdict = out.split("\n\n")
    assert tree.splitlines()[:3] == ["Search (1)", "  State: Completed", "  Found: True"]
    assert re.search(r"  CallSerial Number: [0-9a-f-]{36}\n  Tag: [0-9a-f-]{36}\n", tree)
    assert re.search(r"  StartTime: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", tree)
    assert rules.splitlines()[2] == ("      2  inbound      considered towards 'CUCM11' with 'cucm.example.com': found")
    assert verdict == "'CUCM11' (192.0.2.21:5065) gets the call to 'cucm.example.com'\n"


def test_a_zone_that_is_absent(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """It does not have the alias: status 1."""
    assert main(["locate", "cucm.example.com", "--config", config, "--absent", "CUCM11"]) == 1
    assert capsys.readouterr().out.endswith("nobody gets the call: 404 Not Found, Warning 'Policy Response'\n")


def test_for_machines(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """One object."""
    assert main(["locate", "carol@example.com", "--config", config, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["zone"], found["result_alias"]) == ("LocalZone", "carol@example.com")
    assert [rule["outcome"] for rule in found["rules"]] == ["considered", "no_match"]


def test_callers(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """Call policy asks who calls, and whether that is known."""
    call = ["locate", "carol@example.com", "--config", config, "--source-alias", "mallory@example.com"]
    assert main([*call, "--authenticated"]) == 0
    assert main([*call, "--unauthenticated"]) == 1
    assert "nobody gets the call: 403 Forbidden" in capsys.readouterr().out


def test_a_route(capsys: pytest.CaptureFixture[str], config: str, tmp_path: Path) -> None:
    """It is searched for instead of the alias, where the zone accepts that; our own Routes do not count."""
    call = ["locate", "bob@example.com", "--source", "traversal", "--route", "sip:192.0.2.5:5061;lr"]
    preloaded = [*call, "--route", "<sip:cucm.example.com;lr>"]
    assert main([*preloaded, "--config", config]) == 0
    assert "'CUCM11' (192.0.2.21:5065) gets the call to 'cucm.example.com;lr'" in capsys.readouterr().out
    refusing = tmp_path / "refusing.toml"
    refusing.write_text(CONFIG.replace("{preloaded}", "Off"))
    assert main([*preloaded, "--config", str(refusing)]) == 1
    assert "'SIP PreloadedSipRoutes Accept' is Off in zone 'traversal'" in capsys.readouterr().out
    assert main([*call, "--config", str(refusing)]) == 1
    assert "did not match" in capsys.readouterr().out


def test_the_log(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """What the Expressway would write, on standard error."""
    assert main(["locate", "bob@example.com", "--config", config, "--log"]) == 1
    lines = capsys.readouterr().err.splitlines()
    stamp = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d expc tvcs: (UTCTime="[^"]*" )?(?=Event|Module)'
    said = [re.split(stamp, line)[-1] for line in lines]
    assert [line.partition(" Service=")[0] for line in (said[0], said[-1])] == [
        'Event="Search Attempted"',
        'Event="Search Completed" Reason="Not Found"',
    ]
    assert said[1:-1] == [
        'Module="network.search" Level="DEBUG":  Detail="Search rule \'inbound\' did not match destination alias '
        "'bob@example.com'\"",
        'Module="network.search" Level="DEBUG":  Detail="Considering search rule \'as is local\' towards target '
        "'LocalZone' at priority '1' with alias 'bob@example.com'\"",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing option '--config'"),
        (["--config", "CONFIG", "--source", "dns"], "--source: no zone 'dns'; the file has 'traversal', 'CUCM11'"),
        (["--config", "CONFIG", "--absent", "dns"], "--absent: no zone 'dns'"),
        (["--config", "/none.toml"], "--config /none.toml: No such file or directory"),
        (["--config", "CONFIG", "--protocol", "mgcp"], "'mgcp' is not one of 'sip', 'h323'"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], config: str, arguments: list[str], complaint: str) -> None:
    """Status 2 and one line."""
    assert main(["locate", "bob", *(config if word == "CONFIG" else word for word in arguments)]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert complaint in line


def test_an_unknown_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """File, table and key."""
    path = tmp_path / "expc.toml"
    path.write_text('[[zone]]\nType = "Neighbor"\nName = "a"\n"SIP Transports" = "TCP"\n')
    assert main(["locate", "bob", "--config", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"sipalg: --config {path}: [[zone]] 1: unknown key 'SIP Transports'; did you mean 'SIP Transport'?\n"
    )


def test_a_pattern_that_nobody_can_decide(
    capsys: pytest.CaptureFixture[str], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No result is made up: file, rule, pattern and alias."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    text = Path(config).read_text()
    Path(config).write_text(text.replace('"Source pattern" = "mallory@.*"', '"Source pattern" = "(a|aa)+"'))
    alias = "a" * 60 + "c"
    arguments = ["--config", config, "--source-alias", alias, "--unauthenticated"]
    assert main(["locate", "bob@example.com", *arguments]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors == (
        f"sipalg: --config {config}: call policy rule 1: '(a|aa)+' compared with '{alias}': "
        "no result after 0.01 s of computing\n"
    )


def test_help(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Has examples, and a configuration that can be copied."""
    assert main(["locate", "--help"]) == 0
    out = capsys.readouterr().out
    assert "sipalg locate bob@example.com --config expc.toml" in out
    path = tmp_path / "copied.toml"
    path.write_text(out[out.index("[system]") :])
    assert path.read_text().count("\n") == EXAMPLE.count("\n")
    assert main(["locate", "cucm.example.com", "--config", str(path)]) == 0
