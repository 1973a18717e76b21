"""SIPp calls through each NAT router of a lab: what fails, what it costs, and how many packets it takes.

Strategy: what the kernel does is nobody's process, so the CPU time of the whole machine is read for every router, SIPp
at both ends included; a router that only translates addresses shows what of it is the load's. Segmentation offload is
off, so that packets are as on a wire. The load does the kernel's helper justice: SIPp names the port that
it sends from, since others are not rewritten, and each call announces a media port of its own, since of two connections
whose calls announce the same one, as SIPp's do by default, the second has its INVITE dropped for good.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from alg.errors import SipalgError
from harness.bench.machine import Moment
from harness.bench.processes import Running
from harness.bench.routers import CALLEE, CALLER, INLINE, KERNEL, PLAIN, PORT, TRANSPARENT, Router, bench_lab
from harness.bench.sipp import End, Sipp
from harness.lab.lab import Lab
from harness.lab.namespace import within
from harness.lab.topology import ROUTER


@dataclass(frozen=True, slots=True)
class RouterFigure:
    """One row; what was not measured is None."""

    router: str
    transport: str
    """SIPp's name: `t1` one connection, `tn` one per call."""
    calls: int
    failed: int | None = None
    process_cpu: float | None = None
    """CPU time of the router's process: microseconds per call that succeeded."""
    machine_cpu: float | None = None
    """The same of the whole machine."""
    packets_per_second: float | None = None
    """That come to the router, from both sides."""
    remark: str = ""
    """Why there is nothing to measure."""


def measure_lab_calls(transport: str, rate: int, calls: int) -> list[RouterFigure]:
    """The same load through each router, one after the other."""
    with tempfile.TemporaryDirectory(prefix="sipalg-bench-") as name, bench_lab(offload=False) as lab:
        caller, callee = End(CALLER, tuple(lab.command("inside")), PORT), End(CALLEE, tuple(lab.command("outside")))
        sipp = Sipp(caller, callee, Path(name), own_media_ports=True)
        return [_measure(lab, router, sipp, transport, rate, calls) for router in (PLAIN, KERNEL, INLINE, TRANSPARENT)]


def _measure(lab: Lab, router: Router, sipp: Sipp, transport: str, rate: int, calls: int) -> RouterFigure:
    try:
        with router.start(lab) as process, sipp.answering(PORT):
            start, spent, packets = Moment.now(), _cpu_seconds(process), _packets(lab)
            failed = sipp.call(f"{CALLEE}:{PORT}", transport, rate, calls)
            end, spent, packets = Moment.now(), _cpu_seconds(process) - spent, _packets(lab) - packets
    except SipalgError as error:
        return RouterFigure(router.name, transport, calls, remark=str(error))
    succeeded = calls - failed
    return RouterFigure(
        router.name,
        transport,
        calls,
        failed,
        spent / succeeded * 1e6 if process and succeeded else None,
        end.busy_since(start) / succeeded * 1e6 if succeeded else None,
        packets / (end.at - start.at),
    )


def _cpu_seconds(process: Running | None) -> float:
    return process.cpu_seconds() if process else 0.0


def _packets(lab: Lab) -> int:
    """Received by the router so far."""
    text = within(lab.namespace(ROUTER), Path("/proc/thread-self/net/dev").read_text)
    devices = (line.split(":") for line in text.splitlines()[2:])
    sides = {side.name for side in lab.topology.sides}
    return sum(int(counters.split()[1]) for name, counters in devices if name.strip() in sides)
