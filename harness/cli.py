"""The command line of `sipalg`.

Exit status: 0 done, 1 a verdict failed, 2 wrong usage or configuration (one line on standard error saying what and
where), 3 input ended inside a message or a run was cut short.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.metadata import version

import click

from alg.errors import ConfigError

COMMANDS = {
    "rewrite": "Rewrite a SIP byte stream from standard input to standard output.",
    "proxy": "Stand between two TCP endpoints as a NAT SIP ALG.",
    "inline": "Be the NAT router between two interfaces, packet by packet.",
    "pcap": "Write the capture that the other side of the ALG would have seen.",
    "lab": "Endpoints and a router in network namespaces on this machine.",
    "faults": "List what an ALG can be made to do wrong.",
    "locate": "Tell which search rules of an Expressway a call meets, and which zone gets it.",
    "pattern": "Check whether an alias matches an Expressway's pattern, and what it becomes.",
    "certs": "Certificates for the lab: CAs, good certificates, and deliberately bad ones.",
    "scenario": "Reproduce failures of the field, with their evidence, and show that the cure helps.",
    "demo": "Place a call through the ALG with built-in endpoints, and show what it did.",
    "fuzz": "Find the size, and the segmentation, that breaks an endpoint.",
    "bench": "Measure the speed of the core and of the proxy on this machine.",
}
"""Name and one line of each command; its module in `harness.commands` has the rest."""

USAGE_ERROR = 2


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for, so that a filter starts without a reactor."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"harness.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table rather than from their modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("sip-alg-harness"), prog_name="sipalg")
def cli() -> None:
    """A transparent SIP ALG for the lab.

    Stands between two SIP endpoints, does to their traffic what a NAT device's SIP ALG does, and shows exactly what it
    did to every message.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    try:
        result = cli.main(args=None if argv is None else list(argv), prog_name="sipalg", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "sipalg"
        return _complain(f"{where}: {' '.join(error.format_message().split())}")
    except ConfigError as error:
        return _complain(f"sipalg: {error}")
    except click.Abort:
        return 3
    return result if isinstance(result, int) else 0


def _complain(line: str) -> int:
    click.echo(line, err=True)
    return USAGE_ERROR
