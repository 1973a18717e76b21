"""Mutants in a run: what failed is made smaller, once, and kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from harness.fuzz.classification import Kind
from harness.fuzz.expecting import ExpectingRun
from harness.fuzz.mutating import Smaller, cases_for
from harness.fuzz.mutation import Mutations
from harness.fuzz.probing import Trial
from harness.fuzz.report import print_crashes
from harness.fuzz.run import DONE, FAILED, Run
from harness.screen import ProgressBar
from tests.harness.fuzz.operators.spoils import BASE, message
from tests.harness.fuzz.trials import AWAY, WELL, FakeProber, Runs, trial

COUNT = 40
GOOD = trial(Kind.ACCEPTED, 200)


def mutate(
    run: Run, prober: FakeProber, most: int = 500, only: tuple[str, ...] = (), count: int = COUNT
) -> ExpectingRun:
    """A run of mutants, not begun."""
    mutations, made = Mutations(BASE, 5, only), message()
    smaller = Smaller(run, prober, mutations, made, most)  # type: ignore[arg-type]
    cases = cases_for(mutations, count, made)
    return ExpectingRun(run, cases, prober, made.small(), ProgressBar(1), 5, smaller)  # type: ignore[arg-type]


def failing(fails: Callable[[bytes], bool], bad: Trial) -> FakeProber:
    """An endpoint that fails on some messages."""
    return FakeProber(lambda data: bad if fails(data) else GOOD)


def kept(place: Path, word: str) -> list[Path]:
    """Directories of findings with that word in their names."""
    return sorted(each for each in (place / "findings").glob("*") if word in each.name)


def test_an_endpoint_that_takes_all(tmp_path: Path) -> None:
    """The message, its mutants, and a last look."""
    prober = failing(lambda data: False, GOOD)
    with Runs(tmp_path, "mutate") as runs:
        work = mutate(runs.begin(), prober)
        assert work.carry_out() == DONE
    assert len(prober.sent) == COUNT + 2
    assert set(work.summary()["topics"]) == {"harmless", "spoilt", "unframed"}


def test_a_failure_is_made_smaller(tmp_path: Path) -> None:
    """To the fields that an answer is made of, and what it fails on; said beside it."""
    prober = failing(lambda data: b"\0" in data, trial(Kind.REJECTED, 500, health=WELL))
    with Runs(tmp_path, "mutate") as runs:
        work = mutate(runs.begin(), prober, only=("encoding", "case", "sdp-less"), count=200)
        assert work.carry_out() == FAILED
    (small,) = kept(tmp_path, "smallest")
    sent = (small / "sent.bin").read_bytes()
    assert b"\0" in sent
    assert len(sent) < 500 < len(BASE.data)
    assert b"v=0" not in sent
    assert "encoding-smallest" in small.name
    assert "made " in (small / "expected.txt").read_text()
    first = kept(tmp_path, "mutant")[0]
    assert "encoding: Bytes that are no text" in (first / "expected.txt").read_text()


def test_each_probe_has_its_own_identity(tmp_path: Path) -> None:
    """Those that make it smaller, too."""
    prober = failing(lambda data: b"\0" in data, trial(Kind.REJECTED, 500, health=WELL))
    with Runs(tmp_path, "mutate") as runs:
        mutate(runs.begin(), prober, only=("encoding",), count=30).carry_out()
    assert len(set(prober.sent)) == len(prober.sent) > 33


@pytest.mark.parametrize("other", [trial(Kind.REJECTED, 500, health=AWAY), trial(Kind.GARBLED, health=WELL)])
def test_another_outcome_is_not_the_same(tmp_path: Path, other: Trial) -> None:
    """A smaller message that fails in another way is not taken for it."""

    def becomes(data: bytes) -> Trial:
        if b"\0" not in data:
            return GOOD
        return trial(Kind.REJECTED, 500, health=WELL) if b"User-Agent" in data else other

    with Runs(tmp_path, "mutate") as runs:
        mutate(runs.begin(), FakeProber(becomes), only=("encoding",), count=30).carry_out()
    for place in kept(tmp_path, "smallest"):
        sent = (place / "sent.bin").read_bytes()
        assert b"User-Agent" in sent or "rejected-500" not in place.name


def test_within_its_questions(tmp_path: Path) -> None:
    """No more probes for one mutant than are allowed."""
    prober = failing(lambda data: b"\0" in data, trial(Kind.REJECTED, 500, health=WELL))
    with Runs(tmp_path, "mutate") as runs:
        mutate(runs.begin(), prober, most=7, only=("encoding",), count=20).carry_out()
    assert sum(name.endswith(" smaller") for name in prober.names) == 7
    assert sum(name.endswith(" smallest") for name in prober.names) == 1


def test_the_same_is_not_explained_again(tmp_path: Path) -> None:
    """One smallest for each outcome and operator, however many mutants fail."""
    prober = failing(lambda data: b"\r\nX-Empty" in data, trial(Kind.SILENT, health=WELL))
    with Runs(tmp_path, "mutate") as runs:
        work = mutate(runs.begin(), prober, only=("unknown", "case", "zeros"), count=60)
        assert work.carry_out() == FAILED
    assert len(work.summary()["not_as_expected"]) > 10
    assert [place.name.split("-", 1)[1] for place in kept(tmp_path, "smallest")] == [
        kept(tmp_path, "smallest")[0].name.split("-", 1)[1]
    ]


def test_accepted_then_gone_is_made_smaller(tmp_path: Path) -> None:
    """Each smaller message is followed by a look at the target."""
    dead: list[bytes] = []

    def becomes(data: bytes) -> Trial:
        gone, prober.afterwards = bool(dead), WELL
        dead.clear()
        if b"\0" in data:
            dead.append(data)
            prober.afterwards = AWAY
        return trial(Kind.ACCEPTED, 200, absent=gone)

    prober = FakeProber(becomes)
    looked = prober.check

    def check() -> object:
        dead.clear()
        return looked()

    prober.check = check  # type: ignore[assignment,method-assign]
    with Runs(tmp_path, "mutate") as runs:
        run = runs.begin()
        work = mutate(run, prober, only=("encoding",), count=20)
        assert work.carry_out() == FAILED
    told = work.summary()
    assert all(each["got"] == "accepted 200, then gone" for each in told["not_as_expected"])
    assert len(told["not_as_expected"]) == told["crashes"] > 1
    text = io.StringIO()
    print_crashes(Console(file=text, width=200), run.entries)
    assert text.getvalue().count("THE TARGET WAS GONE") == told["crashes"], "closer looks are not told of"
    assert "away for a while" not in text.getvalue()
    (small,) = kept(tmp_path, "smallest")
    assert b"v=0" not in (small / "sent.bin").read_bytes()


def test_resumed_while_it_was_made_smaller(tmp_path: Path) -> None:
    """Asks the same again, gets what the journal has, and goes on."""
    bad = trial(Kind.REJECTED, 500, health=WELL)
    whole = failing(lambda data: b"\0" in data, bad)
    with Runs(tmp_path / "whole", "mutate") as runs:
        mutate(runs.begin(), whole, only=("encoding",), count=30).carry_out()

    def becomes(data: bytes) -> Trial:
        if len(cut.sent) == 20:
            raise KeyboardInterrupt
        return bad if b"\0" in data else GOOD

    cut = FakeProber(becomes)
    with Runs(tmp_path / "cut", "mutate") as runs:
        with pytest.raises(KeyboardInterrupt):
            mutate(runs.begin(), cut, only=("encoding",), count=30).carry_out()
        rest = failing(lambda data: b"\0" in data, bad)
        mutate(runs.begin(resume=True), rest, only=("encoding",), count=30).carry_out()
    assert cut.names[:-1] + rest.names == whole.names
