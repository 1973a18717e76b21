"""`sipalg bench`: how fast the core and the proxy are on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from harness.bench.calls import CallFigure, measure_calls
from harness.bench.core import measure_core
from harness.bench.handshakes import DIRECT, HandshakeFigure, measure_handshakes
from harness.bench.idle import measure_idle
from harness.bench.lab_calls import RouterFigure, measure_lab_calls
from harness.bench.machine import describe_machine
from harness.bench.processes import BenchError, available
from harness.bench.routers import PLAIN
from harness.bench.segments import measure_segments
from harness.descriptors import raise_descriptor_limit

_PACKAGES = {"sipp": "sip-tester", "haproxy": "haproxy", "ip": "iproute2", "nft": "nftables"}
"""The Debian package of each program."""
_PAPER = 120
"""Columns that a table may take where there is no terminal."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    measure: Callable[[int], list[Any]]
    """By the divisor of the load."""
    programs: tuple[str, ...] = ()
    in_lab: bool = False


_PARTS = {
    "core": _Part(lambda share: list(measure_core(1 if share > 1 else 5))),
    "calls": _Part(
        lambda share: [*measure_calls("t1", 1000, 10_000 // share), *measure_calls("tn", 200, 2_000 // share)],
        ("sipp", "haproxy"),
    ),
    "idle": _Part(lambda share: [measure_idle(10_000 // share)]),
    "handshakes": _Part(lambda share: list(measure_handshakes(200, 5_000 // share))),
    "lab": _Part(
        lambda share: [*measure_lab_calls("t1", 500, 5_000 // share), *measure_lab_calls("tn", 200, 2_000 // share)],
        ("sipp", "ip", "nft"),
        in_lab=True,
    ),
    "segments": _Part(lambda share: list(measure_segments(2_000 // share)), ("ip", "nft"), in_lab=True),
}


@click.command("bench")
@click.argument("parts", nargs=-1, type=click.Choice(list(_PARTS)))
@click.option("--quick", is_flag=True, help="A tenth of the load: for a first look, the figures scatter more.")
@click.option("--json", "as_json", is_flag=True, help="Machine output.")
def command(parts: tuple[str, ...], quick: bool, as_json: bool) -> int:
    """Measure the speed of the core, the proxy and the NAT router on this machine.

    Everything is on loopback or in a lab of network namespaces. Compare the rows of one run with each other, and the
    ratios of one run with those of another. `calls` and `lab` need SIPp, `calls` HAProxy (Debian: sip-tester,
    haproxy). `lab` and `segments` need root; without it they are left out. `lab` reads the CPU time of the whole
    machine too: let nothing else run.

    \b
    core        microseconds per message under several NAT tables
    calls       CPU time per SIPp call: our proxy with L4F on and off, HAProxy in TCP mode
    idle        memory per idle connection, and whether all still work
    handshakes  mutual TLS handshakes, 200 a second, direct, passed and terminated: failed ones, CPU time of the
                proxy, and what it has not given back
    lab         failed SIPp calls, microseconds of CPU time per call, and packets a second, of NAT routers: the kernel
                without and with its own SIP helper, `sipalg inline`, `sipalg proxy --transparent`
    segments    INVITEs that these rewrite, in one segment and in two

    \b
    Example:
      sipalg bench lab
    """
    raise_descriptor_limit()
    share = 10 if quick else 1
    figures: dict[str, list[Any]] = {}
    machine = describe_machine()
    status = 0
    for name in parts or _PARTS:
        if not parts and _PARTS[name].in_lab and os.geteuid() != 0:
            click.echo(f"sipalg bench: {name}: left out: needs root", err=True)
            continue
        try:
            figures[name] = _measure(_PARTS[name], share)
        except BenchError as error:
            click.echo(f"sipalg bench: {name}: {error}", err=True)
            status = 1
    if as_json:
        click.echo(json.dumps({name: [dataclasses.asdict(row) for row in rows] for name, rows in figures.items()}))
    elif figures:
        click.echo(machine)
        for name, rows in figures.items():
            _print(name, rows)
    return status


def _measure(part: _Part, share: int) -> list[Any]:
    if part.in_lab and os.geteuid() != 0:
        raise BenchError("needs root")
    for program in part.programs:
        if not available(program):
            raise BenchError(f"{program} is not installed (Debian package {_PACKAGES[program]})")
    return part.measure(share)


def _print(title: str, rows: list[Any]) -> None:
    """A table of what the rows have, and what is read off them."""
    names = [entry.name for entry in dataclasses.fields(rows[0])]
    columns = {name.replace("_", " "): [_cell(getattr(row, name)) for row in rows] for name in names}
    if isinstance(rows[0], CallFigure):
        columns["ratio to L4F off"] = [f"{row.microseconds / _l4f_off(row, rows).microseconds:.2f}" for row in rows]
    if isinstance(rows[0], RouterFigure):
        columns["ratio to plain"] = [_ratio_to_plain(row, rows) for row in rows]
    if isinstance(rows[0], HandshakeFigure):
        columns["ratio to direct"] = [f"{row.latency_ms / _direct(row, rows).latency_ms:.2f}" for row in rows]
    table = Table(title=title)
    console = Console()
    if not console.is_terminal:
        console.width = _PAPER
    shown = {heading: cells for heading, cells in columns.items() if any(cells)}
    for heading in shown:
        table.add_column(heading)
    for cells in zip(*shown.values(), strict=True):
        table.add_row(*cells)
    console.print(table)


def _l4f_off(row: CallFigure, rows: list[CallFigure]) -> CallFigure:
    return next(other for other in rows if other.transport == row.transport and other.proxy.endswith("off"))


def _direct(row: HandshakeFigure, rows: list[HandshakeFigure]) -> HandshakeFigure:
    return next(other for other in rows if other.tls == row.tls and other.way == DIRECT)


def _ratio_to_plain(row: RouterFigure, rows: list[RouterFigure]) -> str:
    """CPU time per call of the whole machine, against that of the load by itself."""
    plain = next(other for other in rows if other.transport == row.transport and other.router == PLAIN.name)
    return f"{row.machine_cpu / plain.machine_cpu:.2f}" if row.machine_cpu and plain.machine_cpu else ""


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
