"""Children, and what becomes of them: each ends in verdicts, whatever happens in it, and none is left behind."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from harness.scenarios.needs import Need
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.runner import Job, Runner
from harness.scenarios.scenario import Scenario
from harness.scenarios.strangers import Strangers
from harness.scenarios.verdict import Outcome, Verdict
from tests.harness.scenarios import made_up
from tests.helpers.system import eventually

LIMIT = 20.0
"""Seconds; nothing here takes that long, unless it hangs."""


def run(
    directory: Path, *scenarios: Scenario, forms: tuple[bool, ...] = (False,), limit: float = LIMIT
) -> list[Verdict]:
    """Verdicts of made-up scenarios; each is told as soon as it is known."""
    told: list[Verdict] = []
    runner = Runner(directory, told.append, limit=limit, child=made_up.COMMAND)
    verdicts = runner.run([Job(each, forms) for each in scenarios])
    assert sorted(map(repr, told)) == sorted(map(repr, verdicts))
    return verdicts


def test_both_forms(tmp_path: Path) -> None:
    """Verdict, evidence, and files by scenario and form."""
    verdicts = run(tmp_path, made_up.WORKS, forms=(False, True))
    assert [(each.name, each.fixed, each.verdict) for each in verdicts] == [
        ("works", False, Outcome.PASS),
        ("works", True, Outcome.PASS),
    ]
    assert [each.evidence[0].found for each in verdicts] == ["408 Request Timeout", "200 OK"]
    for form, answer in (("failure", "408 Request Timeout"), ("cure", "200 OK")):
        kept = tmp_path / "works" / form
        assert json.loads((kept / "verdict.json").read_text())["evidence"][0]["found"] == answer
        assert json.loads((kept / "observation.json").read_text())["facts"] == {"answer": answer}
    notes = [(tmp_path / "works" / form / "note.txt").read_text() for form in ("failure", "cure")]
    assert notes[0] != notes[1], "each form has a network of its own"


def test_a_cure_that_does_not_help(tmp_path: Path) -> None:
    """Fails, and says in which sign."""
    (verdict,) = run(tmp_path, made_up.ALWAYS_FAILS, forms=(True,))
    assert (verdict.verdict, verdict.reason) == (
        Outcome.FAIL,
        "answer: expected 200 OK, found 408 Request Timeout",
    )


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        (made_up.RAISES, "ValueError: the stage is not set"),
        (made_up.FORGETS, "ZeroDivisionError: division by zero"),
        (made_up.DIES, "ended without a verdict: Segmentation fault"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_errors(tmp_path: Path, scenario: Scenario, reason: str) -> None:
    """What could not be observed is neither pass nor fail, but an error with its text."""
    (verdict,) = run(tmp_path, scenario)
    assert (verdict.verdict, verdict.reason) == (Outcome.ERROR, reason)


def test_time_is_limited(tmp_path: Path) -> None:
    """An error that says so; the other form is run nevertheless."""
    verdicts = run(tmp_path, made_up.HANGS, forms=(False, True), limit=0.2)
    assert [(each.verdict, each.reason) for each in verdicts] == [
        (Outcome.ERROR, "TimeoutError: not done after 0.2 s")
    ] * 2


def test_what_the_machine_does_not_have(tmp_path: Path) -> None:
    """Skipped with the reason, and nothing is started."""
    verdicts = run(tmp_path, made_up.NEEDY, forms=(False, True))
    assert {(each.verdict, each.reason) for each in verdicts} == {(Outcome.SKIPPED, "there is no moon")}
    assert list(tmp_path.iterdir()) == []


def test_those_that_need_something_alone_wait_for_each_other(tmp_path: Path) -> None:
    """Both run."""
    lab = Need("lab", lambda: "", exclusive=True)
    scenarios = [made_up._scenario(made_up.works, lab), made_up._scenario(made_up.always_fails, lab)]
    assert [each.verdict for each in run(tmp_path, *scenarios)] == [Outcome.PASS] * 2


def test_verdicts_come_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    """Whoever is through first."""
    scenarios = [made_up.HANGS, made_up.WORKS, made_up.RAISES, made_up.ALWAYS_FAILS]
    assert [each.name for each in run(tmp_path, *scenarios, limit=1.0)] == [each.name for each in scenarios]


def test_only_peers_that_are_replaceable_are_handed_on(tmp_path: Path) -> None:
    """With their addresses."""
    peers = {"callee": ("192.0.2.7", 5060), "webex": ("192.0.2.8", 5062)}
    Runner(tmp_path, lambda verdict: None, Strangers(peers), child=made_up.COMMAND).run([Job(made_up.WORKS, (False,))])
    assert (tmp_path / "works/failure/note.txt").read_text().endswith("{'callee': ('192.0.2.7', 5060)}")


def test_what_a_scenario_asks_for_is_told(tmp_path: Path) -> None:
    """By its name; the time that a real peer has does not count against the limit, and nobody waits without one."""
    asked: list[tuple[str, str]] = []
    verdicts = []
    for strangers in (Strangers({"callee": ("127.0.0.1", 9)}, wait=1.5), Strangers()):
        runner = Runner(
            tmp_path,
            lambda verdict: None,
            strangers,
            limit=1.0,
            told=lambda name, text: asked.append((name, text)),
            child=made_up.COMMAND,
        )
        verdicts += runner.run([Job(made_up.ASKS, (False,))])
    assert asked == [("asks", f"callee: call somebody (within {wait} s)") for wait in ("1.5", "0")]
    assert [each.verdict for each in verdicts] == [Outcome.PASS] * 2
    assert verdicts[0].seconds >= 1.5


def test_a_real_peer_takes_part_in_one_scenario_at_a_time(tmp_path: Path) -> None:
    """It may be busy for another: the second one asks when there is a verdict on the first."""
    happened: list[str] = []
    runner = Runner(
        tmp_path,
        lambda verdict: happened.append("verdict"),
        Strangers({"callee": ("127.0.0.1", 9)}, wait=0.5),
        told=lambda name, text: happened.append("asked"),
        child=made_up.COMMAND,
    )
    runner.run([Job(made_up.ASKS, (False,))] * 2)
    assert happened == ["asked", "verdict"] * 2


def test_a_named_network_is_used_for_both_forms(tmp_path: Path) -> None:
    """One behind the other."""
    runner = Runner(tmp_path, lambda verdict: None, Strangers(network="127.99.5"), child=made_up.COMMAND)
    verdicts = runner.run([Job(made_up.WORKS, (False, True)), Job(made_up.ALWAYS_FAILS, (False,))])
    assert [each.verdict for each in verdicts] == [Outcome.PASS] * 3
    notes = [(tmp_path / "works" / form / "note.txt").read_text().split()[0] for form in ("failure", "cure")]
    assert notes == ["127.99.5.2"] * 2


def test_ports_are_free_for_the_second_form(tmp_path: Path) -> None:
    """Of a scenario that listens on ports that are always the same, in a network that is."""
    runner = Runner(tmp_path, lambda verdict: None, Strangers(network="127.99.4"))
    verdicts = runner.run([Job(SCENARIOS["unknown-method-dropped"], (False, True))])
    assert [(each.verdict, each.reason) for each in verdicts] == [(Outcome.PASS, "all 3 signs are there")] * 2


@pytest.mark.parametrize("scenario", [made_up.HANGS, made_up.RESISTS, made_up.SHRUGS], ids=lambda each: each.name)
def test_stopping_ends_all_children(tmp_path: Path, scenario: Scenario) -> None:
    """None is left, asked or killed, nor what it started; no other begins, and whoever waits for verdicts gets none."""
    runner = Runner(tmp_path, lambda verdict: None, limit=LIMIT, at_a_time=1, child=made_up.COMMAND)
    verdicts: list[list[Verdict]] = []
    jobs = [Job(scenario, (False,)), Job(made_up.WORKS, (False,))]
    thread = threading.Thread(target=lambda: verdicts.append(runner.run(jobs)))
    thread.start()
    kept = tmp_path / scenario.name / "failure"
    eventually("a child that hangs", lambda: (kept / "pids.txt").exists() and (kept / "pids.txt").read_text() != "")
    pids = [int(pid) for pid in (kept / "pids.txt").read_text().split()]
    runner.stop()
    thread.join(LIMIT)
    assert verdicts == [[]]
    eventually("all of them are gone", lambda: not any(alive(pid) for pid in pids))
    assert (kept / "cleaned.txt").exists() == (scenario is made_up.HANGS)
    assert json.loads((kept / "verdict.json").read_text())["reason"] == "cut short"
    assert not (tmp_path / "works").exists()


def alive(pid: int) -> bool:
    """Whether a process is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_network_that_somebody_else_has_taken(tmp_path: Path) -> None:
    """Between the command's look at it and the run: an error of each form, that says so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.99.3.254", 5060))
        runner = Runner(tmp_path, lambda verdict: None, Strangers(network="127.99.3"), child=made_up.COMMAND)
        verdicts = runner.run([Job(made_up.WORKS, (False, True))])
    assert [(each.verdict, each.reason) for each in verdicts] == [
        (Outcome.ERROR, "no network: 127.99.3.254: Address already in use")
    ] * 2
