"""Starting what is measured, and reading its CPU time and memory from /proc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alg.errors import SipalgError

_TICK = os.sysconf("SC_CLK_TCK")


class BenchError(SipalgError):
    """A measurement that could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy process under measurement."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident_bytes(self) -> int:
        """Memory in use."""
        match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text("ascii"))
        return int(match[1]) * 1024 if match else 0


def available(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


@contextmanager
def sipalg_proxy(host: str, target: str, *options: str) -> Iterator[Proxy]:
    """Our proxy on a free port of `host`."""
    code = "from harness.cli import console; console()"
    command = [sys.executable, "-c", code, "proxy", "--listen", f"{host}:0", "--to", target, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None, "was asked for"
        line = process.stderr.readline()
        if not line.startswith("listening on "):
            raise BenchError(f"sipalg proxy: {line.strip()}")
        yield Proxy(process.pid, int(line.rpartition(":")[2]))
    finally:
        _end(process)
        if process.stderr is not None:
            process.stderr.close()


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
