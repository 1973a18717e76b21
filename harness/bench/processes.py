"""Starting what is measured, and reading its CPU time and memory from /proc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alg.errors import SipalgError

_TICK = os.sysconf("SC_CLK_TCK")


class BenchError(SipalgError):
    """A measurement that could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process under measurement."""

    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident_bytes(self) -> int:
        """Memory in use."""
        match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text("ascii"))
        return int(match[1]) * 1024 if match else 0

    def descriptors(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@dataclass(frozen=True, slots=True)
class Proxy(Running):
    """A proxy that listens on a port."""

    port: int


def available(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


@contextmanager
def sipalg(ready: str, *arguments: str, within: Sequence[str] = ()) -> Iterator[tuple[Running, str]]:
    """One of our commands, once it has said a line that begins with `ready`, and the rest of that line."""
    code = "from harness.entry import console; console()"
    command = [*within, sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None, "was asked for"
        line = process.stderr.readline()
        if not line.startswith(ready):
            process.terminate()
            *_, complaint = f"{line}{process.stderr.read()}".strip().splitlines() or [f"never said {ready!r}"]
            raise BenchError(f"sipalg {arguments[0]}: {complaint}")
        yield Running(process.pid), line.removeprefix(ready).strip()
    finally:
        _end(process)
        if process.stderr is not None:
            process.stderr.close()


@contextmanager
def sipalg_proxy(host: str, target: str, *options: str) -> Iterator[Proxy]:
    """Our proxy on a free port of `host`."""
    with sipalg("listening on ", "proxy", "--listen", f"{host}:0", "--to", target, *options) as (process, where):
        yield Proxy(process.pid, int(where.rpartition(":")[2]))


@contextmanager
def haproxy(host: str, port: int, target: str, directory: Path) -> Iterator[Proxy]:
    """HAProxy in TCP mode, one thread."""
    config = directory / "haproxy.cfg"
    config.write_text(
        "global\n  nbthread 1\n  maxconn 9000\n"
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"listen sip\n  bind {host}:{port}\n  server uas {target}\n"
    )
    process = subprocess.Popen(["haproxy", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            raise BenchError("haproxy did not start")
        yield Proxy(process.pid, port)
    finally:
        _end(process)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
