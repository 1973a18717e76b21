"""What a person sees behind a run: a table, and a plot of outcome against size."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.fuzz.journal import ASIDE, Entry
from harness.fuzz.search import Found

_MOST_FINDINGS = 10
"""Lines that findings may take."""


def bracket(accepted: int | None, refused: int | None) -> str:
    """What is known of a limit so far."""
    if refused is None:
        return f"{accepted} is accepted" if accepted is not None else "nothing is known yet"
    return f"the limit is between {accepted} and {refused}" if accepted is not None else f"{refused} is refused"


def print_found(console: Console, title: str, found: Found, entries: Sequence[Entry]) -> None:
    """The result of one search, the classes that came up, and where."""
    console.print(Text(title, "bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("largest accepted", _bytes(found.largest_accepted))
    table.add_row("smallest refused", _bytes(found.smallest_refused, _labels(found.smallest_refused, entries)))
    table.add_row("monotonic", "yes" if found.monotonic else f"NO: {'; '.join(found.contradictions)}")
    console.print(table)
    console.print()
    print_classes(console, entries)
    for line in plot(entries, console.width):
        console.print(Text(line))


def print_classes(console: Console, entries: Sequence[Entry]) -> None:
    """How often each class came up, with its sizes and its times."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("class", "probes", "sizes", "seconds", "said"):
        table.add_column(name, justify="left" if name in ("class", "said") else "right")
    for label, count in Counter(entry.label for entry in entries).most_common():
        those = [entry for entry in entries if entry.label == label]
        sizes = [entry.arrived for entry in those]
        seconds = [entry.seconds for entry in those]
        said = Counter(entry.detail for entry in those).most_common(1)[0][0]
        table.add_row(
            label,
            str(count),
            _range(min(sizes), max(sizes)),
            f"{min(seconds):.3f}-{max(seconds):.3f}",
            said,
        )
    console.print(table)
    console.print()


def print_crashes(console: Console, entries: Sequence[Entry]) -> None:
    """What the target did not survive, or did not take well: the loudest of findings."""
    before = ""
    for entry in entries:
        if entry.blamed:
            text = f"AFTER {before} THE TARGET WAS GONE: {entry.blamed}"
            console.print(Text(text, "bold red"), soft_wrap=True)
        before = f"{entry.name} ({entry.label})"
        if entry.alive and entry.phase.startswith(ASIDE):
            continue
        if not entry.alive:
            console.print(Text(f"AFTER {before} THE TARGET DOES NOT ANSWER", "bold red"))
        elif entry.tries > 1:
            console.print(Text(f"after {before} the target was away for a while: did it crash?", "red"))


def print_findings(console: Console, entries: Sequence[Entry], command: str, options: str = "") -> None:
    """Where the cases are, and the `command` with `options` that sends each again: crashes first, then the smallest."""
    found = sorted((entry for entry in entries if entry.finding), key=lambda entry: (entry.alive, entry.size))
    places = [entry.finding for entry in found]
    if not places:
        return
    console.print(Text(f"{len(places)} finding{'s' * (len(places) > 1)}", "bold"))
    for place in places[:_MOST_FINDINGS]:
        console.print(Text(f"  {command} {shlex.quote(place)} {options}".rstrip()), soft_wrap=True)
    if len(places) > _MOST_FINDINGS:
        console.print(f"  ... and {len(places) - _MOST_FINDINGS} more beside them")


def plot(entries: Sequence[Entry], width: int) -> list[str]:
    """Outcome against size: a row for each class, a mark for each size, on a logarithmic axis of so many columns."""
    if not entries:
        return []
    labels = list(dict.fromkeys(entry.label for entry in sorted(entries, key=lambda entry: entry.arrived)))
    margin = max(map(len, labels)) + 2
    columns = max(10, width - margin - 1)
    low = math.log(min(entry.arrived for entry in entries) or 1)
    high = math.log(max(entry.arrived for entry in entries) or 1)
    span = (high - low) or 1.0
    lines = []
    for label in labels:
        row = [" "] * columns
        for entry in entries:
            if entry.label == label:
                row[round((math.log(entry.arrived or 1) - low) / span * (columns - 1))] = "#"
        lines.append(f"{label:<{margin}}{''.join(row)}".rstrip())
    left, right = str(round(math.exp(low))), f"{round(math.exp(high))} bytes"
    return [*lines, " " * margin + left + " " * max(1, columns - len(left) - len(right)) + right]


def _labels(size: int | None, entries: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(entry.label for entry in entries if entry.size == size and not entry.accepted))


def _bytes(size: int | None, more: str = "") -> str:
    if size is None:
        return "none"
    return f"{size} bytes" + (f": {more}" if more else "")


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
