"""Scenarios and verdicts for people and for machines: list, explanation, tables, JSON, JUnit."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from textwrap import dedent, fill, indent
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.scenarios.scenario import FORMS, Evidence, Part, Scenario
from harness.scenarios.verdict import Outcome, Verdict

_STYLES: Final = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold magenta",
    Outcome.SKIPPED: "yellow",
}
_WIDTH: Final = 100
"""Characters of a line of prose."""
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def print_list(console: Console, scenarios: Iterable[Scenario]) -> None:
    """One line each."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("label", no_wrap=True)
    table.add_column("what goes wrong")
    table.add_column("seen", style="dim")
    for each in scenarios:
        table.add_row(Text(each.name), Text(each.label), Text(each.title), Text(each.source))
    console.print(table)


_CAPTURES: Final = (
    "For a capture that --out keeps, decode TLS on the ports 5062 and 7003 as SIP, and write the addresses that its "
    "addresses.json has, if there is one."
)
_PEERS: Final = (
    "HOST:PORT is where the peer listens, or where it is if it is the one who connects. Hosts are numbered within the "
    "network of the run: one of 127.0.0.0/8, which --network replaces for peers on other machines. A peer copies "
    "Record-Route into its responses (RFC 3261 12.1.1), which the scenarios built into SIPp do not. Of the evidence, "
    "what only the built-in peer could tell falls away; a run lists what remains."
)


def explanation(scenario: Scenario) -> str:
    """What happens, how to recognise it, how to cure it."""
    label = f" ({scenario.label})" if scenario.label else ""
    sections = [
        f"{scenario.name}{label}: {scenario.title}\n",
        f"Source\n{indent(scenario.source, '  ')}\n",
        f"Topology\n{indent(dedent(scenario.topology).rstrip(), '  ')}\n",
        f"What happens\n{_wrapped(scenario.happens)}\n",
        f"How to recognise it\n{_wrapped(scenario.look)}\n",
    ]
    if scenario.log:
        sections.append("  Log lines\n" + "".join(f"    {line}\n" for line in scenario.log))
    sections.append(f"  Wireshark\n    {scenario.wireshark}\n{_wrapped(_CAPTURES)}\n")
    sections.append(f"How to cure it\n{_wrapped(scenario.cure)}\n")
    for fixed, form in FORMS.items():
        signs = "".join(f"  {sign.what}: {sign.expected}\n" for sign in scenario.signs(fixed))
        sections.append(f"Evidence of the {form}\n{signs}")
    if scenario.parts:
        parts = "".join(f"  --peer {part.name}=HOST:PORT\n{_wrapped(_told(part), 4)}\n" for part in scenario.parts)
        sections.append(f"Parts that a real peer can play\n{parts}{_wrapped(_PEERS)}\n")
    return "\n".join(sections)


def _told(part: Part) -> str:
    """Where the built-in one is, and what a real one does."""
    where = f"host {part.host}, {part.ports}" if part.ports else f"host {part.host}"
    return f"in place of {where}; {part.duty}"


def _wrapped(text: str, margin: int = 2) -> str:
    space = " " * margin
    return fill(text, _WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


def print_evidence(console: Console, verdict: Verdict) -> None:
    """One verdict with all that was looked at."""
    console.print(Text(f"{verdict.name}, {FORMS[verdict.fixed]}", "bold"))
    for each in verdict.evidence:
        found = each.found if each.shown else f"expected {each.expected}, found {each.found}"
        console.print(Text(f"  {'+' if each.shown else '-'} {each.what}: {found}", "" if each.shown else "red"))
    console.print(Text(f"{verdict.verdict.value}: {verdict.reason}", _STYLES[verdict.verdict]))


def print_table(console: Console, verdicts: Sequence[Verdict]) -> None:
    """One line each, and a count."""
    table = Table(box=None, pad_edge=False)
    for heading in ("scenario", "form", "verdict", "s", "reason"):
        table.add_column(heading, no_wrap=heading != "reason", justify="right" if heading == "s" else "left")
    for each in verdicts:
        name, form = Text(each.name), Text(FORMS[each.fixed])
        outcome = Text(each.verdict.value, _STYLES[each.verdict])
        table.add_row(name, form, outcome, f"{each.seconds:.1f}", Text(each.reason))
    console.print(table)
    counted = Counter(each.verdict for each in verdicts)
    console.print(Text(", ".join(f"{counted[outcome]} {outcome.value}" for outcome in Outcome)))


def as_json(verdicts: Iterable[Verdict]) -> bytes:
    """A list of objects."""
    return msgspec.json.encode([replace(each, seconds=round(each.seconds, 3)) for each in verdicts])


def write_junit(path: Path, verdicts: Sequence[Verdict], now: datetime) -> None:
    """A JUnit report, as CI servers read it; raises OSError."""
    counted = Counter(each.verdict for each in verdicts)
    suite = ET.Element(
        "testsuite",
        name="sipalg scenario",
        tests=str(len(verdicts)),
        failures=str(counted[Outcome.FAIL]),
        errors=str(counted[Outcome.ERROR]),
        skipped=str(counted[Outcome.SKIPPED]),
        time=_seconds(sum(each.seconds for each in verdicts)),
        timestamp=now.replace(microsecond=0, tzinfo=None).isoformat(),
        hostname="localhost",
    )
    for each in verdicts:
        _add_case(suite, each)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _add_case(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"scenario.{verdict.name}",
        name=FORMS[verdict.fixed],
        time=_seconds(verdict.seconds),
    )
    reason = _in_xml(verdict.reason)
    if verdict.verdict is Outcome.SKIPPED:
        ET.SubElement(case, "skipped", message=reason)
    elif verdict.verdict is not Outcome.PASS:
        kind = "failure" if verdict.verdict is Outcome.FAIL else "error"
        missing = _lines(each for each in verdict.evidence if not each.shown)
        ET.SubElement(case, kind, message=reason, type=verdict.verdict.value).text = missing or reason
    if verdict.evidence:
        ET.SubElement(case, "system-out").text = _lines(verdict.evidence)


def _lines(evidence: Iterable[Evidence]) -> str:
    return _in_xml("\n".join(f"{each.what}: expected {each.expected}, found {each.found}" for each in evidence))


def _in_xml(text: str) -> str:
    """Without the characters that XML has not (XML 1.0 2.2)."""
    return _NOT_IN_XML.sub("\ufffd", text)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
