"""`sipalg rewrite`: the core as a Unix filter."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, BinaryIO

import click

from alg.connection import Alg
from alg.direction import Direction
from alg.ios_debug import IosDebug
from alg.trace import AnyRecord, Sink, StreamRecord, tee
from harness.commands.options import alg_options, flags
from harness.settings import alg_config, load_settings

_CHUNK = 65536
_INPUT_CUT_SHORT = 3


@click.command("rewrite")
@alg_options
@click.option(
    "--direction",
    type=click.Choice(["out", "in"]),
    default="out",
    show_default=True,
    help="Way of the stream: from inside to outside, or back.",
)
@click.option("--debug-ip-nat-sip", is_flag=True, help="Print what IOS's debug ip nat sip would, on standard error.")
def command(direction: str, debug_ip_nat_sip: bool, **options: Any) -> int:
    """Rewrite a SIP byte stream from standard input to standard output.

    Bytes that are no SIP pass unchanged; standard error says why and at which offset. Exit status 3 when the input ends
    inside a message (whose bytes are passed on unchanged).

    \b
    Example:
      sipalg rewrite --map 10.0.30.2=64.100.0.10 <invite.sip >outside.sip
    """
    config = alg_config(load_settings(None), flags(options, media="rewrite"))
    debug: list[Sink] = [IosDebug(lambda line: click.echo(line, err=True))] if debug_ip_nat_sip else []
    way = Direction.OUTWARD if direction == "out" else Direction.INWARD
    try:
        return rewrite_stream(Alg(config), way, sys.stdin.buffer, sys.stdout.buffer, [_explain, *debug])
    except BrokenPipeError:
        # What is left in the buffer must not be tried again at exit, which would end with a complaint and status 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _INPUT_CUT_SHORT


def rewrite_stream(alg: Alg, direction: Direction, source: BinaryIO, target: BinaryIO, sinks: list[Sink]) -> int:
    """Run everything from `source` through the ALG; 0, or 3 if it ends inside a message."""
    connection = alg.connection(sink=tee(*sinks))
    read = getattr(source, "read1", source.read)
    while data := read(_CHUNK):
        target.write(connection.feed(direction, data, time.monotonic()))
        target.flush()
    cut_short = connection.inside_message(direction)
    target.write(connection.close(direction))
    target.flush()
    return _INPUT_CUT_SHORT if cut_short else 0


def _explain(record: AnyRecord) -> None:
    """Say on standard error which bytes passed untouched, and why."""
    if isinstance(record, StreamRecord) and record.record.rule == "passthrough":
        start, stop = record.record.span
        click.echo(
            f"sipalg rewrite: passed {stop - start} bytes at offset {start} untouched: {record.record.reason}", err=True
        )
