"""The options that every command with an ALG shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harness.settings import Flags

_OPTIONS = (
    click.option(
        "--map",
        "maps",
        multiple=True,
        metavar="IN=OUT",
        help="Static translation: 10.0.30.2=64.100.0.10 keeps ports, 10.0.30.2:27901=64.100.0.10:4401 maps one "
        "address and port. Repeatable.",
    ),
    click.option(
        "--pool",
        multiple=True,
        metavar="ADDRESS",
        help="Outside address for every inside address without a map; a port per inside address and port, "
        "endpoint-independent. Repeatable.",
    ),
    click.option(
        "--inside",
        multiple=True,
        metavar="NET",
        help="Network the pool translates. Repeatable.  [default: RFC 1918 and 100.64.0.0/10]",
    ),
    click.option("--no-l4f", is_flag=True, help="Layer 4 forwarding off: SIP over TCP is plain TCP, payloads stay."),
    click.option(
        "--profile",
        metavar="NAME|FILE",
        help="Which fixups are done: a shipped profile, or a TOML file of yours.  [default: complete]",
    ),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="NAME[:KEY=VALUE,...]",
        help="Do something wrong on purpose; `sipalg faults` lists the names and their keys. Limited by method=, "
        "status=, direction=outward|inward, nth=, call-id=PATTERN, probability= and seed=. Repeatable.",
    ),
)

sip_port_option = click.option(
    "--sip-port",
    "sip_ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    metavar="N",
    help="The ALG looks into connections whose local or remote port this is. Repeatable.  "
    "[default: 5060; for proxy the listening port as well]",
)
"""Of the commands that see ports."""

capture_option = click.option(
    "--capture",
    metavar="F.pcapng",
    help="Write a capture there with the interfaces inside and outside. Of proxy: packets made from what crosses each "
    "leg; of inline: every packet as it came in, and as it left.",
)
"""Of the commands that stand between two sides."""


def alg_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the shared options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def flags(options: dict[str, Any], **more: Any) -> Flags:
    """The shared options as `Flags`, with what a command adds."""
    return Flags(
        maps=options["maps"],
        pool=options["pool"],
        inside=options["inside"],
        no_l4f=options["no_l4f"],
        profile=options["profile"],
        faults=options["faults"],
        **more,
    )
