"""`sipalg scenario` at the command line: lists, explanations, wrong usage, verdicts, and the end by a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.cli import main
from harness.scenarios.registry import SCENARIOS
from tests.edge.sockets import free_port_pair
from tests.helpers.system import PATIENCE, eventually, run_sipalg, sipalg_command, sipalg_environment


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Every scenario with its title."""
    assert main(["scenario", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines[1:] if not line.startswith(" ")]
    assert listed == list(SCENARIOS)


def test_list_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """With what can be replaced."""
    assert main(["scenario", "list", "--json"]) == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert list(listed) == list(SCENARIOS)
    assert listed["inspection-ends-handshake"]["label"] == "T4"
    assert listed["l4f-off"]["peers"] == ["caller", "callee"]


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    """By name and by label the same."""
    assert main(["scenario", "show", "T4"]) == 0
    text = capsys.readouterr().out
    assert main(["scenario", "show", "inspection-ends-handshake"]) == 0
    assert capsys.readouterr().out == text
    assert "How to recognise it" in text


def test_show_all_placements(capsys: pytest.CaptureFixture[str]) -> None:
    """A label without its placement shows one after the other."""
    texts = []
    for label in ("B2-inbound", "B2-early", "B2-delayed", "B2"):
        assert main(["scenario", "show", label]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[3] == "\n".join(texts[:3])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run"], "sipalg scenario run: give NAMEs, or --all, and not both"),
        (["run", "T1", "--all"], "sipalg scenario run: give NAMEs, or --all, and not both"),
        (["show", "T99"], "sipalg: no scenario 'T99'; `sipalg scenario list` has their names and labels"),
        (["run", "T1", "no-such"], "sipalg: no scenario 'no-such'; `sipalg scenario list` has their names and labels"),
        (["run", "T1", "--peer", "webex"], "sipalg: --peer webex: not NAME=HOST:PORT"),
        (["run", "T1", "--peer", "webex=127.0.0.1"], "sipalg: --peer webex: '127.0.0.1' is not HOST:PORT"),
        (
            ["run", "T1", "--peer", "callee=127.0.0.1:5060"],
            "sipalg: --peer callee: no such part in webex-ca-not-trusted; those that there are: expressway-e, webex",
        ),
        (
            ["run", "O1", "l4f-off", "--peer", "cucm=127.0.0.1:5060"],
            "sipalg: --peer cucm: no such part in l4f-off; those that there are: caller, callee",
        ),
        (
            ["run", "T1", "--peer", "webex=127.0.0.1:5062"],
            "sipalg: --peer webex: speaks TLS in webex-ca-not-trusted, and has to know certificates before; give "
            "--certs DIR, which `sipalg certs make DIR` writes",
        ),
        (["run", "T1", "--wait", "inf"], "sipalg: --wait inf: not between 0 and 86400 seconds"),
        (["run", "T1", "--wait", "nan"], "sipalg: --wait nan: not between 0 and 86400 seconds"),
        (["run", "T1", "--wait", "0"], "sipalg: --wait 0: not between 0 and 86400 seconds"),
        (["run", "T1", "--out", "/dev/null"], "sipalg: --out /dev/null: File exists"),
        (["run", "T1", "--junit", "/dev/null/f.xml"], "sipalg: --junit /dev/null/f.xml: Not a directory"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str) -> None:
    """Status 2 and one line that says what is wrong and where; nothing is run."""
    assert main(["scenario", *arguments]) == 2
    assert capsys.readouterr() == ("", complaint + "\n")


def test_a_run_that_does_not_begin_leaves_no_report(tmp_path: Path) -> None:
    """Who reads reports sees that there is none, and not one with nothing in it."""
    report, kept = tmp_path / "new.xml", tmp_path / "old.xml"
    kept.write_text("<testsuites/>")
    for file in (report, kept):
        assert main(["scenario", "run", "T1", "--junit", str(file), "--out", "/dev/null"]) == 2
    assert not report.exists()
    assert kept.read_text() == "<testsuites/>"


def test_one_scenario_for_people(tmp_path: Path) -> None:
    """Every sign, the verdict, and files; in the form that was asked for and no other."""
    done = run_sipalg("scenario", "run", "T4", "--fixed", "--out", str(tmp_path))
    out = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert out.startswith("inspection-ends-handshake, cure\n  + TCP connection: stands\n")
    assert out.endswith(" signs are there\n")
    assert [path.name for path in tmp_path.iterdir()] == ["inspection-ends-handshake"]
    kept = tmp_path / "inspection-ends-handshake"
    assert [path.name for path in kept.iterdir()] == ["cure"]
    files = {path.name for path in (kept / "cure").iterdir()}
    assert files == {"capture.pcapng", "expressway-e.log", "observation.json", "verdict.json", "webex.log"}


def test_all_placements(capfd: pytest.CaptureFixture[str]) -> None:
    """A label without its placement runs each of them once, in the form that was asked for."""
    assert main(["scenario", "run", "B1", "b1-inbound", "--json"]) == 0
    assert [(each["name"], each["fixed"]) for each in json.loads(capfd.readouterr().out)] == [
        ("no-common-codec-early-offer", False),
        ("no-common-codec-delayed-offer", False),
        ("no-common-codec-inbound", False),
    ]


def test_files_of_an_earlier_run(tmp_path: Path) -> None:
    """They are replaced, those of another run are not touched; before what is somebody else's nothing is run."""
    arguments = ("scenario", "run", "T4", "--fixed", "--out", str(tmp_path))
    kept, other = tmp_path / "inspection-ends-handshake" / "cure", tmp_path / "inspection-ends-handshake" / "failure"
    assert run_sipalg(*arguments).returncode == 0
    for place in (kept, other):
        place.mkdir(exist_ok=True)
        (place / "stale.log").write_text("old")
    assert run_sipalg(*arguments).returncode == 0
    assert (kept / "verdict.json").exists()
    assert not (kept / "stale.log").exists()
    assert (other / "stale.log").exists()
    (kept / "verdict.json").write_text("mine")
    done = run_sipalg(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"sipalg: --out {kept}: has capture.pcapng, but not from an earlier run\n"
    assert (kept / "verdict.json").read_text() == "mine"


def test_a_verdict_that_failed() -> None:
    """A callee that nobody is: the cure does not help, and the status says so."""
    nobody = free_port_pair("127.0.78.9")
    done = run_sipalg("scenario", "run", "l4f-off", "--fixed", "--peer", f"callee=127.0.78.9:{nobody}", "--json")
    (verdict,) = json.loads(done.stdout)
    assert (done.returncode, verdict["verdict"]) == (1, "fail")
    assert verdict["reason"].startswith(
        "answer to INVITE: expected 200 OK, found none: the other end cannot be reached"
    )
    assert {each["found"] for each in verdict["evidence"] if each["what"] == "audio RTP at the caller"} == {"not there"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_the_end_by_a_signal(number: signal.Signals) -> None:
    """Status 3, the verdicts so far, and no process is left."""
    with subprocess.Popen(
        sipalg_command("scenario", "run", "--all", "--json"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=sipalg_environment(),
    ) as process:
        try:
            eventually("two children", lambda: len(children(process.pid)) >= 2)
            started = children(process.pid)
            process.send_signal(number)
            out, errors = process.communicate(timeout=2 * PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, errors) == (3, b"")
    assert {each["verdict"] for each in json.loads(out)} <= {"pass"}
    time.sleep(0.1)
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def test_a_hang_up_that_is_ignored() -> None:
    """As nohup has it: the run goes on to its end."""
    with subprocess.Popen(
        ["nohup", *sipalg_command("scenario", "run", "l4f-off", "--json")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=sipalg_environment(),
    ) as process:
        try:
            eventually("a child", lambda: bool(children(process.pid)))
            process.send_signal(signal.SIGHUP)
            out, _ = process.communicate(timeout=2 * PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, [each["verdict"] for each in json.loads(out)]) == (0, ["pass"])


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir() if Path(f"/proc/{pid}").exists() else ()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
