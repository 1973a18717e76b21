"""`sipalg bench`: how fast the core and the proxy are on this machine."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from harness.bench.calls import CallFigure, measure_calls
from harness.bench.core import measure_core
from harness.bench.idle import measure_idle
from harness.bench.processes import BenchError, available
from harness.descriptors import raise_descriptor_limit

PARTS = ("core", "calls", "idle")


@click.command("bench")
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--quick", is_flag=True, help="A tenth of the load: for a first look, the figures scatter more.")
@click.option("--json", "as_json", is_flag=True, help="Machine output.")
def command(parts: tuple[str, ...], quick: bool, as_json: bool) -> int:
    """Measure the speed of the core and of the proxy on this machine.

    Everything is on loopback and within one run, so compare the rows with each other. `calls` needs SIPp and HAProxy
    (Debian: sip-tester, haproxy).

    \b
    core   microseconds per message under several NAT tables
    calls  CPU time per SIPp call: our proxy with L4F on and off, HAProxy in TCP mode
    idle   memory per idle connection, and whether all still work

    \b
    Example:
      sipalg bench core
    """
    raise_descriptor_limit()
    share = 10 if quick else 1
    figures: dict[str, list[Any]] = {}
    status = 0
    for part in parts or PARTS:
        try:
            figures[part] = _measure(part, share)
        except BenchError as error:
            click.echo(f"sipalg bench: {part}: {error}", err=True)
            status = 1
    if as_json:
        click.echo(json.dumps({part: [dataclasses.asdict(row) for row in rows] for part, rows in figures.items()}))
    else:
        for part, rows in figures.items():
            _print(part, rows)
    return status


def _measure(part: str, share: int) -> list[Any]:
    if part == "core":
        return list(measure_core(1 if share > 1 else 5))
    if part == "idle":
        return [measure_idle(10_000 // share)]
    for program, package in (("sipp", "sip-tester"), ("haproxy", "haproxy")):
        if not available(program):
            raise BenchError(f"{program} is not installed (Debian package {package})")
    return measure_calls("t1", 1000, 10_000 // share) + measure_calls("tn", 200, 2_000 // share)


def _print(part: str, rows: list[Any]) -> None:
    names = [entry.name for entry in dataclasses.fields(rows[0])]
    table = Table(title=part)
    ratio = isinstance(rows[0], CallFigure)
    for name in names:
        table.add_column(name.replace("_", " "))
    if ratio:
        table.add_column("ratio to L4F off")
    for row in rows:
        cells = [_cell(getattr(row, name)) for name in names]
        if ratio:
            plain = next(other for other in rows if other.transport == row.transport and other.proxy.endswith("off"))
            cells.append(f"{row.microseconds / plain.microseconds:.2f}")
        table.add_row(*cells)
    Console().print(table)


def _cell(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
