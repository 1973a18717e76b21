"""The difference that the ALG made to one message: changed lines with their rules, gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alg.trace import MessageRecord, Record

Piece = tuple[str, bool]
"""Text, and whether it changed."""

_ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that did not change."""

    lines: int


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line before and after."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    rules: tuple[str, ...]
    """In the order of the line, each once."""


def diff(record: MessageRecord) -> Iterator[Gap | ChangedLine]:
    """All lines of a message in order, as changed lines and gaps."""
    start = unchanged = 0
    remaining = list(record.rewrites)
    for line in record.before.splitlines(keepends=True):
        stop = start + len(line)
        rewrites = []
        while remaining and remaining[0].span[0] < stop:
            rewrites.append(remaining.pop(0))
        if not rewrites:
            unchanged += 1
        else:
            if unchanged:
                yield Gap(unchanged)
            unchanged = 0
            yield _changed_line(record.before, start, start + len(line.rstrip(b"\r\n")), rewrites)
        start = stop
    if unchanged:
        yield Gap(unchanged)


def _changed_line(data: bytes, start: int, stop: int, rewrites: list[Record]) -> ChangedLine:
    before: list[Piece] = []
    after: list[Piece] = []
    position = start
    for rewrite in rewrites:
        same = _text(data[position : rewrite.span[0]]), False
        before += [same, (_text(rewrite.before), True)]
        after += [same, (_text(rewrite.after), True)]
        position = rewrite.span[1]
    rest = _text(data[position:stop]), False
    rules = tuple(dict.fromkeys(rewrite.rule for rewrite in rewrites))
    return ChangedLine((*before, rest), (*after, rest), rules)


def _text(data: bytes) -> str:
    """Printable text; control characters would move the cursor."""
    text = data.decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def fit(line: ChangedLine, width: int) -> ChangedLine:
    """The line with its unchanged stretches elided so far that it fits into `width` columns, if it can."""
    fitted = line
    for kept in range(5 * width, 3, -1):
        fitted = ChangedLine(_elide(line.before, kept), _elide(line.after, kept), line.rules)
        if max(sum(len(text) for text, _ in pieces) for pieces in (fitted.before, fitted.after)) <= width:
            break
    return fitted


def _elide(pieces: tuple[Piece, ...], kept: int) -> tuple[Piece, ...]:
    """At most `kept` characters of each unchanged piece, most of them next to a change that comes after it."""
    heads = {0: kept // 2, len(pieces) - 1: kept // 5}
    out = []
    for number, (text, changed) in enumerate(pieces):
        head = heads.get(number, kept // 3)
        tail = 0 if number == len(pieces) - 1 else kept - head
        elide = not changed and len(text) > head + tail + len(_ELLIPSIS)
        out.append((text[:head] + _ELLIPSIS + text[len(text) - tail :] if elide else text, changed))
    return tuple(out)


def elide_text(text: str, width: int) -> str:
    """A line of plain text, its middle left out if it is longer than `width`."""
    if len(text) <= width:
        return text
    head = (width - len(_ELLIPSIS)) // 2
    return text[:head] + _ELLIPSIS + text[len(text) - (width - len(_ELLIPSIS) - head) :]


def plain_diff(record: MessageRecord) -> str:
    """The difference as text: whole lines, the rules behind each change on a line of their own above it."""
    lines = []
    for entry in diff(record):
        if isinstance(entry, Gap):
            lines.append(gap_text(entry))
        else:
            lines.append(f"@ {', '.join(entry.rules)}")
            lines += [
                sign + "".join(text for text, _ in pieces) for sign, pieces in (("-", entry.before), ("+", entry.after))
            ]
    return "\n".join(lines) + "\n"


def gap_text(gap: Gap) -> str:
    """`... 3 lines unchanged`"""
    return f"{_ELLIPSIS} {gap.lines} line{'s' if gap.lines > 1 else ''} unchanged"
