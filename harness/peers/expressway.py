"""An Expressway-C or Expressway-E: a SIP proxy that is configured as the product is, and logs as the product does.

    peer = ExpresswayPeer(reactor, parse_expressway(text, "expe.toml"), Surroundings(log, questions))
    peer.listen()
    await peer.start()

Strategy: which of the two it is, its zones say: a traversal client connects, and keeps the connection with OPTIONS; a
traversal server waits. Whether neighbors are there `ask_neighbors` asks. Listeners are those of `[system]` and one for
each traversal server zone. Who comes in through which zone is `ZoneDirectory`'s, where it goes `CallRouter`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred

from alg.tls.policy import Identity, TlsVersion
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.settings import (
    DefaultZone,
    DnsZone,
    Expressway,
    NeighborZone,
    TraversalClientZone,
    TraversalServerZone,
)
from harness.peers.expressway_log import ExpresswayLog
from harness.peers.expressway_search import CallRouter
from harness.peers.expressway_tls import ExpresswayLayer, PeerTrust
from harness.peers.expressway_zones import ZoneDirectory
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import Certificates, ExpresswayTrust, Trust
from harness.sip.client import Failure
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Proxy
from harness.sip.resolve import NotFound, Questions, Resolver
from harness.sip.security import Layer, Secure
from harness.sip.server import ServerTransaction
from harness.sip.timers import Alarms, Timers
from harness.sip.tokens import Tokens
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address, SipUri


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything about an Expressway that is not configured on it."""

    log: DiagnosticLog
    questions: Questions
    """Its DNS servers."""
    identity: Identity | None = None
    """Its certificate. Without one there is no TLS here."""
    trusted: Certificates = ()
    """Trusted CA certificate list."""
    timers: Timers = field(default_factory=Timers)
    connect_timeout: float = 10.0
    """seconds"""
    keep_alive: float = 20.0
    """Seconds between two OPTIONS through a traversal zone (TCPProbe KeepAliveInterval)."""
    clock: Callable[[], datetime] = _now
    """Judges certificates; aware."""
    tokens: Tokens | None = None
    key_log: Callable[[bytes], None] | None = None
    """Gets lines of the SSLKEYLOGFILE format."""
    wrap: Callable[[Layer], Layer] = lambda layer: layer
    """Put around the TLS of each connection: a capture, for one."""


