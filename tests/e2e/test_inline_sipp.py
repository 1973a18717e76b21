"""SIPp calls SIPp through `sipalg inline`: thousands of calls over one connection, hundreds with one each, none fails.

Strategy: that no call fails proves transport, framing and Content-Length; the callee's scenario answers whatever it is
sent, so the addresses are judged in the other tests.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from tests.e2e.inline_lab import INSIDE, OUTSIDE, InlineLab, inline_lab
from tests.helpers.system import eventually, require_system

SCENARIO = resources.files("harness.bench") / "uas.xml"


@pytest.fixture(scope="module")
def lab() -> Iterator[InlineLab]:
    """A lab whose router is the ALG."""
    require_system("sipp", "sip-tester")
    with inline_lab() as one, one.inline():
        yield one


class Calls:
    """SIPp at both ends, its files in a folder."""

    def __init__(self, lab: InlineLab, folder: Path) -> None:
        self._lab = lab
        self._folder = folder

    def _command(self, place: str, address: str, name: str, *arguments: str) -> list[str]:
        files = ("-trace_stat", "-stf", f"{name}.csv", "-fd", "60", "-trace_err", "-error_file", f"{name}.err")
        return self._lab.lab.command(
            place, "sipp", *arguments, "-i", address, "-ci", address, "-nostdin", "-nd", *files
        )

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A callee that listens on port 5060."""
        arguments = ("-sf", str(SCENARIO), "-t", "t1", "-p", "5060", "-max_socket", "4000")
        with subprocess.Popen(
            self._command("outside", OUTSIDE, "callee", *arguments),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        ) as process:
            try:
                listening = ["ip", "netns", "exec", self._lab.lab.namespace("outside"), "cat", "/proc/net/tcp"]
                ready = b":13C4 00000000:0000 0A"
                eventually("the callee listens", lambda: ready in subprocess.check_output(listening))
                yield
            finally:
                process.terminate()
                assert process.wait(10) == 0

    def place(self, transport: str, rate: int, calls: int) -> None:
        """Place calls; fails unless every one has succeeded."""
        arguments = (OUTSIDE, "-sn", "uac", "-t", transport, "-r", str(rate), "-m", str(calls))
        limits = ("-max_socket", "4000", "-timeout", "40s", "-timeout_error")
        done = subprocess.run(
            self._command("inside", INSIDE, "caller", *arguments, *limits),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
        assert (self.succeeded("caller"), self._figure("caller", "FailedCall(C)")) == (calls, 0)

    def succeeded(self, name: str) -> int:
        """Calls that one side has brought to their end."""
        return self._figure(name, "SuccessfulCall(C)")

    def _figure(self, name: str, column: str) -> int:
        """A figure of the last row of NAME.csv."""
        with (self._folder / f"{name}.csv").open() as file:
            *_, row = csv.DictReader(file, delimiter=";")
        return int(row[column])


def test_calls_over_one_connection(lab: InlineLab, tmp_path: Path) -> None:
    """500 calls a second, 6 messages each, on numbers that drift further apart with every message: none fails."""
    calls = Calls(lab, tmp_path)
    with calls.answering():
        calls.place("t1", 500, 2000)
    assert calls.succeeded("callee") == 2000


def test_a_connection_for_every_call(lab: InlineLab, tmp_path: Path) -> None:
    """100 calls a second, each on a connection of its own: none fails."""
    calls = Calls(lab, tmp_path)
    with calls.answering():
        calls.place("tn", 100, 300)
    assert calls.succeeded("callee") == 300
