"""`sipalg fuzz`: find the size, and the segmentation, that breaks an endpoint."""

from __future__ import annotations

import click

from harness.commands import fuzz_mutate, fuzz_replay, fuzz_segmentation, fuzz_size, fuzz_torture


@click.group("fuzz")
def command() -> None:
    """Find the size, and the segmentation, that breaks an endpoint.

    Sends to loopback unless --i-own-this-target confirms a target elsewhere. Everything that was not accepted is kept
    as a directory, from which `replay` sends it again.

    \b
    Example:
      sipalg fuzz size --to 127.0.0.1:5060 --max 20000
    """


for _one in (fuzz_size, fuzz_segmentation, fuzz_torture, fuzz_mutate, fuzz_replay):
    command.add_command(_one.command)
