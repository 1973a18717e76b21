"""Runs whose cases each have their own expectation: findings, crashes, what is told of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from harness.fuzz.classification import Kind
from harness.fuzz.expectation import Expectation
from harness.fuzz.expecting import AFTERWARDS, Expected, ExpectingRun, Judged
from harness.fuzz.probing import Case, Health, Probe, Trial
from harness.fuzz.run import DONE, FAILED, Run, RunEnded
from harness.screen import ProgressBar
from tests.harness.fuzz.trials import AWAY, DEAD, WELL, FakeProber, Runs, trial


def case(name: str, data: bytes) -> Case:
    """Some bytes."""
    return Case(name, lambda here: Probe(data, trial(Kind.SILENT, data=data).probe.transactions))


def expected(name: str, words: str, topic: str = "topic") -> Expected:
    """A case whose bytes are its name."""
    return Expected(case(name, name.encode()), topic, Expectation.parse(words), f"about {name}")


SMALL = case("small", b"small")
CASES = [
    expected("good", "accepted", "one"),
    expected("bad", "4xx silent", "one"),
    expected("ugly", "accepted", "two"),
]


def endpoint(**becomes: Trial) -> FakeProber:
    """Accepts all but what is named."""
    return FakeProber(lambda data: becomes.get(data.decode(), trial(Kind.ACCEPTED, 200)))


def work_of(
    run: Run, prober: FakeProber, cases: list[Expected] = CASES, follow: list[Judged] | None = None
) -> ExpectingRun:
    """A run of the cases; those that are followed are put down."""
    more = follow.append if follow is not None else None
    return ExpectingRun(run, cases, prober, SMALL, ProgressBar(1), 7, more)  # type: ignore[arg-type]


def printed(work: ExpectingRun) -> str:
    """What a person reads."""
    text = io.StringIO()
    work.print(Console(file=text, width=100))
    return text.getvalue()


def test_all_as_expected(tmp_path: Path) -> None:
    """A refusal that is expected is no finding; a last look comes behind."""
    prober = endpoint(bad=trial(Kind.SILENT, health=WELL))
    with Runs(tmp_path) as runs:
        work = work_of(runs.begin(), prober)
        assert work.carry_out() == DONE
    told = work.summary()
    assert (told["cases"], told["tried"], told["as_expected"], told["probes"], told["crashes"]) == (3, 3, 3, 4, 0)
    assert (told["not_as_expected"], told["findings"], told["seed"]) == ([], [], 7)
    assert told["topics"] == {
        "one": {"cases": 2, "tried": 2, "failed": 0},
        "two": {"cases": 1, "tried": 1, "failed": 0},
    }
    assert told["outcomes"] == {"accepted 200": 2, "silent": 1}
    assert prober.names == ["good", "bad", "ugly", "small"]
    assert "3 of 3 cases as expected" in printed(work)


def test_accepted_by_mistake(tmp_path: Path) -> None:
    """Is a finding too, with its bytes, and with what was expected beside it."""
    followed: list[Judged] = []
    with Runs(tmp_path) as runs:
        work = work_of(runs.begin(), endpoint(), follow=followed)
        assert work.carry_out() == FAILED
    told = work.summary()
    (bad,) = told["not_as_expected"]
    assert (bad["name"], bad["topic"], bad["got"], bad["expected"]) == ("bad", "one", "accepted 200", "4xx silent")
    assert told["findings"] == [bad["finding"]]
    place = Path(bad["finding"])
    assert (place / "sent.bin").read_bytes() == b"bad"
    assert (place / "expected.txt").read_text() == "expected 4xx or silent\nabout bad\n"
    assert [each.expected.case.name for each in followed] == ["bad"]
    assert "bad: accepted 200, expected 4xx or silent" in printed(work)


def test_away_for_a_while(tmp_path: Path) -> None:
    """Silence is expected, and that the target was away is not."""
    with Runs(tmp_path) as runs:
        work = work_of(runs.begin(), endpoint(bad=trial(Kind.SILENT, health=AWAY)))
        assert work.carry_out() == FAILED
    told = work.summary()
    assert [each["name"] for each in told["not_as_expected"]] == ["bad"]
    assert told["crashes"] == 1


def test_dead(tmp_path: Path) -> None:
    """The run ends; what it has is told."""
    with Runs(tmp_path) as runs:
        work = work_of(runs.begin(), endpoint(bad=trial(Kind.CLOSED, health=DEAD)))
        with pytest.raises(RunEnded) as end:
            work.carry_out()
    assert end.value.status == FAILED
    told = work.summary()
    assert (told["tried"], told["target_alive"], told["crashes"]) == (2, False, 1)
    (bad,) = told["not_as_expected"]
    assert (bad["name"], bad["got"], bad["target_alive"]) == ("bad", "closed", False)


@pytest.mark.parametrize("came_back", [WELL, DEAD])
@pytest.mark.parametrize("name", ["bad", "ugly"])
def test_accepted_then_gone(tmp_path: Path, name: str, came_back: Health) -> None:
    """Who is gone when the next case is due was ended by the one before, the last one as well."""
    follower = {"bad": "ugly", "ugly": "small"}[name]
    gone = trial(Kind.REFUSED, health=DEAD, absent=True)
    if came_back is WELL:
        gone = trial(Kind.ACCEPTED, 200, absent=True)
    followed: list[Judged] = []
    cases = [expected(each.case.name, "accepted") for each in CASES]
    with Runs(tmp_path) as runs:
        work = work_of(runs.begin(), endpoint(**{follower: gone}), cases, followed)
        if came_back is WELL:
            assert work.carry_out() == FAILED
        else:
            with pytest.raises(RunEnded):
                work.carry_out()
    told = work.summary()
    (found,) = told["not_as_expected"]
    assert (found["name"], found["got"], found["target_alive"]) == (name, "accepted 200, then gone", False)
    place = Path(found["finding"])
    assert (place / "sent.bin").read_bytes() == name.encode()
    assert (place / "expected.txt").is_file()
    assert [each.expected.case.name for each in followed] == [name] * (came_back is WELL)


def test_resumed(tmp_path: Path) -> None:
    """What the journal has is not sent again, and is judged as it was."""
    with Runs(tmp_path) as runs:
        prober = endpoint()
        prober.becomes = _interrupted_at(b"ugly")
        with pytest.raises(KeyboardInterrupt):
            work_of(runs.begin(), prober).carry_out()
        assert prober.names == ["good", "bad", "ugly"]
        again = endpoint()
        work = work_of(runs.begin(resume=True), again)
        assert work.carry_out() == FAILED
    assert again.names == ["ugly", "small"]
    assert [each["name"] for each in work.summary()["not_as_expected"]] == ["bad"]


def _interrupted_at(data: bytes) -> Callable[[bytes], Trial]:
    def becomes(sent: bytes) -> Trial:
        if sent == data:
            raise KeyboardInterrupt
        return trial(Kind.ACCEPTED, 200)

    return becomes


def test_the_last_look_is_no_case(tmp_path: Path) -> None:
    """It is a probe, and its silence fails the run."""
    with Runs(tmp_path) as runs:
        run = runs.begin()
        work = work_of(run, endpoint(small=trial(Kind.SILENT, health=WELL)), CASES[:1])
        assert work.carry_out() == FAILED
    assert [entry.phase for entry in run.entries] == ["good", AFTERWARDS]
    assert work.summary()["tried"] == 1


def test_who_was_ended_by_a_closer_look_is_not_blamed_on_a_case(tmp_path: Path) -> None:
    """Between a case and the next there may be probes that follow a failure."""
    with Runs(tmp_path) as runs:
        run = runs.begin()

        def follow(judged: Judged) -> None:
            run.attempt("aside", 0, lambda size, number: trial(Kind.ACCEPTED, 200))

        prober = endpoint(ugly=trial(Kind.ACCEPTED, 200, absent=True))
        work = ExpectingRun(run, CASES, prober, SMALL, ProgressBar(1), 7, follow)  # type: ignore[arg-type]
        assert work.carry_out() == FAILED
    assert [each["got"] for each in work.summary()["not_as_expected"]] == ["accepted 200"]
