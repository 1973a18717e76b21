"""What a person reads at the end."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.fuzz import report
from harness.fuzz.journal import Entry
from harness.fuzz.search import Found


def entry(size: int, kind: str = "accepted", status: int | None = None, **more: object) -> Entry:
    """A probe of that size."""
    return Entry(1, f"size {size}", kind, 1.0, 0.01, size, size, "endpoint", status, **more)


ENTRIES = [entry(300, status=200), entry(30_000, "closed", finding="f/2"), entry(3000, "closed", finding="f/1")]


def console() -> tuple[Console, io.StringIO]:
    """A console and what it prints."""
    out = io.StringIO()
    return Console(file=out, width=80, highlight=False, markup=False, emoji=False), out


def test_the_plot_shows_each_class_at_its_sizes() -> None:
    """A row for each, a mark for each probe, on a logarithmic axis."""
    lines = report.plot(ENTRIES, 60)
    assert [line.split()[0] for line in lines] == ["accepted", "closed", "300"]
    assert lines[2].endswith("30000 bytes")
    marks = [[column for column, sign in enumerate(line) if sign == "#"] for line in lines[:2]]
    left, right = marks[0][0], marks[1][-1]
    assert right == len(lines[1]) - 1
    assert marks[1][0] == left + round((right - left) / 2)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("entries", [[], [entry(300)], [entry(0), entry(0, "closed")]])
def test_little_to_plot(entries: list[Entry]) -> None:
    """Nothing, one size, no size at all."""
    assert len(report.plot(entries, 60)) == (len({each.kind for each in entries}) + 1 if entries else 0)


def test_the_result() -> None:
    """Limit, class, and whether it can be trusted."""
    to, out = console()
    report.print_found(to, "endpoint: x", Found(300, 3000, True, ()), ENTRIES)
    text = " ".join(out.getvalue().split())
    assert "largest accepted 300 bytes" in text
    assert "smallest refused 3000 bytes: closed" in text
    assert "monotonic yes" in text
    assert "closed 2 3000-30000 0.010-0.010" in text


def test_contradictions_are_loud() -> None:
    """With the sizes."""
    to, out = console()
    report.print_found(to, "endpoint: x", Found(30_000, 3000, False, ("30000 bytes although 3000",)), ENTRIES)
    assert "NO: 30000 bytes although 3000" in " ".join(out.getvalue().split())


def test_crashes_are_the_loudest() -> None:
    """What it did not survive, what it was away after, and what was there before it was gone."""
    to, out = console()
    report.print_crashes(
        to,
        [
            entry(500, "closed", alive=False),
            entry(600, "closed", tries=2),
            entry(700, "closed", tries=1),
            entry(800, blamed="f/3"),
        ],
    )
    assert out.getvalue().splitlines() == [
        "AFTER size 500 (closed) THE TARGET DOES NOT ANSWER",
        "after size 600 (closed) the target was away for a while: did it crash?",
        "AFTER size 700 (closed) THE TARGET WAS GONE: f/3",
    ]


def test_findings_are_listed_with_their_command() -> None:
    """The smallest first, not too many."""
    to, out = console()
    report.print_findings(to, ENTRIES, "sipalg fuzz replay")
    assert out.getvalue().splitlines() == ["2 findings", "  sipalg fuzz replay f/1", "  sipalg fuzz replay f/2"]
    to, out = console()
    report.print_findings(to, [entry(size, "closed", finding=f"f/{size}") for size in range(30)], "replay")
    assert len(out.getvalue().splitlines()) == 12
    assert "20 more" in out.getvalue()


@pytest.mark.parametrize(
    ("accepted", "refused", "said"),
    [
        (None, None, "nothing is known yet"),
        (5, None, "5 is accepted"),
        (None, 9, "9 is refused"),
        (5, 9, "the limit is between 5 and 9"),
    ],
)
def test_the_bracket(accepted: int | None, refused: int | None, said: str) -> None:
    """What the progress bar says is known."""
    assert report.bracket(accepted, refused) == said
