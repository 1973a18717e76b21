"""`sipalg proxy`: the ALG between two TCP endpoints."""

from __future__ import annotations

import signal
import time
from typing import Any, TextIO

import click
from twisted.internet import error, task

from alg.config import MediaMode
from alg.connection import Alg, AlgConnection
from alg.edge.entrance import Address, Entrance
from alg.edge.media import UdpDoors
from alg.edge.proxy import AlgProxy
from alg.errors import ConfigError
from alg.ios_debug import IosDebug
from alg.nat.media import Door, MediaDoors
from alg.trace import Sink, tee
from harness.capture.recorder import Recorder, open_recorder
from harness.commands.options import alg_options, flags
from harness.descriptors import raise_descriptor_limit
from harness.events import EventLog, open_events
from harness.interception import Rules, print_rules, transparent_options
from harness.settings import Flags, alg_config, listeners, load_settings

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
@transparent_options
@click.option("--side", type=click.Choice(["inside", "outside"]), help="Where clients connect from.  [default: inside]")
@click.option(
    "--media",
    type=click.Choice([mode.value for mode in MediaMode]),
    help="relay: a UDP door for each media line that is translated; rewrite: addresses only; off: SDP stays as "
    "it is.  [default: relay]",
)
@click.option("--events", metavar="F.jsonl", help="Write events there, one JSON object a line.")
@click.option(
    "--capture",
    metavar="F.pcapng",
    help="Write a capture there with the interfaces inside and outside: packets made from what crosses each leg.",
)
@click.option("--debug-ip-nat-sip", is_flag=True, help="Print what IOS's debug ip nat sip would, on standard error.")
@click.option("--config", metavar="F.toml", help="Configuration file; flags win over it. SIGHUP reads it again.")
def command(**options: Any) -> int:
    """Stand between two TCP endpoints as a NAT SIP ALG.

    Terminates each connection, makes one of its own to the target, and rewrites the SIP that passes. Prints
    `listening on HOST:PORT` on standard error when ready. SIGTERM ends it within a second.

    \b
    Example:
      sipalg proxy --listen 127.0.0.1:5060 --to 127.0.0.3:5060 --map 10.0.30.2=64.100.0.10 --events calls.jsonl

    \b
    On a router, unnoticed by both sides:
      sipalg proxy --transparent --listen 0.0.0.0:15060 --inside 10.0.30.0/24 --pool 203.0.113.10 --sip-port 5060 \\
          --install-rules

    \b
    NAT reflection: 10.0.30.2:27901 reaches the inside host 10.0.10.2 at its outside address, and is seen there as
    64.100.0.10:4401:
      sipalg proxy --transparent --listen 0.0.0.0:15060 --map 10.0.10.2=64.100.0.10 \\
          --map 10.0.30.2:27901=64.100.0.10:4401 --sip-port 7003 --install-rules
    """
    if options["print_rules"]:
        settings, said = load_settings(options["config"]), _flags(options)
        print_rules(
            listeners(settings, said, options["listen"], options["to"], options["side"]), alg_config(settings, said)
        )
        return 0
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    return ProxyRun(reactor, options).run()


def _flags(options: dict[str, Any]) -> Flags:
    own = ("sip_ports", "media", "transparent", "intercept", "source")
    return flags(options, **{name: options[name] for name in own})


class ProxyRun:
    """One run of the command, from its options to its exit status."""

    def __init__(self, reactor: Any, options: dict[str, Any]) -> None:
        self._reactor = reactor
        self._config_file: str | None = options["config"]
        self._flags = _flags(options)
        settings = load_settings(self._config_file)
        self._listeners = listeners(settings, self._flags, options["listen"], options["to"], options["side"])
        config = alg_config(settings, self._flags)
        events = options["events"] or settings.events
        self._file: TextIO | None = open_events(events) if events else None
        self._capture = _open_capture(options["capture"], settings.capture.file)
        debug = options["debug_ip_nat_sip"] or settings.debug_ip_nat_sip
        self._observer = ConsoleObserver(
            EventLog(self._file, time.time) if self._file else None, IosDebug(_say) if debug else None, self._capture
        )
        doors = MediaDoors(UdpDoors(reactor, self._observer.door), settings.media.idle_timeout)
        self._alg = Alg(config, doors)
        tap = self._capture.tap if self._capture else None
        self._proxy = AlgProxy(reactor, self._alg, self._observer, tap=tap)
        self._rules: Rules | None = Rules() if options["install_rules"] else None
        self._bound: list[tuple[Entrance, Address]] = []
        self._stopping = False

    def run(self) -> int:
        """Listen, serve until a signal comes, and clean up."""
        raise_descriptor_limit()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        self._bound = [(listener, self._listen(listener)) for listener in self._listeners]
        try:
            self._install_rules()
            self._serve()
        finally:
            self._remove_rules()
        if self._file is not None:
            self._file.close()
        if self._capture is not None:
            self._capture.close()
        return 0

    def _serve(self) -> None:
        for _, (host, port) in self._bound:
            _say(f"listening on {host}:{port}")
        expiry = task.LoopingCall(self._expire)
        expiry.clock = self._reactor
        expiry.start(_EXPIRY_INTERVAL, now=False)
        self._reactor.run(installSignalHandlers=False)

    def _install_rules(self) -> None:
        if self._rules is not None:
            self._rules.install(self._bound, self._alg.config)

    def _remove_rules(self) -> None:
        for complaint in self._rules.remove() if self._rules else ():
            _say(f"sipalg proxy: {complaint}")

    def _listen(self, listener: Entrance) -> Address:
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
            self._install_rules()
        except ConfigError as failure:
            _say(f"sipalg proxy: configuration kept: {failure}")
        else:
            _say("configuration reloaded")


class ConsoleObserver:
    """Tells the person at the terminal what went wrong, and passes everything on to the event log."""

    def __init__(self, log: EventLog | None, debug: Sink | None, capture: Recorder | None) -> None:
        self._log = log
        self._debug = [debug] if debug else []
        self._capture = capture

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
        listeners = (each.sink(connection) for each in (self._log, self._capture) if each)
        return tee(*self._debug, *listeners)

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


def _open_capture(flag: str | None, file: str | None) -> Recorder | None:
    path, setting = flag or file, "--capture" if flag else "[capture] file"
    if not path:
        return None

    def complain(failure: OSError) -> None:
        _say(f"sipalg proxy: {setting} {path}: {failure.strerror}; capturing ends, traffic goes on")

    return open_recorder(path, setting, time.time_ns, complain)


def _say(line: str) -> None:
    click.echo(line, err=True)
