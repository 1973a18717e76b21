"""Network namespaces as iproute2 names them: entered, and the processes in them ended.

Strategy: a namespace belongs to a thread, so a function is run inside one by a thread of its own that ends with it; a
socket made there stays there. Processes are held by pidfd before they are asked where they live, so that no signal
reaches a process that has the number by chance.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from harness.system import run

DIRECTORY = Path("/run/netns")
"""Where iproute2 keeps its namespaces."""
_CLONE_NEWNET = 0x40000000
"""<linux/sched.h>"""
_PATIENCE = 2.0
"""Seconds that processes have to end by themselves, and seconds until those that were killed are gone."""

T = TypeVar("T")


def within(namespace: str, function: Callable[[], T]) -> T:
    """What a function returns when it runs inside a namespace."""

    def enter_and_run() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        with (DIRECTORY / namespace).open("rb") as handle:
            if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                number = ctypes.get_errno()
                raise OSError(number, f"cannot enter {namespace}: {os.strerror(number)}")
        return function()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(enter_and_run).result()


def exists(namespace: str) -> bool:
    """Whether iproute2 knows the name, even if what it stands for is broken."""
    return (DIRECTORY / namespace).exists()


def processes(namespace: str) -> list[int]:
    """The processes in a namespace, without ourselves."""
    return [pid for pid in map(int, run(["ip", "netns", "pids", namespace]).split()) if pid != os.getpid()]


def end_processes(namespace: str) -> None:
    """End the processes in a namespace and no others: asked first, then killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE
        while (pids := processes(namespace)) and time.monotonic() < deadline:
            _signal_all(namespace, pids, number, deadline)


def _signal_all(namespace: str, pids: list[int], number: signal.Signals, deadline: float) -> None:
    """Send a signal to those that are still there, and wait for their end."""
    poller = select.poll()
    handles = [handle for pid in pids if (handle := _hold(namespace, pid)) is not None]
    try:
        for handle in handles:
            signal.pidfd_send_signal(handle, number)
            poller.register(handle, select.POLLIN)
        running = len(handles)
        while running and (left := deadline - time.monotonic()) > 0:
            for ended, _ in poller.poll(left * 1000):
                poller.unregister(ended)
                running -= 1
    finally:
        for handle in handles:
            os.close(handle)


def _hold(namespace: str, pid: int) -> int | None:
    """A pidfd of a process if it lives in the namespace."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        if os.path.samefile(f"/proc/{pid}/ns/net", DIRECTORY / namespace):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
