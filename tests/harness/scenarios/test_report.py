"""What people and machines are told."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich.console import Console

from harness.scenarios import report
from harness.scenarios.registry import find
from harness.scenarios.scenario import Evidence
from harness.scenarios.verdict import Outcome, Verdict

ANSWER = Evidence("answer to INVITE", "200 OK", "603 <Decline> \x1b[31m\x00")
VERDICTS = [
    Verdict("one", False, Outcome.PASS, "all 1 signs are there", (Evidence("a", "b", "b"),), 1.23456),
    Verdict("one", True, Outcome.FAIL, "answer to INVITE: 603 \x00", (ANSWER, Evidence("a", "b", "b")), 2.0),
    Verdict("two", False, Outcome.ERROR, "TimeoutError: not done after 10 s"),
    Verdict("two", True, Outcome.SKIPPED, "the lab needs root"),
]
NOW = datetime(2026, 11, 21, 15, 0, 0, 123456, UTC)


def test_json() -> None:
    """A list of objects with these keys and no others."""
    told = json.loads(report.as_json(VERDICTS))
    assert [list(each) for each in told] == [["name", "fixed", "verdict", "reason", "evidence", "seconds"]] * 4
    assert [each["verdict"] for each in told] == ["pass", "fail", "error", "skipped"]
    assert told[0]["evidence"] == [{"what": "a", "expected": "b", "found": "b"}]
    assert told[0]["seconds"] == 1.235


def test_junit(tmp_path: Path) -> None:
    """Counts agree with the cases, every case has what the schema wants, and no character that XML has not."""
    file = tmp_path / "junit.xml"
    report.write_junit(file, VERDICTS, NOW)
    suites = ET.parse(file).getroot()
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert suite.attrib == {
        **{"name": "sipalg scenario", "tests": "4", "failures": "1", "errors": "1", "skipped": "1"},
        **{"time": "3.235", "timestamp": "2026-11-21T15:00:00", "hostname": "localhost"},
    }
    assert [case.tag for case in suite] == ["testcase"] * 4
    assert [(case.attrib["classname"], case.attrib["name"]) for case in suite] == [
        ("scenario.one", "failure"),
        ("scenario.one", "cure"),
        ("scenario.two", "failure"),
        ("scenario.two", "cure"),
    ]
    assert all(float(case.attrib["time"]) >= 0 for case in suite)
    assert [[child.tag for child in case] for case in suite] == [
        ["system-out"],
        ["failure", "system-out"],
        ["error"],
        ["skipped"],
    ]
    failure = suite[1][0]
    assert failure.attrib["message"] == "answer to INVITE: 603 \ufffd"
    assert failure.text == "answer to INVITE: expected 200 OK, found 603 <Decline> \ufffd[31m\ufffd"
    assert suite[0][0].text == "a: expected b, found b"
    assert suite[1][1].text == f"{failure.text}\na: expected b, found b"


def test_explanation() -> None:
    """What happens, how to recognise it, how to cure it: each with its heading and its text."""
    text = report.explanation(replace(find("T4")[0], parts=()))
    assert text.startswith("inspection-ends-handshake (T4): ")
    for heading in ("Source", "Topology", "What happens", "How to recognise it", "How to cure it"):
        assert f"\n{heading}\n  " in text
    assert "No SSL error available, probably remote disconnect" in text
    assert "\n  Wireshark\n    tcp.flags.reset == 1\n" in text
    assert "\n  Turn the inspection off.\n" in text
    assert "--peer" not in text
    assert "addresses.json" in text
    assert "Record-Route" not in text
    replaceable = report.explanation(find("l4f-off")[0])
    assert "--peer callee=HOST:PORT" in replaceable
    assert "copies Record-Route" in replaceable


def test_list() -> None:
    """Name, label if there is one, title."""
    console = Console(width=300, record=True, file=StringIO())
    report.print_list(console, [*find("B2-early"), *find("l4f-off")])
    heading, first, second = (line.split(maxsplit=2) for line in console.export_text().splitlines())
    assert heading[:2] == ["name", "label"]
    assert first[:2] == ["cucm-message-limit-early-offer", "B2-early"]
    assert second[0] == "l4f-off"
    assert find("l4f-off")[0].title.startswith(second[1])


def test_table() -> None:
    """One line each, and how many of each kind."""
    console = Console(width=100, record=True, file=StringIO())
    report.print_table(console, VERDICTS)
    lines = console.export_text().splitlines()
    assert lines[1].split()[:4] == ["one", "failure", "pass", "1.2"]
    assert lines[-1] == "1 pass, 1 fail, 1 error, 1 skipped"


def test_evidence() -> None:
    """What is there with a plus, what is not with a minus and with what was found."""
    console = Console(width=100, record=True, file=StringIO())
    report.print_evidence(console, VERDICTS[1])
    text = console.export_text()
    assert "  - answer to INVITE: expected 200 OK, found 603 <Decline>" in text
    assert "  + a: b" in text
