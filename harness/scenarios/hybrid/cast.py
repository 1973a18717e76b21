"""Everybody who takes part in a hybrid call, on one stage: name server, Expressways, Webex, CUCM, and a firewall.

Strategy: a `Dial` says what is wrong. Both Expressways are `harness.peers.expressway`; Webex and CUCM are user agents.
In the place of each of the four somebody else may be, and then nobody is played there.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults

from alg.tls.policy import Identity
from harness.capture.capture_file import CaptureFile, open_capture
from harness.console import say
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.expressway.settings import Expressway
from harness.peers.expressway import ExpresswayPeer, Surroundings
from harness.peers.firewall import Firewall
from harness.peers.webex import Webex
from harness.scenarios.hybrid import ground, seeing
from harness.scenarios.hybrid.connectivity import SYN, Report, check_connectivity
from harness.scenarios.hybrid.endpoints import play_cucm, play_webex, webex_tls
from harness.scenarios.hybrid.ground import Dial, Ground
from harness.scenarios.hybrid.knocking import Knocks
from harness.scenarios.hybrid.legs import CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX, Leg
from harness.scenarios.hybrid.names import PORT, Names
from harness.scenarios.hybrid.parties import Party, Stranger
from harness.scenarios.hybrid.silence import SilentPort
from harness.scenarios.hybrid.watching import Watch
from harness.scenarios.stage import Stage
from harness.sip.dns import Zone
from harness.sip.flow import Target
from harness.sip.resolve import SERVICES, Dns, Resolver, Service
from harness.sip.security import Layer
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address

TRACE: Final = "CUCM SDL trace"
"""Name of a log."""
TIMERS: Final = replace(Timers.scaled(0.05), timer_c=Timers().timer_c)
"""Ten times as fast as the RFC's; but who picks up may be a person."""
CONNECT: Final = 2.0
"""Seconds until a connection is given up: the kernel has repeated the first SYN by then."""
_SERVERS: Final = "l2sip-01.webex.example", "l2sip-02.webex.example"
_LOGS: Final = {EXPRESSWAY_E: "Expressway-E", EXPRESSWAY_C: "Expressway-C", CUCM: TRACE}
_TRUSTED: Final = {EXPRESSWAY_E: ("expressway-c-root", "webex-root"), EXPRESSWAY_C: ("expressway-e-root",)}
_ROOTS: Final = ("expressway-c-root", "expressway-e-root", "webex-root")
_GRAIN: Final = 0.01


