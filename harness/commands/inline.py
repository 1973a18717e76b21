"""`sipalg inline`: the ALG as the NAT router between two interfaces, packet by packet."""

from __future__ import annotations

import errno
import re
import signal
import time
from typing import Any, TextIO

import click
from netaddr import IPNetwork
from twisted.internet import error, task

from alg.config import AlgConfig, MediaMode
from alg.connection import Alg
from alg.edge.entrance import Address
from alg.edge.inline import InlineAlg
from alg.errors import ConfigError
from alg.ios_debug import IosDebug
from alg.nat.table import Endpoint
from alg.router import NatRouter
from alg.tcp.flow import TcpFlow
from alg.trace import Sink, tee
from harness.capture.packet_recorder import PacketRecorder, open_packet_recorder
from harness.commands.options import alg_options, capture_option, flags, sip_port_option
from harness.events import EventLog, open_events
from harness.inline_routes import InlineRoutes
from harness.settings import alg_config, load_settings
from harness.system import require_root

_EXPIRY_INTERVAL = 10.0
"""seconds"""
_DEVICE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
"""What the kernel takes (IFNAMSIZ) and iproute2 never takes for anything else."""


@click.command("inline")
@click.option("--tun", "device", required=True, metavar="NAME", help="The tun device to create.")
@alg_options
@sip_port_option
@click.option("--install-routes", is_flag=True, help="Route inside traffic through the device; undone at the end.")
@click.option("--events", metavar="F.jsonl", help="Write events there, one JSON object a line.")
@capture_option
@click.option("--debug-ip-nat-sip", is_flag=True, help="Print what IOS's debug ip nat sip would, on standard error.")
@click.option("--config", metavar="F.toml", help="Configuration file; flags win over it.")
def command(device: str, install_routes: bool, **options: Any) -> int:
    """Be the NAT router between an inside and an outside interface.

    Packets come in through a tun device; addresses, ports, ICMP errors are translated, and SIP over TCP is rewritten
    while the connection stays one from end to end: sequence and acknowledgment numbers follow. Prints `inline on NAME`
    on standard error when ready, and on SIGTERM how many packets met which fate.

    \b
    Example, in the namespace of a router:
      sipalg inline --tun sipalg0 --inside 10.0.30.0/24 --pool 203.0.113.10 --install-routes
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    if not _DEVICE_NAME.fullmatch(device):
        raise ConfigError(f"--tun: {device!r} is no device name (1 to 15 letters, digits, hyphens, dots)")
    require_root("inline")
    settings = load_settings(options["config"])
    media = MediaMode.OFF if settings.media.mode is MediaMode.OFF else MediaMode.REWRITE
    config = alg_config(settings, flags(options, sip_ports=options["sip_ports"], media=media.value))
    events = options["events"] or settings.events
    file = open_events(events) if events else None
    capture = open_packet_recorder(options["capture"], settings.capture.file, _say)
    debug = IosDebug(_say) if options["debug_ip_nat_sip"] or settings.debug_ip_nat_sip else None
    return _Run(reactor, config, file, capture, debug).run(device, install_routes)


class _Run:
    """One run of the command."""

    def __init__(
        self,
        reactor: Any,
        config: AlgConfig,
        file: TextIO | None,
        capture: PacketRecorder | None,
        debug: Sink | None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._file = file
        self._log = EventLog(file, time.time) if file else None
        self._capture = capture
        self._debug = debug
        mapped = (IPNetwork(str(entry.inside)) for entry in config.nat.maps)
        self._inside = sorted({*config.nat.inside, *mapped})
        self._router = NatRouter(
            Alg(config),
            tuple(self._inside),
            self._sink,
            observer=ConnectionLog(self._log) if self._log else None,
            tap=capture,
        )
        self._inline = InlineAlg(reactor, self._router)

    def run(self, device: str, install_routes: bool) -> int:
        """Create the device, route into it, serve until a signal comes, and put everything back."""
        try:
            name = self._inline.open(device)
        except error.CannotListenError as failure:
            raise ConfigError(f"--tun {device}: {_tun_complaint(failure.socketError)}") from None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._stop))
        nat = self._config.nat
        outside = {*nat.pool, *(entry.outside for entry in nat.maps)}
        routes = InlineRoutes(name, self._inside, outside) if install_routes else None
        if routes is not None:
            routes.install()
        expiry = task.LoopingCall(lambda: self._router.expire(self._reactor.seconds()))
        expiry.clock = self._reactor
        expiry.start(_EXPIRY_INTERVAL, now=False)
        _say(f"inline on {name}")
        try:
            self._reactor.run(installSignalHandlers=False)
        finally:
            if routes is not None:
                routes.remove()
            self._router.close()
            if self._file is not None:
                self._file.close()
            if self._capture is not None:
                self._capture.close()
        return 0

    def _stop(self) -> None:
        stopped = self._inline.stop()
        for fate, packets in sorted(self._router.counters.items()):
            _say(f"{packets} packets {fate}")
        owed, connections = self._router.owed()
        if owed:
            _say(f"{owed} bytes of {connections} connections were given away unacknowledged")
        stopped.addBoth(lambda _: self._reactor.stop())

    def _sink(self, connection: int) -> Sink | None:
        listeners = (each.sink(connection) for each in (self._log, self._capture) if each)
        return tee(*([self._debug] if self._debug else []), *listeners)


class ConnectionLog:
    """Writes how connections come and go to the event log; an `alg.flow_news.FlowObserver`."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def connected(self, connection: int, client: Endpoint, called: Endpoint, target: Endpoint) -> None:
        """A connection stands; what the client called is what a proxy would have listened on."""
        self._log.connected(connection, _address(client), _address(called), _address(target))

    def refused(self, connection: int, client: Endpoint, target: Endpoint, reason: str) -> None:
        """The target did not take it."""
        self._log.refused(connection, _address(client), _address(target), reason)

    def closed(self, connection: int, reason: str, flow: TcpFlow) -> None:
        """It is over."""
        self._log.closed(connection, reason, flow)


def _address(endpoint: Endpoint) -> Address:
    return endpoint.address.decode(), endpoint.port


def _tun_complaint(failure: OSError) -> str:
    if failure.errno == errno.EINVAL:
        return "a device of that name is there already, and no tun device"
    return failure.strerror or str(failure)


def _say(line: str) -> None:
    click.echo(line, err=True)
