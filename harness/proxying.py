"""One run of a proxy: from its settings to the end of the last connection."""

from __future__ import annotations

import signal
import time
from typing import Any, TextIO

from twisted.internet import error, task

from alg.connection import Alg
from alg.edge.entrance import Address, Entrance
from alg.edge.inspecting import ListenerInspection
from alg.edge.media import UdpDoors
from alg.edge.proxy import AlgProxy
from alg.errors import ConfigError
from alg.ios_debug import IosDebug
from alg.nat.media import MediaDoors
from harness.capture.recorder import open_recorder
from harness.commands.options import flags
from harness.console import ConsoleObserver, say
from harness.descriptors import raise_descriptor_limit
from harness.events import EventLog, open_events
from harness.inspection import Inspections, open_clear
from harness.interception import Rules
from harness.settings import Flags, alg_config, listeners, load_settings

_EXPIRY_INTERVAL = 5.0
"""seconds"""


def proxy_flags(options: dict[str, Any]) -> Flags:
    """The flags among the options of the command."""
    own = ("sip_ports", "media", "transparent", "intercept", "source", "tls_inspect")
    return flags(options, **{name: options[name] for name in own})


class ProxyRun:
    """One run of the command, from its options to its exit status."""

    def __init__(self, reactor: Any, options: dict[str, Any]) -> None:
        self._reactor = reactor
        self._config_file: str | None = options["config"]
        self._flags = proxy_flags(options)
        settings = load_settings(self._config_file)
        self._listeners = listeners(settings, self._flags, options["listen"], options["to"], options["side"])
        config = alg_config(settings, self._flags)
        events = options["events"] or settings.events
        self._file: TextIO | None = open_events(events) if events else None
        self._capture = open_recorder(options["capture"], settings.capture.file, say)
        self._inspections = Inspections(len(self._listeners), options, self._capture, open_clear(options, settings))
        self._inspections.put(*self._inspections.read(settings, self._flags), mapped=bool(config.nat.maps))
        debug = options["debug_ip_nat_sip"] or settings.debug_ip_nat_sip
        self._observer = ConsoleObserver(
            EventLog(self._file, time.time) if self._file else None,
            IosDebug(say) if debug else None,
            [each for each in (self._capture, self._inspections.clear) if each],
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
        inspected = zip(self._listeners, self._inspections.listeners, strict=True)
        self._bound = [(listener, self._listen(listener, inspection)) for listener, inspection in inspected]
        try:
            self._install_rules()
            self._serve()
        finally:
            self._remove_rules()
        if self._file is not None:
            self._file.close()
        if self._capture is not None:
            self._capture.close()
        self._inspections.close()
        return 0

    def _serve(self) -> None:
        for _, (host, port) in self._bound:
            say(f"listening on {host}:{port}")
        expiry = task.LoopingCall(self._proxy.expire)
        expiry.clock = self._reactor
        expiry.start(_EXPIRY_INTERVAL, now=False)
        self._reactor.run(installSignalHandlers=False)

    def _install_rules(self) -> None:
        if self._rules is not None:
            self._rules.install(self._bound, self._alg.config)

    def _remove_rules(self) -> None:
        for complaint in self._rules.remove() if self._rules else ():
            say(f"sipalg proxy: {complaint}")

    def _listen(self, listener: Entrance, inspection: ListenerInspection) -> Address:
        try:
            return self._proxy.listen(listener, inspection)
        except error.CannotListenError as failure:
            reason = failure.socketError.strerror or failure.socketError
            raise ConfigError(f"--listen {listener.listen[0]}:{listener.listen[1]}: {reason}") from None

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
            settings = load_settings(self._config_file)
            inspection = self._inspections.read(settings, self._flags)
            config = alg_config(settings, self._flags)
            self._alg.reconfigure(config)
            self._inspections.put(*inspection, mapped=bool(config.nat.maps))
            self._install_rules()
        except ConfigError as failure:
            say(f"sipalg proxy: configuration kept: {failure}")
        else:
            say("configuration reloaded")