class Cast:
    """All of them."""

    def __init__(self, stage: Stage, dial: Dial) -> None:
        """Nobody listens yet. ConfigError for certificates that cannot be used."""
        self.stage = stage
        self.dial = dial
        self.reactor: Any = stage.reactor
        self.ground = here = Ground(stage.network, stage.peers, stage.certificates is not None)
        self.facts: dict[str, str] = {}
        ours = [name for name in (EXPRESSWAY_E, EXPRESSWAY_C, WEBEX) if name not in stage.peers]
        self._pki = stage.pki(ours, _ROOTS)
        file = open_capture(str(stage.directory / "capture.pcapng"), None, "sipalg scenario", say)
        assert file is not None, "a file was named"
        self._file: CaptureFile = file
        self.watch = Watch(self.reactor, file, here)
        self.sights = self.watch.sights
        """What crosses the legs."""
        self._logs = {name: StringIO() for name in _LOGS if name not in stage.peers}
        self._around = ExitStack()
        self._going: list[Deferred[None]] = []
        self._listening: list[Callable[[], Address]] = []
        self._spare = stage.wait
        self._firewall: Firewall | None = None
        self._knocks: Knocks | None = None
        self._names = Names(self.reactor, self._zone(), file)
        self.questions = Dns(self.reactor, (here.name_server, PORT))
        self.trunk = Target("TCP", *here.trunk)
        """Where CUCM sends calls."""
        texts = here.configurations(dial)
        self._expressways = [
            self._expressway(name, settings, text)
            for name, settings, text in zip((EXPRESSWAY_E, EXPRESSWAY_C), Ground.parse(texts), texts, strict=True)
            if name in ours
        ]
        self.webex: Party = self._webex() if WEBEX in ours else Stranger(stage, WEBEX, self._knocked)
        self.cucm: Party = Stranger(stage, CUCM) if CUCM in stage.peers else self._cucm()

    async def open(self) -> None:
        """Listen, and have the traversal zone connected. Raises CannotListenError and OSError, and TimeoutError if a
        real Expressway-C does not come.
        """
        self._names.listen(self.ground.name_server)
        for peer in self._expressways:
            peer.listen()
        for listen in self._listening:
            listen()
        self._open_outside()
        if WEBEX in self.stage.peers:
            self._knocks = self._around.enter_context(closing(Knocks((self._exposed, ground.MTLS))))
        for peer in self._expressways:
            await peer.start()
            await peer.ask_neighbors()
        if EXPRESSWAY_C not in self.stage.peers or EXPRESSWAY_E in self.stage.peers:
            return
        (host, port), kind = self.ground.zone, self.ground.kind(Leg.ZONE)
        order = f"connect the traversal zone to {host}:{port} over {kind}, and send OPTIONS through it"
        if not await self.stage.expect(f"{EXPRESSWAY_C}: {order}", lambda: seeing.zone_stands(self.sights)):
            raise TimeoutError(f"{EXPRESSWAY_C} has not connected its traversal zone")

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether a condition comes to hold in time; strangers have some more, once."""
        begin = self.reactor.seconds()
        while not condition() and self.reactor.seconds() < begin + seconds + self._spare:
            await task.deferLater(self.reactor, _GRAIN)
        self._spare -= min(self._spare, max(0.0, self.reactor.seconds() - begin - seconds))
        return condition()

    @property
    def destination(self) -> str:
        """Where Webex sends calls, for those who do it by hand."""
        here, kind = self.ground, self.ground.kind(Leg.OUTSIDE)
        name = f"{SERVICES[kind]}.{ground.SIP_DESTINATION}"
        has = f"{self._exposed}:{ground.MTLS}" if self.dial.published else "nothing"
        return f"over {kind} at the SRV record {name}, for which DNS at {here.name_server}:{PORT} has {has}"

    @property
    def asked(self) -> bool:
        """Whether anybody has looked the SIP destination up."""
        return any(name.endswith(f"._tcp.{ground.SIP_DESTINATION}") for name, _ in self._names.zone.asked)

    @property
    def logs(self) -> dict[str, str]:
        """The diagnostic logs and the trace, by whose they are."""
        return {_LOGS[name]: sink.getvalue() for name, sink in self._logs.items()}

    @property
    def strangers(self) -> tuple[str, ...]:
        """Who tells nothing, and legs that nobody sees."""
        return (*self.stage.peers, *self.watch.unseen)

    def later(self, action: Coroutine[Any, Any, None]) -> None:
        """Have something go on beside the act."""
        self._going.append(Deferred.fromCoroutine(action))

    @property
    def tried(self) -> str:
        """`name:port` of each server of Webex's to which Expressway-E's SYN was repeated in vain."""
        names = dict(zip(self.ground.webex_hosts, _SERVERS, strict=True))
        found = [(names.get(host, host), port) for host, port in self.watch.unanswered(EXPRESSWAY_E)]
        return ", ".join(f"{name.partition('.')[0]}:{port}" for name, port in sorted(found)) or seeing.NONE

    async def close(self) -> None:
        """End everybody, and keep the logs."""
        await gatherResults(self._going)
        for party in (self.webex, self.cucm):
            await party.close()
        for peer in reversed(self._expressways):
            await peer.close()
        if self._firewall is not None:
            await self._firewall.close()
        await self._names.close()
        self._around.close()
        self.watch.close()
        self._file.close()
        for name, text in self.logs.items():
            self.stage.keep(f"{name.replace(' ', '-').lower()}.log", text)

    def _open_outside(self) -> None:
        """The firewall, and ports that drop what comes."""
        here, dial = self.ground, self.dial
        if dial.blocked_inbound:
            self._silence((here.public, ground.MTLS))
        elif dial.static_nat:
            self._firewall = Firewall(self.reactor, (), lambda: datetime.now(UTC))
            self._firewall.open((here.public, ground.MTLS), (here.expe, ground.MTLS), inbound=True)
        if not dial.override:
            self._silence((here.webex_hosts[0], ground.TLS))
        if dial.blocked_outbound:
            for host in here.webex_hosts:
                self._silence((host, ground.MTLS))

    def _silence(self, address: Address) -> None:
        self._around.enter_context(SilentPort(address))

    def _knocked(self) -> dict[str, str]:
        """What a stranger who is Webex has had from Expressway-E's port."""
        assert self._knocks is not None, "was opened for strangers"
        return {SYN: self._knocks.told(ground.MTLS in self.sights[Leg.OUTSIDE].messages.accepted)}

    @property
    def _exposed(self) -> str:
        """Expressway-E, as the Internet knows it."""
        return self.ground.public if self.dial.static_nat else self.ground.expe

    def _zone(self) -> Zone:
        """What everybody's DNS has."""
        here, dial, zone = self.ground, self.dial, Zone()
        zone.host(ground.NAME_OF_E, here.expe)
        zone.host("us-expe.example.com", self._exposed)
        if dial.published:
            published = Service("us-expe.example.com", ground.MTLS, 1, 10)
            zone.service(f"{SERVICES[here.kind(Leg.OUTSIDE)]}.{ground.SIP_DESTINATION}", published)
        first = (here.webex_hosts[0], ground.MTLS) if dial.silent_outside else here.webex
        for name, host in zip(_SERVERS, (first[0], here.webex_hosts[1]), strict=True):
            zone.host(name, host)
        used = _SERVERS if dial.blocked_outbound else _SERVERS[:1]
        services = [Service(name, first[1], 5, 10) for name in used]
        zone.service(f"{SERVICES[here.outside_kind(dial)]}.{ground.CALL_SERVICE}", *services)
        if dial.business:
            zone.service("_sips._tcp.sub.call.ciscospark.com", Service(_SERVERS[0], ground.TLS, 5, 10))
        return zone

    def _expressway(self, name: str, settings: Expressway, text: str) -> ExpresswayPeer:
        """With its own certificate, and those of its issuers."""
        self.stage.keep(f"{name}.toml", text)
        pki, shown, tap = self._pki, self._pki[name], self.watch.tap(name)
        around = Surroundings(
            log=DiagnosticLog(self._logs[name], settings.system.name, lambda: datetime.now(UTC), X8_10),
            questions=self.questions,
            identity=Identity((shown.certificate,), shown.key),
            trusted=tuple(pki.certificate(each) for each in (*pki.book.issuers(name), *_TRUSTED[name])),
            timers=TIMERS,
            connect_timeout=CONNECT,
            key_log=tap.secrets if self.watch.watches(name, Leg.ZONE) else None,
            wrap=tap.layer,
        )
        peer = ExpresswayPeer(self.reactor, settings, around)
        self.watch.attach(name, peer.element.transport)
        return peer

    def _webex(self) -> Party:
        """It listens unless a firewall is before it."""
        host, kind, tap = self.ground.webex_hosts[0], self.ground.kind(Leg.OUTSIDE), self.watch.tap(WEBEX)
        clear = webex_tls(self._pki, tap.secrets if self.watch.watches(WEBEX) else None)

        def secure(serves: bool, name: str) -> Layer:
            return tap.layer(clear(serves, name))

        async def find(webex: Webex) -> Report:
            resolver = Resolver(self.questions, kind, (kind,))
            return await check_connectivity(webex, resolver, ground.SIP_DESTINATION, self.watch.repeats, kind)

        transport = TransportSettings(source=host, connect_timeout=CONNECT, secure=secure)
        played = play_webex(self.reactor, self.dial.webex, TIMERS, transport, find, self.until)
        self.watch.attach(WEBEX, played.peer.element.transport)
        if not self.dial.blocked_outbound:
            listen = played.peer.element.transport.listen
            self._listening.append(lambda: listen(kind, (host, ground.MTLS), secure))
        return played

    def _cucm(self) -> Party:
        here, trace = self.ground, self._logs[CUCM]
        played = play_cucm(self.reactor, self.dial.cucm, here.cucm[0], TIMERS, trace, self.trunk, self.until)
        self.watch.attach(CUCM, played.peer.element.transport)
        self._listening.append(lambda: played.peer.listen(here.cucm))
        return played
