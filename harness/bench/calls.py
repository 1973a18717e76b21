"""CPU time that a proxy spends on a SIPp call (six messages), ours with L4F on and off beside HAProxy in TCP mode."""

from __future__ import annotations

import csv
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from harness.bench.processes import BenchError, Proxy, haproxy, sipalg_proxy

CALLER, PROXY, CALLEE = "127.0.0.2", "127.0.0.10", "127.0.0.3"
_MAP = ("--map", f"{CALLER}=127.0.0.102")


@dataclass(frozen=True, slots=True)
class CallFigure:
    """One row."""

    proxy: str
    transport: str
    """SIPp's name: `t1` one connection, `tn` one per call."""
    calls: int
    failed: int
    microseconds: float
    """CPU time of the proxy per call."""


def measure_calls(transport: str, rate: int, calls: int) -> list[CallFigure]:
    """The same load through each proxy, one after the other."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="sipalg-bench-") as name:
        directory = Path(name)
        with _answering(directory) as port:
            target = f"{CALLEE}:{port}"
            proxies: list[tuple[str, AbstractContextManager[Proxy]]] = [
                ("sipalg, L4F on", sipalg_proxy(PROXY, target, *_MAP)),
                ("sipalg, L4F on, --media rewrite", sipalg_proxy(PROXY, target, *_MAP, "--media", "rewrite")),
                ("sipalg, L4F off", sipalg_proxy(PROXY, target, *_MAP, "--no-l4f")),
                ("HAProxy, TCP mode", haproxy(PROXY, port + 1, target, directory)),
            ]
            for label, starting in proxies:
                with starting as proxy:
                    before = proxy.cpu_seconds()
                    failed = _call(proxy, transport, rate, calls, directory)
                    spent = proxy.cpu_seconds() - before
                figures.append(CallFigure(label, transport, calls, failed, spent / calls * 1e6))
    return figures


@contextmanager
def _answering(directory: Path) -> Iterator[int]:
    """SIPp answering calls; its port."""
    scenario = directory / "uas.xml"
    scenario.write_bytes((resources.files("harness.bench") / "uas.xml").read_bytes())
    port = 15060
    command = ["sipp", "-sf", str(scenario), "-t", "t1", "-i", CALLEE, "-p", str(port), "-ci", CALLEE, "-nostdin"]
    process = subprocess.Popen(
        command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            raise BenchError(f"sipp cannot answer on {CALLEE}:{port}")
        yield port
    finally:
        process.kill()
        process.wait()


def _call(proxy: Proxy, transport: str, rate: int, calls: int, directory: Path) -> int:
    """Place the calls; how many failed."""
    statistics = directory / "uac.csv"
    statistics.unlink(missing_ok=True)
    command = ["sipp", f"{PROXY}:{proxy.port}", "-sn", "uac", "-t", transport, "-i", CALLER, "-ci", CALLER]
    command += ["-r", str(rate), "-m", str(calls), "-max_socket", "4000", "-nostdin"]
    command += ["-timeout", "120s", "-timeout_error", "-trace_stat", "-stf", str(statistics)]
    subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    with statistics.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    if not rows:
        raise BenchError("sipp wrote no statistics")
    return calls - int(rows[-1]["SuccessfulCall(C)"])
