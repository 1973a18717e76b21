"""Everybody who takes part in a hybrid call, on one stage: name server, Expressways, Webex, CUCM, and a firewall.

Strategy: a `Dial` says what is wrong. Both Expressways are `harness.peers.expressway`; Webex and CUCM are user agents,
in whose place somebody else may be. One capture has what tcpdump would show on Expressway-E, on Expressway-C's side of
the trunk, and at Webex of connections that never stood.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults

from alg.direction import Direction
from alg.tls.policy import Identity
from harness.ca import Pki, load_recipes, make
from harness.capture.capture_file import CaptureFile, open_capture
from harness.console import say
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.expressway.settings import Expressway
from harness.peers.cucm import Cucm
from harness.peers.expressway import ExpresswayPeer, Surroundings
from harness.peers.expressway_capture import PacketTap, Side, syn_repeated
from harness.peers.firewall import Firewall
from harness.peers.tls_trust import Certificates
from harness.peers.webex import Webex
from harness.scenarios.scenario import Part
from harness.scenarios.stage import Stage
from harness.scenarios.traversal import ground
from harness.scenarios.traversal.endpoints import Endpoint, make_cucm, make_webex, webex_tls
from harness.scenarios.traversal.ground import Dial, Ground
from harness.scenarios.traversal.messages import Messages
from harness.scenarios.traversal.names import PORT, Names
from harness.scenarios.traversal.silence import SilentPort
from harness.sip.dns import Zone
from harness.sip.flow import Target
from harness.sip.resolve import Dns, Service
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address

WEBEX: Final = "webex"
CUCM: Final = "cucm"
"""Peers that a real one may stand in for."""
CUCM_PART: Final = Part(CUCM, 21, f"TCP {ground.CUCM_PORT}", "answers the call")
WEBEX_PART: Final = Part(WEBEX, 70, f"TLS {ground.MTLS}", "answers the call, over TCP")
TIMERS: Final = Timers.scaled(0.05)
"""Ten times as fast as the RFC's."""
CONNECT: Final = 2.0
"""Seconds until a connection is given up: the kernel has repeated the first SYN by then."""
_SERVERS: Final = "l2sip-01.webex.example", "l2sip-02.webex.example"
_RECIPES: Final = ("expressway-e", "expressway-c", "webex")
_GRAIN: Final = 0.01


