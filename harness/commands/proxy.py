"""`sipalg proxy`: the ALG between two TCP endpoints."""

from __future__ import annotations

import signal
import time
from typing import Any, TextIO

import click
from twisted.internet import error, task

from alg.config import MediaMode
from alg.connection import Alg, AlgConnection
from alg.edge.media import UdpDoors
from alg.edge.proxy import Address, AlgProxy, Listener
from alg.errors import ConfigError
from alg.ios_debug import IosDebug
from alg.nat.media import Door, MediaDoors
from alg.trace import Sink, tee
from harness.commands.options import alg_options, flags
from harness.descriptors import raise_descriptor_limit
from harness.events import EventLog
from harness.settings import alg_config, listeners, load_settings

_EXPIRY_INTERVAL = 5.0
"""seconds"""


@click.command("proxy")
@click.option("--listen", metavar="HOST:PORT", help="Where clients connect; port 0 takes any free one.")
@click.option("--to", metavar="HOST:PORT", help="Where connections go.")
@alg_options
@click.option(
    "--sip-port",
    "sip_ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    metavar="N",
    help="The ALG looks into connections whose local or remote port this is. Repeatable.  "
    "[default: 5060 and the listening port]",
)
@click.option("--side", type=click.Choice(["inside", "outside"]), help="Where clients connect from.  [default: inside]")
@click.option(
    "--media",
    type=click.Choice([mode.value for mode in MediaMode]),
    help="relay: a UDP door for each media line that is translated; rewrite: addresses only; off: SDP stays as "
    "it is.  [default: relay]",
)
@click.option("--events", metavar="F.jsonl", help="Write events there, one JSON object a line.")
@click.option("--debug-ip-nat-sip", is_flag=True, help="Print what IOS's debug ip nat sip would, on standard error.")
@click.option("--config", metavar="F.toml", help="Configuration file; flags win over it. SIGHUP reads it again.")
def command(**options: Any) -> int:
    """Stand between two TCP endpoints as a NAT SIP ALG.

    Terminates each connection, makes one of its own to the target, and rewrites the SIP that passes. Prints
    `listening on HOST:PORT` on standard error when ready. SIGTERM ends it within a second.

    \b
    Example:
      sipalg proxy --listen 127.0.0.1:5060 --to 127.0.0.3:5060 --map 10.0.30.2=64.100.0.10 --events calls.jsonl
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    return ProxyRun(reactor, options).run()


class ProxyRun:
    """One run of the command, from its options to its exit status."""

    def __init__(self, reactor: Any, options: dict[str, Any]) -> None:
        self._reactor = reactor
        self._config_file: str | None = options["config"]
        self._flags = flags(options, sip_ports=options["sip_ports"], media=options["media"])
        settings = load_settings(self._config_file)
        self._listeners = listeners(settings, self._flags, options["listen"], options["to"], options["side"])
        config = alg_config(settings, self._flags)
        events = options["events"] or settings.events
        self._file: TextIO | None = _open_events(events) if events else None
        debug = options["debug_ip_nat_sip"] or settings.debug_ip_nat_sip
        self._observer = ConsoleObserver(
            EventLog(self._file, time.time) if self._file else None, IosDebug(_say) if debug else None
        )
        doors = MediaDoors(UdpDoors(reactor, self._observer.door), settings.media.idle_timeout)
        self._alg = Alg(config, doors)
        self._proxy = AlgProxy(reactor, self._alg, self._observer)
        self._stopping = False

    def run(self) -> int:
        """Listen, serve until a signal comes, and clean up."""
        raise_descriptor_limit()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        for host, port in [self._listen(listener) for listener in self._listeners]:
            _say(f"listening on {host}:{port}")
        expiry = task.LoopingCall(self._expire)
        expiry.clock = self._reactor
        expiry.start(_EXPIRY_INTERVAL, now=False)
        self._reactor.run(installSignalHandlers=False)
        if self._file is not None:
            self._file.close()
        return 0

    def _listen(self, listener: Listener) -> Address:
        try:
            return self._proxy.listen(listener)
        except error.CannotListenError as failure:
            reason = failure.socketError.strerror or failure.socketError
            raise ConfigError(f"--listen {listener.listen[0]}:{listener.listen[1]}: {reason}") from None

    def _expire(self) -> None:
        doors = self._alg.doors
        if doors is not None:
            doors.expire(self._reactor.seconds())

    def _on_stop(self, *_: object) -> None:
        self._reactor.callFromThread(self._stop)

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._proxy.stop().addBoth(lambda _: self._reactor.stop())

    def _on_reload(self, *_: object) -> None:
        self._reactor.callFromThread(self._reload)

    def _reload(self) -> None:
        """Take up the configuration file as it is now; connections follow at their next message boundary."""
        try:
            self._alg.reconfigure(alg_config(load_settings(self._config_file), self._flags))
        except ConfigError as failure:
            _say(f"sipalg proxy: configuration kept: {failure}")
        else:
            _say("configuration reloaded")


class ConsoleObserver:
    """Tells the person at the terminal what went wrong, and passes everything on to the event log."""

    def __init__(self, log: EventLog | None, debug: Sink | None) -> None:
        self._log = log
        self._debug = [debug] if debug else []

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """Both legs stand."""
        if self._log:
            self._log.connected(connection, client, listener, target)

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached."""
        _say(
            f"sipalg proxy: connection {connection} from {client[0]}:{client[1]} reset: "
            f"cannot connect to {target[0]}:{target[1]}: {reason}"
        )
        if self._log:
            self._log.refused(connection, client, target, reason)

    def sink(self, connection: int) -> Sink | None:
        """The sinks that listen to one connection."""
        return tee(*self._debug, *([self._log.sink(connection)] if self._log else []))

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """Both legs are gone."""
        if self._log:
            self._log.closed(connection, reason, alg)

    def door(self, action: str, door: Door | None, **fields: Any) -> None:
        """A media door opened, closed, or could not be opened."""
        if door is None:
            _say(
                f"sipalg proxy: no media door on {fields['address']}: {fields['reason']}; "
                "addresses are mapped, media is not relayed"
            )
        if self._log:
            self._log.door(action, door, **fields)


def _open_events(path: str) -> TextIO:
    try:
        return open(path, "w", encoding="utf-8", buffering=1)
    except OSError as failure:
        raise ConfigError(f"--events {path}: {failure.strerror}") from None


def _say(line: str) -> None:
    click.echo(line, err=True)
