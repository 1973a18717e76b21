"""Runs: what is asked, what is written, how they end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.classification import Kind
from harness.fuzz.exchange import Transaction
from harness.fuzz.findings import FindingFiles
from harness.fuzz.journal import Beginning, Journal
from harness.fuzz.probing import Clock, Health, Manner, Outcome, Probe, Trial
from harness.fuzz.run import CUT_SHORT, FAILED, Keeping, Run, RunEnded, found_of, summary
from harness.fuzz.search import Found, Search, bisect, step
from harness.fuzz.target import Target
from harness.screen import ProgressBar

LIMIT = 5000
SETTINGS = {"to": "127.0.0.1:9"}
TRANSACTION = Transaction(b"", b"", b"", b"x")


def trial(size: int, kind: Kind, alive: bool = True, absent: bool = False) -> Trial:
    """What came of a probe."""
    outcome = Outcome(kind, None, "", bytes(size), (), (0.0,), (), 0.01)
    health = None if kind is Kind.ACCEPTED else Health(alive, 1, "")
    return Trial(f"size {size}", Probe(bytes(size), (TRANSACTION,)), outcome, health, absent)


class Endpoint:
    """Takes LIMIT bytes; can be told to die or to be interrupted at its n-th probe."""

    def __init__(self, dies_at: int = 0, interrupted_at: int = 0, absent_at: int = 0) -> None:
        self.asked: list[int] = []
        self._dies_at, self._interrupted_at, self._absent_at = dies_at, interrupted_at, absent_at

    def __call__(self, size: int, number: int) -> Trial:
        """One probe."""
        if number == self._interrupted_at:
            raise KeyboardInterrupt
        self.asked.append(size)
        kind = Kind.ACCEPTED if size <= LIMIT and number != self._dies_at else Kind.CLOSED
        return trial(size, kind, number != self._dies_at, number == self._absent_at)


class Runs:
    """Runs in a directory, one after the other; time passes a second a look."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._now = iter(range(1000))
        self.open: list[Journal] = []

    def run(self, resume: bool = False, most: int = 100) -> Run:
        """A run, new or resumed."""
        if resume:
            journal = Journal.resume(self.directory, "size", None, SETTINGS)
        else:
            journal = Journal.create(self.directory, Beginning("size", 1, SETTINGS))
        self.open.append(journal)
        files = FindingFiles(self.directory / "findings", Target(("127.0.0.1", 9), "x"), Manner())
        clock = Clock(lambda: float(next(self._now)), lambda seconds: None)
        return Run(Keeping(journal, files, lambda: b"small"), clock, most, ProgressBar(10))


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """In a directory of this test's own."""
    made = Runs(tmp_path)
    yield made
    for journal in made.open:
        journal.close()


def search() -> Search:
    """The same one every time."""
    return bisect(300, 70_000, random.Random(1))


def test_a_search_is_carried_through(runs: Runs) -> None:
    """What `--json` says of it."""
    endpoint = Endpoint()
    run = runs.run()
    assert run.search("endpoint", search(), endpoint) == Found(LIMIT, LIMIT + 1, True, ())
    said = summary(run, "endpoint", 1)
    assert list(said) == [
        *("largest_accepted", "smallest_refused", "refusal", "monotonic", "probes", "seconds", "seed"),
        *("findings", "target_alive"),
    ]
    assert (said["largest_accepted"], said["smallest_refused"], said["refusal"]) == (LIMIT, LIMIT + 1, "closed")
    assert (said["monotonic"], said["probes"], said["seed"], said["target_alive"]) == (
        True,
        len(endpoint.asked),
        1,
        True,
    )
    assert len(said["findings"]) == sum(size > LIMIT for size in endpoint.asked)
    assert all((Path(place) / "sent.bin").is_file() for place in said["findings"])


@pytest.mark.parametrize("number", [1, 2, 7, 20])
def test_an_interrupted_run_goes_on(runs: Runs, number: int) -> None:
    """What is in the journal is not asked again, and the result is that of a run in one go."""
    first, second, whole = Endpoint(interrupted_at=number), Endpoint(), Endpoint()
    with pytest.raises(KeyboardInterrupt):
        runs.run().search("endpoint", search(), first)
    resumed = runs.run(resume=True)
    found = resumed.search("endpoint", search(), second)
    other = Runs(runs.directory / "whole")
    assert found == other.run().search("endpoint", search(), whole)
    other.open[0].close()
    assert first.asked + second.asked == whole.asked
    assert len(resumed.entries) == len(whole.asked)
    assert len(first.asked) == number - 1


def test_time_goes_on_too(runs: Runs) -> None:
    """The seconds of both parts, not those between them."""
    with pytest.raises(KeyboardInterrupt):
        runs.run().search("endpoint", search(), Endpoint(interrupted_at=10))
    for _ in range(500):
        next(runs._now)
    resumed = runs.run(resume=True)
    resumed.search("endpoint", search(), Endpoint())
    assert 20 < resumed.seconds < 100


def test_a_journal_of_other_sizes(runs: Runs) -> None:
    """Not taken for answers to what was not asked."""
    with pytest.raises(KeyboardInterrupt):
        runs.run().search("endpoint", search(), Endpoint(interrupted_at=5))
    with pytest.raises(ConfigError, match=r"^--resume: the journal has size 300 where this run asks for 299 bytes"):
        runs.run(resume=True).search("endpoint", bisect(299, 70_000, random.Random(1)), Endpoint())


def test_a_crash_ends_the_run(runs: Runs) -> None:
    """Status 1; what is known is told all the same, and the run can go on when the target has been started again."""
    run = runs.run()
    with pytest.raises(RunEnded, match="does not answer") as ended:
        run.search("endpoint", search(), Endpoint(dies_at=3))
    assert ended.value.status == FAILED
    said = summary(run, "endpoint", 1)
    assert (said["target_alive"], said["probes"], said["refusal"]) == (False, 3, "closed")
    assert found_of(run, "endpoint").largest_accepted == 300
    resumed = runs.run(resume=True)
    resumed.search("endpoint", search(), Endpoint())
    assert resumed.alive


def test_the_probe_before_is_blamed(runs: Runs) -> None:
    """An accepted message after which the target was gone is a finding."""
    run = runs.run()
    run.search("endpoint", step(100, 400, 100), Endpoint(absent_at=3))
    (place,) = run.findings
    assert place.endswith("0002-size-200-accepted-gone")
    assert run.entries[2].blamed == place


def test_probes_are_bounded(runs: Runs) -> None:
    """Cut short, status 3, resumable with more."""
    run = runs.run(most=5)
    with pytest.raises(RunEnded, match="5 probes were not enough: allow more with --max-probes") as ended:
        run.search("endpoint", search(), Endpoint())
    assert ended.value.status == CUT_SHORT
    assert len(run.entries) == 5
    assert runs.run(resume=True).search("endpoint", search(), Endpoint()).largest_accepted == LIMIT


def test_searches_are_kept_apart(runs: Runs) -> None:
    """Two phases in one journal."""
    run = runs.run()
    run.search("one", step(4900, 5100, 100), Endpoint())
    run.search("two", step(4000, 4200, 100), Endpoint())
    assert (len(run.of("one")), len(run.of("two"))) == (3, 3)
    assert found_of(run, "two").smallest_refused is None
    assert summary(run, "two", 1)["refusal"] is None
