"""`sipalg lab`: endpoints and a router in network namespaces on this machine."""

from __future__ import annotations

import os
from dataclasses import asdict

import click
import msgspec

from alg.errors import ConfigError
from harness.lab.lab import Lab, Place, State
from harness.lab.topology import INSIDE, OUTSIDE, Side, Topology

_FIRST = INSIDE.addresses[0], OUTSIDE.addresses[0]
_name = click.option("--name", default="", metavar="NAME", help="Which lab; several can be up at once.")


@click.group("lab")
def command() -> None:
    """Two endpoints with a router between them, each in a network namespace of its own.

    Nothing leads out of the lab or into it. Needs root.

    \b
    Example:
      sipalg lab up
      sipalg lab exec router -- sipalg proxy --transparent --listen 0.0.0.0:15060 --inside 10.0.30.0/24 \\
          --pool 203.0.113.10 --sip-port 5060 --install-rules &
      sipalg lab exec outside -- sipp -sn uas -t t1 -i 203.0.113.20 &
      sipalg lab exec inside -- sipp -sn uac -t t1 -i 10.0.30.2 -m 10 203.0.113.20
      sipalg lab down
    """


@command.command("up")
@_name
@click.option(
    "--inside", multiple=True, metavar="ADDRESS/LENGTH", help=f"Repeatable.  [default: {INSIDE.addresses[0]}]"
)
@click.option(
    "--outside", multiple=True, metavar="ADDRESS/LENGTH", help=f"Repeatable.  [default: {OUTSIDE.addresses[0]}]"
)
@click.option(
    "--offload",
    type=click.Choice(["on", "off"]),
    default="on",
    help="Segmentation and checksum offload of the devices; without it every packet fits a wire.  [default: on]",
)
def up(name: str, inside: tuple[str, ...], outside: tuple[str, ...], offload: str) -> int:
    """Bring a lab up. The router takes the first free address of each network.

    \b
    Example, for NAT reflection:
      sipalg lab up --outside 10.0.10.2/24
    """
    sides = (Side.parse("inside", inside) if inside else INSIDE, Side.parse("outside", outside) if outside else OUTSIDE)
    lab = Lab(Topology(name, sides))
    said = "up" if lab.up(offload == "on") else "up already"
    click.echo(f"lab is {said}")
    for place, found in lab.places().items():
        click.echo(_line(place, found))
    return 0


@command.command("down")
@_name
def down(name: str) -> int:
    """Take a lab down, or what is left of it. Ends the processes in it."""
    click.echo("lab is down" if Lab(Topology(name)).down() else "lab was not up")
    return 0


@command.command("status")
@_name
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(name: str, as_json: bool) -> int:
    """Say what is there: addresses, offload, processes. Exit status 1 unless the lab is up."""
    lab = Lab(Topology(name))
    state = lab.state()
    places = lab.places() if state is State.UP else {}
    if as_json:
        object_ = {"name": name, "state": state.value, "places": {key: asdict(value) for key, value in places.items()}}
        click.echo(msgspec.json.encode(object_))
    else:
        click.echo(f"lab is {state.value}")
        for place, found in places.items():
            click.echo(_line(place, found))
            for pid, process in found.processes.items():
                click.echo(f"           {pid:>7}  {process}")
    return 0 if state is State.UP else 1


@command.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_name
@click.argument("place", type=click.Choice(Topology().places))
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def execute(name: str, place: str, words: tuple[str, ...]) -> int:
    """Become a command that runs in one of the namespaces; its exit status is ours.

    \b
    Example:
      sipalg lab exec router -- tcpdump -ni outside
    """
    if words == ("--",):
        raise click.UsageError("Missing argument '-- CMD...'.")
    lab = Lab(Topology(name))
    if (state := lab.state()) is not State.UP:
        raise ConfigError(f"lab exec: the lab is {state.value}")
    line = lab.command(place, *(words[1:] if words[0] == "--" else words))
    os.execvp(line[0], line)


def _line(place: str, found: Place) -> str:
    devices = (
        f"{device} {' '.join(addresses)}" + ("" if found.offload.get(device, True) else " (offload off)")
        for device, addresses in found.addresses.items()
    )
    return f"  {place:<8} {found.namespace:<20} {', '.join(devices)}"
