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
)


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
        **more,
    )
