"""`sipalg faults`: what an ALG can be made to do wrong."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from alg.faults import FAULTS
from alg.faults.base import Fault


@click.command("faults")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(as_json: bool) -> int:
    """List the faults that --fault takes, with their keys and where each was seen.

    \b
    Example:
      sipalg faults
      sipalg proxy --listen 127.0.0.1:5060 --to 127.0.0.3:5060 --map 10.0.30.2=64.100.0.10 \\
          --fault stale-content-length:method=INVITE,nth=1
    """
    if as_json:
        click.echo(msgspec.json.encode([_described(fault) for fault in FAULTS.values()]))
        return 0
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for heading in ("what is wrong", "keys", "seen"):
        table.add_column(heading)
    for fault in FAULTS.values():
        keys = "\n".join(f"{each.name}={each.default}: {each.meaning}" for each in fault.parameters)
        table.add_row(fault.name, fault.title, keys, fault.source)
    Console().print(table)
    return 0


def _described(fault: type[Fault]) -> dict[str, Any]:
    keys = {each.name: {"meaning": each.meaning, "default": each.default} for each in fault.parameters}
    return {"name": fault.name, "title": fault.title, "source": fault.source, "keys": keys}