class ExpresswayPeer:
    """One of them; a `harness.sip` core."""

    def __init__(self, reactor: Any, expressway: Expressway, around: Surroundings) -> None:
        """ConfigError for a certificate that cannot be used."""
        self.expressway = expressway
        self._around = around
        self._alarms = Alarms(reactor)
        self._directory = ZoneDirectory(expressway, around.questions, around.log)
        secure = self._secure_outbound if around.identity is not None else None
        transport = TransportSettings(
            connect_timeout=around.connect_timeout, source=expressway.system.address_1, secure=secure
        )
        settings = ElementSettings(around.timers, transport, self._advertised)
        self.element = Element(reactor, settings, around.tokens)
        self.element.transport.taps += [ExpresswayLog(around.log), _Forgetting(self)]
        resolver = Resolver(around.questions, "TCP")
        self.router = CallRouter(self.element, expressway, self._directory, resolver, self._is_own, around.log)
        self._proxy = Proxy(self.element, self.router.settings())
        self._proxy.on_response = self.router.on_response
        self.element.core = self

    def listen(self) -> None:
        """Open the ports. Raises twisted.internet.error.CannotListenError."""
        system, secure = self.expressway.system, self._around.identity is not None
        for host in filter(None, (system.address_1, system.address_2)):
            if system.tls_mode and secure:
                self._listen("TLS", (host, system.tls_port), None)
            if system.mtls_mode and secure:
                self._listen(
                    "TLS", (host, system.mtls_port), ExpresswayTrust(self._around.trusted, self.expressway, "")
                )
            if system.tcp_mode:
                self._listen("TCP", (host, system.tcp_port), None)
            for zone in self.expressway.zones:
                if isinstance(zone, TraversalServerZone):
                    by_name = PeerTrust(self._around.trusted, zone.name, bool(zone.tls_verify), zone.tls_subject)
                    self._listen(zone.transport.value, (host, zone.port), by_name)

    async def start(self) -> bool:
        """Look up the peers, and connect the traversal client zones; whether all of them are active."""
        await self._directory.learn_peers()
        zones = [zone for zone in self.expressway.zones if isinstance(zone, TraversalClientZone)]
        answers = [await self._keep_asking(zone) for zone in zones]
        return all(answers)

    async def ask_neighbors(self) -> bool:
        """OPTIONS to the first peer of each neighbor zone, once; whether all of them answer with success."""
        zones = [zone for zone in self.expressway.zones if isinstance(zone, NeighborZone)]
        return all([await self._probe(zone) for zone in zones])

    async def close(self) -> None:
        """End everything."""
        self._alarms.stop_all()
        self._proxy.abandon()
        await self.element.close()

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """`Core.request_came`."""
        if request.method == "OPTIONS":
            self._directory.probed(transaction.flow)
        self.router.came(request, transaction.flow)
        self._proxy.request_came(request, transaction)

    def ack_came(self, request: Request, flow: Flow) -> None:
        """`Core.ack_came`."""
        self._proxy.ack_came(request, flow)

    def lost(self, flow: Flow) -> None:
        """A connection is gone."""
        self._directory.forget(flow)
        self.router.forget(flow)

    def _listen(self, kind: str, address: Address, trust: Trust | None) -> None:
        def secure(serves: bool, name: str) -> Layer:
            return self._layer(trust, serves, name)

        layer: Secure | None = secure if kind == "TLS" else None
        self.element.transport.listen(kind, address, layer)

    def _secure_outbound(self, serves: bool, name: str) -> Layer:
        """TLS of a connection that we make, for the zone that had its target looked up."""
        zone = self.expressway.zone(self._directory.name_of(name))
        trusted = self._around.trusted
        trust: Trust | None = None
        if isinstance(zone, DnsZone):
            trust = ExpresswayTrust(trusted, self.expressway, zone.name)
        elif isinstance(zone, TraversalClientZone):
            trust = PeerTrust(trusted, zone.name, bool(zone.tls_verify), name)
        return self._layer(trust, serves, name)

    def _layer(self, trust: Trust | None, serves: bool, name: str) -> Layer:
        around = self._around
        assert around.identity is not None, "no TLS without a certificate"
        anchors = trust or PeerTrust(around.trusted, "", False, "")
        context = PeerContexts(around.identity, anchors, TlsVersion.TLS_1_2, around.clock).new()
        layer = ExpresswayLayer(context, trust, serves, name, around.log, self._directory.admit, around.key_log)
        return around.wrap(layer)

    def _advertised(self, flow: Flow) -> Address:
        """The port that a connection came in on; of one that we made, the port that its zone's requests come in on."""
        system = self.expressway.system
        zone = self._directory.zone_of(flow)
        outside = system.static_nat_mode and isinstance(zone, DnsZone | DefaultZone)
        host = system.static_nat_address if outside else flow.local[0]
        if flow.serves:
            return host, flow.local[1]
        if flow.kind != "TLS":
            return host, system.tcp_port
        mutual = isinstance(zone, DnsZone) and zone.tls_verify and system.mtls_mode
        return host, system.mtls_port if mutual else system.tls_port

    def _is_own(self, uri: SipUri) -> bool:
        """One of the ports that it listens on, inside or outside."""
        host, port = uri.address
        system = self.expressway.system
        if system.static_nat_mode and host == system.static_nat_address:
            host = system.address_1
        return self.element.is_own(host, port)

    async def _probe(self, zone: TraversalClientZone | NeighborZone) -> bool:
        """OPTIONS to the first peer of a zone."""
        answered: Deferred[bool] = Deferred()
        try:
            targets = await self._directory.targets(zone, "")
        except NotFound:
            return False

        def respond(response: Response) -> None:
            if not response.provisional:
                answered.callback(response.success)

        def fail(reason: Failure | FlowFailed) -> None:
            answered.callback(False)

        self.element.send(self._options(targets[0]), targets, respond, fail)
        return await answered

    async def _keep_asking(self, zone: TraversalClientZone) -> bool:
        """OPTIONS through a traversal zone; the next one follows by itself."""
        active = await self._probe(zone)
        if self.element.core is not None:
            self._alarms.set(zone.name, self._around.keep_alive, lambda: self._ask_again(zone))
        return active

    def _ask_again(self, zone: TraversalClientZone) -> None:
        Deferred.fromCoroutine(self._keep_asking(zone))

    def _options(self, target: Target) -> Request:
        tokens, here = self.element.tokens, self.expressway.system.address_1
        there = f"sip:{target.host}:{target.port};transport={target.transport.lower()}"
        fields = (
            ("Max-Forwards", "70"),
            ("From", f"<sip:{here}>;tag={tokens.tag()}"),
            ("To", f"<{there}>"),
            ("Call-ID", tokens.call_id(here)),
            ("CSeq", f"{tokens.number(2**15)} OPTIONS"),
            ("User-Agent", "TANDBERG/4135 (X8.10.2)"),
        )
        return Request.make("OPTIONS", there, fields)


class _Forgetting(Tap):
    def __init__(self, peer: ExpresswayPeer) -> None:
        self._peer = peer

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        self._peer.lost(flow)
