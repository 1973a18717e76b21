"""Programs as processes: Debian's, which a test may need, and `sipalg` itself.

Strategy: `sipalg` runs with the interpreter and the packages of the test run, whatever is installed. Its standard error
is read by a thread of its own, so that a test can wait for a line and a full pipe never stops the program.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

import harness

PATIENCE = 10.0
"""Seconds until a wait for something that must come is given up."""
_READY = re.compile(r"listening on [\d.]+:(\d+)\n")


def require_system(program: str, package: str) -> str:
    """The path of a program; without it the test is skipped, or fails where SIPALG_REQUIRE_SYSTEM=1 demands it."""
    path = shutil.which(program)
    if path is None:
        cannot_run(f"{program} is missing: Debian package {package}")
    return path


def cannot_run(reason: str) -> NoReturn:
    """Skip the test that the system does not allow, or fail where SIPALG_REQUIRE_SYSTEM=1 demands that it does."""
    if os.environ.get("SIPALG_REQUIRE_SYSTEM") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def eventually(what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until a condition holds; fails, saying what was waited for, if it does not come to hold."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {patience} s in vain: {what}")
        time.sleep(0.01)


def sipalg_command(*args: str) -> list[str]:
    """The command line of `sipalg` with the modules under test."""
    return [sys.executable, "-c", "from harness.entry import console; console()", *args]


def sipalg_environment() -> dict[str, str]:
    """The environment in which that command line finds them, as buffered as a user's."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return environment | {"PYTHONPATH": str(Path(harness.__file__).parents[1])}


def run_sipalg(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        sipalg_command(*args), input=stdin, capture_output=True, timeout=30, check=False, env=sipalg_environment()
    )


class ProxyProcess:
    """A running `sipalg proxy`."""

    def __init__(self, *args: str, listeners: int = 1, within: Sequence[str] = ()) -> None:
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [*within, *sipalg_command("proxy", *args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=sipalg_environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait(f"{listeners} listening line(s)", lambda: len(self.ports) >= listeners)

    def _read(self) -> None:
        assert self._process.stderr is not None, "was asked for"
        self._lines.extend(iter(self._process.stderr.readline, ""))

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                pytest.fail(
                    f"waited in vain for {what}; status {self._process.returncode}, standard error:\n{self.errors}"
                )
            time.sleep(0.005)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def errors(self) -> str:
        """What it has said on standard error so far."""
        return "".join(list(self._lines))

    @property
    def complaints(self) -> list[str]:
        """The lines of standard error beside those that say it is ready."""
        return [line.rstrip("\n") for line in list(self._lines) if not _READY.fullmatch(line)]

    @property
    def ports(self) -> list[int]:
        """Where it listens, in the order of its configuration."""
        return [int(port) for port in _READY.findall(self.errors)]

    @property
    def port(self) -> int:
        """Where it listens first."""
        return self.ports[0]

    @property
    def resident(self) -> int:
        """Bytes of memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None, "Linux says how much memory a process has"
        return int(match[1]) * 1024

    def expect(self, text: str) -> None:
        """Wait until standard error contains a text."""
        self._wait(f"{text!r} on standard error", lambda: text in self.errors)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def reload(self, said: str = "configuration reloaded") -> None:
        """Have it read its configuration again, and wait until it has said so."""
        self.signal(signal.SIGHUP)
        self.expect(said)

    def wait(self) -> int:
        """Wait until it ends; its exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return status

    def stop(self) -> None:
        """End it as an operator would; it has to end well."""
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"still runs {PATIENCE} s after SIGTERM; standard error:\n{self.errors}")
        assert status == 0, f"exit status {status}; standard error:\n{self.errors}"
        assert "Traceback" not in self.errors, self.errors
        assert "Unhandled" not in self.errors, self.errors

    def kill(self) -> None:
        """End it by force, if it has not ended."""
        self._process.kill()
        self.wait()


@contextmanager
def running_proxy(*args: str, listeners: int = 1) -> Iterator[ProxyProcess]:
    """A proxy for as long as the block runs; it must end well when the block did."""
    proxy = ProxyProcess(*args, listeners=listeners)
    try:
        yield proxy
        proxy.stop()
    finally:
        proxy.kill()
