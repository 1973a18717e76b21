"""The options of a transparent proxy, and its rules put into force and taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from alg.config import AlgConfig
from alg.edge.entrance import Address, Entrance
from alg.edge.interception import Command, Interception, Method
from alg.edge.transparent import Source, TransparentListener
from alg.errors import ConfigError
from harness.system import require_root, run

_PATIENCE = 0.25
"""Seconds that the kernel has to send what was written."""
_CLOSING = ("04", "09", "0B")
"""FIN_WAIT1, LAST_ACK, CLOSING in /proc/net/tcp: <net/tcp_states.h>."""

_OPTIONS = (
    click.option(
        "--transparent",
        is_flag=True,
        help="Take connections that the kernel intercepts: what the client connected to is the target, not --to. If "
        "it is an outside address of --map or --pool, the inside endpoint behind it is.",
    ),
    click.option(
        "--intercept",
        type=click.Choice([method.value for method in Method]),
        help="How the kernel hands connections over.  [default: tproxy]",
    ),
    click.option(
        "--source",
        type=click.Choice([source.value for source in Source]),
        help="What the server sees: the client's address and port, what --map and --pool make of them, or our own.  "
        "[default: mapped]",
    ),
    click.option(
        "--install-rules",
        is_flag=True,
        help="Install the nftables rules and routes that intercept connections to the SIP ports and to the outside "
        "addresses of --map and --pool, which become this machine's; remove them at the end.",
    ),
    click.option("--print-rules", is_flag=True, help="Print these rules for a shell, and do nothing else."),
)


def transparent_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a transparent proxy."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Rules:
    """The rules of all transparent entrances of a proxy."""

    def __init__(self) -> None:
        self._installed: list[Interception] = []

    def install(self, bound: Iterable[tuple[Entrance, Address]], config: AlgConfig) -> None:
        """Put them into force, in place of those that are there."""
        require_root("--install-rules")
        for interception in interceptions(bound, config):
            if interception.number not in {other.number for other in self._installed}:
                self._installed.append(interception)
            for command in interception.install():
                _execute(command)

    def remove(self) -> list[str]:
        """Take them back once the kernel has sent what was written; what went wrong."""
        if self._installed:
            _drain()
        complaints = []
        while self._installed:
            for command in self._installed.pop().remove():
                try:
                    _execute(command)
                except ConfigError as failure:
                    complaints.append(str(failure))
        return complaints


def print_rules(entrances: Iterable[Entrance], config: AlgConfig) -> None:
    """All rules on standard output."""
    for interception in interceptions(((entrance, entrance.listen) for entrance in entrances), config):
        if interception.listen[1] == 0:
            raise ConfigError("--print-rules: --listen names no port")
        click.echo(interception.script(), nl=False)


def interceptions(bound: Iterable[tuple[Entrance, Address]], config: AlgConfig) -> list[Interception]:
    """What the entrances, each with the address it has, want to be intercepted."""
    found = [
        entrance.interception(address, config)
        for entrance, address in bound
        if isinstance(entrance, TransparentListener)
    ]
    if not found:
        raise ConfigError("--install-rules and --print-rules: nothing is --transparent")
    return found


def _drain() -> None:
    """Wait until closed connections have sent everything: without the rules no acknowledgment reaches them."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if not any(state in _CLOSING and not queues.startswith("00000000:") for _, _, _, state, queues, *_ in sockets):
            return
        time.sleep(0.01)


def _execute(command: Command) -> None:
    try:
        run(command.words, command.stdin)
    except ConfigError:
        if not command.may_fail:
            raise
