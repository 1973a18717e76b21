"""What a person reads: the topology, the difference, the totals, and what fails without L4F."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alg.direction import Direction
from alg.trace import MessageRecord
from harness.demo.diff import ChangedLine, Gap, Piece, diff, elide_text, fit, gap_text
from harness.demo.stage import Call, Watcher
from harness.demo.topology import CALLEE, CALLEE_INSIDE, CALLER, CALLER_OUTSIDE
from harness.demo.verdict import Consequence

PLAIN_WIDTH = 80
"""Columns where the output is no terminal."""
_RULES_WIDTH = 19
_STYLES = {"-": "red", "+": "green"}


class Report:
    """Prints one section after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def topology(self) -> None:
        """Who stands where."""
        self._line(f"caller {CALLER} -- [ {CALLEE_INSIDE}  ALG  {CALLER_OUTSIDE} ] -- callee {CALLEE}")
        self._line(f"No route to {CALLEE} from inside, none to {CALLER} from outside.")

    def difference(self, record: MessageRecord) -> None:
        """What one message looked like before and after, and why."""
        sizes = f"{len(record.before)} -> {len(record.after)} bytes"
        self._heading(f"{record.summary.title}, inside (-) and outside (+): {sizes}")
        for entry in diff(record):
            if isinstance(entry, Gap):
                self._line(f"  {gap_text(entry)}", "dim")
            else:
                self._changed(entry)

    def _changed(self, line: ChangedLine) -> None:
        width = self._console.width - _RULES_WIDTH - 4
        fitted = fit(line, width)
        rules = _wrapped(line.rules)
        self._line(_diff_line("-", fitted.before))
        after = _diff_line("+", fitted.after)
        after.pad_right(max(0, width + 4 - len(after)))
        self._console.print(after + Text(rules[0], "cyan"), overflow="fold")
        for rule in rules[1:]:
            self._line(" " * (width + 4) + rule, "cyan")

    def totals(self, watcher: Watcher) -> None:
        """Messages, rewrites by rule, media and doors."""
        self._heading("Totals with the ALG")
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("")
        for direction in Direction:
            table.add_column(direction.label, justify="right")
        by_way = {way: [each for each in watcher.messages if each.direction is way] for way in Direction}
        rules = {
            way: Counter(rewrite.rule for record in records for rewrite in record.rewrites)
            for way, records in by_way.items()
        }
        rows = {"messages": [len(by_way[way]) for way in Direction]}
        rows["rewrites"] = [rules[way].total() for way in Direction]
        for rule in dict.fromkeys(rule for way in Direction for rule in rules[way]):
            rows[f"  {rule}"] = [rules[way][rule] for way in Direction]
        rows["bytes grown"] = [sum(record.growth for record in by_way[way]) for way in Direction]
        for kind in ("RTP", "RTCP"):
            rows[f"{kind} packets relayed"] = [watcher.relayed[kind, way] for way in Direction]
        for name, counts in rows.items():
            table.add_row(name, *(f"{count:+d}" if name == "bytes grown" else str(count) for count in counts))
        self._console.print(table)
        self._line(f"media doors: {watcher.doors['opened']} opened, {watcher.doors['closed']} closed")

    def without_l4f(self, call: Call, found: list[Consequence]) -> None:
        """What fails when the ALG does not look into the connection."""
        invite = call.callee.received[0] if call.callee.received else b""
        same = "as it was sent" if invite in call.caller.sent else "changed"
        self._heading("The same call with L4F off")
        self._line(f"The INVITE arrives {same}: {len(invite)} bytes.")
        width = self._console.width
        for entry in found:
            self._line(elide_text(f"- {entry.what}: {entry.why}", width))
            if entry.source:
                self._line(elide_text(f"    {entry.source}", width), "dim")

    def closing(self, found: list[Consequence], directory: str | None) -> None:
        """The last word."""
        self._heading(f"With the ALG the call is complete. With L4F off {len(found)} things fail.")
        if directory is not None:
            self._console.print(Text(f"Messages, events and differences are in {directory}"), soft_wrap=True)

    def _heading(self, text: str) -> None:
        self._line("")
        self._line(text, "bold")

    def _line(self, line: str | Text, style: str = "") -> None:
        self._console.print(line if isinstance(line, Text) else Text(line, style))


def _diff_line(sign: str, pieces: tuple[Piece, ...]) -> Text:
    style = _STYLES[sign]
    line = Text(f"{sign} ", style)
    for text, changed in pieces:
        line.append(text, f"bold underline {style}" if changed else style)
    return line


def _wrapped(rules: tuple[str, ...]) -> list[str]:
    """Rules in as few lines of their column as they need."""
    lines = [rules[0]]
    for rule in rules[1:]:
        if len(lines[-1]) + 2 + len(rule) <= _RULES_WIDTH:
            lines[-1] += f", {rule}"
        else:
            lines.append(rule)
    return lines
