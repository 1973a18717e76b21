"""CPU time that a proxy spends on a SIPp call (six messages), ours with L4F on and off beside HAProxy in TCP mode."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.bench.processes import Proxy, haproxy, sipalg_proxy
from harness.bench.sipp import End, Sipp

CALLER, PROXY, CALLEE = "127.0.0.2", "127.0.0.10", "127.0.0.3"
_PORT = 15060
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
        sipp = Sipp(End(CALLER), End(CALLEE), directory)
        with sipp.answering(_PORT):
            target = f"{CALLEE}:{_PORT}"
            proxies: list[tuple[str, AbstractContextManager[Proxy]]] = [
                ("sipalg, L4F on", sipalg_proxy(PROXY, target, *_MAP)),
                ("sipalg, L4F on, --media rewrite", sipalg_proxy(PROXY, target, *_MAP, "--media", "rewrite")),
                ("sipalg, L4F off", sipalg_proxy(PROXY, target, *_MAP, "--no-l4f")),
                ("HAProxy, TCP mode", haproxy(PROXY, _PORT + 1, target, directory)),
            ]
            for label, starting in proxies:
                with starting as proxy:
                    before = proxy.cpu_seconds()
                    failed = sipp.call(f"{PROXY}:{proxy.port}", transport, rate, calls)
                    spent = proxy.cpu_seconds() - before
                figures.append(CallFigure(label, transport, calls, failed, spent / calls * 1e6))
    return figures