class Cast:
    """All of them."""

    def __init__(self, stage: Stage, dial: Dial) -> None:
        """Nobody listens yet."""
        self.stage = stage
        self.dial = dial
        self.reactor: Any = stage.reactor
        cucm = stage.peers.get(CUCM)
        self.ground = Ground(stage.network, cucm or (stage.network.host(21), ground.CUCM_PORT), stage.peers.get(WEBEX))
        self.facts: dict[str, str] = {}
        file = open_capture(str(stage.directory / "capture.pcapng"), None, "sipalg scenario", say)
        assert file is not None, "a file was named"
        self._file: CaptureFile = file
        self._logs = {"Expressway-E": StringIO(), "Expressway-C": StringIO()}
        self._taps: list[PacketTap] = []
        self._around = ExitStack()
        self._going: list[Deferred[None]] = []
        self._firewall: Firewall | None = None
        self._pki = make(load_recipes(), datetime.now(UTC), _RECIPES)
        self._names = Names(self.reactor, self._zone(), file)
        self.questions = Dns(self.reactor, (self.ground.name_server, PORT))
        self.at_expe, self.at_expc = Messages(), Messages()
        """What crosses the Expressways."""
        self.trunk = Target("TCP", self.ground.expc, 5060)
        """Where CUCM sends calls."""
        texts = self.ground.configurations(dial)
        for name, text in zip(("expressway-e.toml", "expressway-c.toml"), texts, strict=True):
            stage.keep(name, text)
        settings = Ground.parse(texts)
        trusted = {"Expressway-E": ("expressway-c-root", "webex-root"), "Expressway-C": ("expressway-e-root",)}
        self.expe, self.expc = (
            self._expressway(name, each, trusted[name], side, messages)
            for name, each, side, messages in (
                ("Expressway-E", settings[0], _all, self.at_expe),
                ("Expressway-C", settings[1], self._trunk_side, self.at_expc),
            )
        )
        self.webex = self._webex() if self.ground.webex is None else None
        self.cucm = self._cucm() if cucm is None else None

    async def open(self) -> None:
        """Listen, and connect the traversal zone. Raises CannotListenError and OSError."""
        self._names.listen(self.ground.name_server)
        self.expe.listen()
        self.expc.listen()
        self._open_outside()
        if self.cucm is not None:
            self.cucm.peer.listen(self.ground.cucm)
        await self.expe.start()
        active = await self.expc.start()
        self.facts["traversal zone"] = "active" if active else "failed"

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether a condition comes to hold in time."""
        end = self.reactor.seconds() + seconds
        while not condition() and self.reactor.seconds() < end:
            await task.deferLater(self.reactor, _GRAIN)
        return condition()

    @property
    def logs(self) -> dict[str, str]:
        """The diagnostic logs, by whose they are."""
        return {name: sink.getvalue() for name, sink in self._logs.items()}

    def later(self, action: Coroutine[Any, Any, None]) -> None:
        """Have something go on beside the act."""
        self._going.append(Deferred.fromCoroutine(action))

    def repeats(self, target: Target) -> int:
        """How often a SYN to a target was repeated, as nobody answered."""
        return max((tap.repeats.get(target.address, 0) for tap in self._taps), default=0)

    @property
    def unanswered(self) -> list[str]:
        """`name:port` of each server of Webex's to which Expressway-E's SYN was repeated in vain."""
        names = dict(zip(self.ground.webex_hosts, _SERVERS, strict=True))
        found = [(names.get(host, host), port) for (host, port), count in self._taps[0].repeats.items() if count]
        return [f"{name.partition('.')[0]}:{port}" for name, port in sorted(found)]

    async def close(self) -> None:
        """End everybody, and keep the logs."""
        await gatherResults(self._going)
        for end in (self.webex, self.cucm):
            if end is not None:
                await end.peer.close()
        await self.expc.close()
        await self.expe.close()
        if self._firewall is not None:
            await self._firewall.close()
        await self._names.close()
        self._around.close()
        for tap in self._taps:
            tap.close()
        self._file.close()
        for name, text in self.logs.items():
            self.stage.keep(f"{name.lower()}.log", text)

    def _open_outside(self) -> None:
        """Webex, the firewall, and ports that drop what comes."""
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
        elif self.webex is not None:
            address = here.webex_hosts[0], ground.MTLS
            self.webex.peer.element.transport.listen("TLS", address, webex_tls(self._pki))

    def _silence(self, address: Address) -> None:
        self._around.enter_context(SilentPort(address))

    def _zone(self) -> Zone:
        """What everybody's DNS has."""
        here, dial, zone = self.ground, self.dial, Zone()
        zone.host(ground.EXPRESSWAY_E, here.expe)
        zone.host("us-expe.example.com", here.public if dial.static_nat else here.expe)
        if dial.published:
            zone.service(f"_sips._tcp.{ground.SIP_DESTINATION}", Service("us-expe.example.com", ground.MTLS, 1, 10))
        if here.webex is not None:
            zone.host(_SERVERS[0], here.webex[0])
            zone.service(f"_sip._tcp.{ground.CALL_SERVICE}", Service(_SERVERS[0], here.webex[1], 5, 10))
            return zone
        for name, host in zip(_SERVERS, here.webex_hosts, strict=True):
            zone.host(name, host)
        used = _SERVERS if dial.blocked_outbound else _SERVERS[:1]
        zone.service(f"_sips._tcp.{ground.CALL_SERVICE}", *(Service(name, ground.MTLS, 5, 10) for name in used))
        if dial.business:
            zone.service("_sips._tcp.sub.call.ciscospark.com", Service(_SERVERS[0], ground.TLS, 5, 10))
        return zone

    def _expressway(
        self, name: str, settings: Expressway, trusted: tuple[str, ...], side: Side, messages: Messages
    ) -> ExpresswayPeer:
        """With its own certificate, and those of its issuers."""
        recipe = name.lower()
        shown = self._pki[recipe]
        issuers = self._pki.book.issuers(recipe)
        anchors = certificates(self._pki, (*issuers, *trusted))
        log = DiagnosticLog(self._logs[name], settings.system.name, lambda: datetime.now(UTC), X8_10)
        tap = self._tap(side)
        around = Surroundings(
            log=log,
            questions=self.questions,
            identity=Identity((shown.certificate,), shown.key),
            trusted=anchors,
            timers=TIMERS,
            connect_timeout=CONNECT,
            key_log=tap.secrets if side is _all else None,
            wrap=tap.layer,
        )
        peer = ExpresswayPeer(self.reactor, settings, around)
        peer.element.transport.taps += [tap, messages]
        return peer

    def _webex(self) -> Endpoint[Webex]:
        host = self.ground.webex_hosts[0]
        transport = TransportSettings(source=host, connect_timeout=CONNECT, secure=webex_tls(self._pki))
        webex = make_webex(self.reactor, ground.ALICE, TIMERS, transport)
        webex.peer.element.transport.taps.append(self._tap(lambda local, remote: Direction.INWARD, failed_only=True))
        return webex

    def _cucm(self) -> Endpoint[Cucm]:
        return make_cucm(self.reactor, ground.DOMAIN, self.ground.cucm[0], TIMERS)

    def _tap(self, side: Side, failed_only: bool = False) -> PacketTap:
        tap = PacketTap(self.reactor, self._file, side, syn_repeated, failed_only)
        self._taps.append(tap)
        return tap

    def _trunk_side(self, local: Address, remote: Address) -> Direction | None:
        """Of Expressway-C the trunk alone: Expressway-E has captured the rest."""
        return Direction.OUTWARD if remote[0] == self.ground.cucm[0] else None


def certificates(pki: Pki, names: tuple[str, ...]) -> Certificates:
    """Those of recipes."""
    return tuple(pki[name].certificate for name in names)


def _all(local: Address, remote: Address) -> Direction | None:
    """Everything, on the interface that looks there: Expressway-C is inside, and Webex's addresses are above it."""
    inside = ground.number(remote[0]) < ground.FIRST_OUTSIDE
    return Direction.OUTWARD if inside else Direction.INWARD
