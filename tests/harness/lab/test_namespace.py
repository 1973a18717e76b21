"""Namespaces entered, and the processes in them ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.lab.namespace import end_processes, exists, processes, within
from tests.helpers.lab import NAME, require_root
from tests.helpers.system import eventually

NAMESPACE = f"sipalg-{NAME}-bare"


@pytest.fixture(autouse=True)
def namespace() -> Iterator[None]:
    """A namespace with nothing in it."""
    require_root()
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    yield
    subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)
    assert not exists(NAMESPACE)


def devices() -> list[str]:
    """The network devices that the current thread sees."""
    lines = Path("/proc/thread-self/net/dev").read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def test_a_function_runs_inside_and_its_caller_stays_outside() -> None:
    """Only the function sees the namespace."""
    before = devices()
    assert "lo" in within(NAMESPACE, devices)
    assert within(NAMESPACE, lambda: os.readlink("/proc/thread-self/ns/net")) != os.readlink("/proc/self/ns/net")
    assert devices() == before


def test_what_a_function_raises_is_raised() -> None:
    """So is the failure to enter."""

    def fail() -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        within(NAMESPACE, fail)
    with pytest.raises(FileNotFoundError):
        within(f"{NAMESPACE}-none", devices)


def test_processes_end_and_those_outside_go_on() -> None:
    """One ends when asked, one has to be killed, and the same program outside notices nothing."""
    stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done"
    inside = ["ip", "netns", "exec", NAMESPACE]
    with (
        subprocess.Popen(["sleep", "60"]) as outside,
        subprocess.Popen([*inside, "sleep", "60"]) as asked,
        subprocess.Popen([*inside, "bash", "-c", stubborn], stdout=subprocess.PIPE) as killed,
    ):
        assert killed.stdout is not None, "was asked for"
        assert killed.stdout.readline() == b"ready\n"
        eventually("both in the namespace", lambda: {asked.pid, killed.pid} <= set(processes(NAMESPACE)))
        end_processes(NAMESPACE)
        assert processes(NAMESPACE) == []
        assert (asked.wait(5), killed.wait(5)) == (-15, -9)
        assert outside.poll() is None
        outside.kill()
