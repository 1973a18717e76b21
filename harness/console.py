"""What a person at the terminal is told of a proxy's connections, beside the event log and the captures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from alg.connection import AlgConnection
from alg.edge.entrance import Address
from alg.nat.media import Door
from alg.trace import Sink, tee
from harness.capture.recorder import Recorder
from harness.events import EventLog


def say(line: str) -> None:
    """A line on standard error."""
    click.echo(line, err=True)


class ConsoleObserver:
    """Tells the person at the terminal what went wrong, and passes everything on to the event log."""

    def __init__(self, log: EventLog | None, debug: Sink | None, captures: Sequence[Recorder]) -> None:
        self._log = log
        self._debug = [debug] if debug else []
        self._captures = captures

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """Both legs stand."""
        if self._log:
            self._log.connected(connection, client, listener, target)

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached."""
        say(
            f"sipalg proxy: connection {connection} from {client[0]}:{client[1]} reset: "
            f"cannot connect to {target[0]}:{target[1]}: {reason}"
        )
        if self._log:
            self._log.refused(connection, client, target, reason)

    def sink(self, connection: int) -> Sink | None:
        """The sinks that listen to one connection."""
        sinks = [*self._debug, *(capture.sink(connection) for capture in self._captures)]
        if self._log:
            sinks.append(self._log.sink(connection))
        return tee(*sinks)

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """Both legs are gone."""
        if self._log:
            self._log.closed(connection, reason, alg)

    def door(self, action: str, door: Door | None, **fields: Any) -> None:
        """A media door opened, closed, or could not be opened."""
        if door is None:
            say(
                f"sipalg proxy: no media door on {fields['address']}: {fields['reason']}; "
                "addresses are mapped, media is not relayed"
            )
        if self._log:
            self._log.door(action, door, **fields)
