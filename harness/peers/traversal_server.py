"""An Expressway-E as far as Mobile and Remote Access needs it: phones come in, the Expressway-C has connected.

Strategy: a REGISTER is challenged; one with credentials is held while a SERVICE asks the Expressway-C about them, over
the connection that it made. A 200 lets the REGISTER follow on the same connection; anything else goes to the phone, and
the Expressway-C never hears of the REGISTER (seed 002).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, Final

from twisted.internet.defer import Deferred

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.element_log import ElementLog
from harness.peers.traversal_service import PRODUCT, apparent_route, compose
from harness.sip.client import Failure
from harness.sip.digest import Challenge, choose, parameters
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, FlowFailed
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Plan, Proxy, ProxySettings, Refuse
from harness.sip.resolve import locate_literal
from harness.sip.security import Secure
from harness.sip.server import ServerTransaction
from harness.sip.timers import Timers
from harness.sip.uri import Address

ZONE_PORT: Final = 7003


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """One Expressway-E."""

    address: str
    """Of its NIC."""
    public: str
    """What it calls itself: `IPv4 static NAT address`, or the address of its NIC."""
    zone_address: str = ""
    """Of its inner NIC, where the Expressway-C connects to; empty for a single NIC."""
    zone_port: int = ZONE_PORT
    zone: str = "UCTraversal"
    phones_port: int = 5061
    kind: str = "TLS"
    """TLS or TCP: of the zone and of the phones."""
    realm: str = "expe.example.com"
    domain: str = "cucm02.example.local"
    """Of the CUCM behind the Expressway-C."""
    certificate: bytes = b""
    """Its own, PEM; goes into the SERVICE."""


class Edge:
    """One of them."""

    def __init__(
        self, reactor: Any, settings: EdgeSettings, clock: Callable[[], datetime], timers: Timers | None = None
    ) -> None:
        """`clock` has the time of its log; aware."""
        self.settings = settings
        self.log = StringIO()
        self._clock = clock
        self._challenges: set[str] = set()
        """Nonces."""
        self._phones: set[Address] = set()
        """Where those are whose credentials were right."""
        via = (("egress-zone", settings.zone),)
        element = ElementSettings(timers or Timers(), advertised=self._advertised, via_params=via)
        self.element = Element(reactor, element)
        self.element.transport.taps.append(ElementLog(DiagnosticLog(self.log, "expe", clock)))
        proxying = ProxySettings(locate_literal(settings.kind), self._route, is_own=lambda uri: uri.host in self._own)
        self.proxy = Proxy(self.element, proxying)
        self.element.core = self.proxy

    def listen(self, zone: Secure | None = None, phones: Secure | None = None) -> None:
        """Open both ports; TLS needs its layers. Raises CannotListenError."""
        settings, transport = self.settings, self.element.transport
        inner = settings.zone_address or settings.address
        transport.listen(settings.kind, (inner, settings.zone_port), zone)
        transport.listen(settings.kind, (settings.address, settings.phones_port), phones)

    @property
    def zone(self) -> Flow | None:
        """The connection that the Expressway-C has made."""
        port = self.settings.zone_port
        standing = (each for each in self.element.transport.connections if each.serves and each.local[1] == port)
        return next((each for each in standing if each.open), None)

    async def close(self) -> None:
        """End everything."""
        await self.element.close()

    @property
    def _own(self) -> tuple[str, ...]:
        return self.settings.public, self.settings.address, self.settings.zone_address

    def _advertised(self, flow: Flow) -> Address:
        settings = self.settings
        zone = flow.serves and flow.local[1] == settings.zone_port
        if zone:
            return settings.zone_address or settings.public, settings.zone_port
        return settings.public, settings.phones_port

    def _route(self, request: Request, transaction: ServerTransaction) -> Plan | Deferred[Plan]:
        if request.method == "OPTIONS" and transaction.flow is self.zone:
            return Refuse(200)
        if request.method != "REGISTER":
            return self._pass_on(request, transaction)
        proof = next((each for each in request.all("Proxy-Authorization") if self._knows(each)), None)
        if proof is None:
            return self._challenge()
        flow = self.zone
        if flow is None:
            return Refuse(503)
        return self._ask(request, proof, flow, transaction.flow)

    def _pass_on(self, request: Request, transaction: ServerTransaction) -> Plan:
        """Of a phone that has registered over this connection, to the Expressway-C."""
        zone = self.zone
        if transaction.flow.remote not in self._phones or zone is None:
            return Refuse(403)
        return [Branch(request.push("Route", apparent_route(zone.remote, zone.kind)), zone)]

    def _challenge(self) -> Refuse:
        nonce = self.element.tokens.nonce()
        self._challenges.add(nonce)
        challenge = Challenge(self.settings.realm, nonce)
        assert choose([str(challenge)]) is not None, "is one that can be answered"
        return Refuse(407, fields=(("Proxy-Authenticate", str(challenge)), ("Server", PRODUCT)))

    def _knows(self, proof: str) -> bool:
        """Whether it answers a challenge of ours; SipSyntaxError if it is no digest."""
        return parameters(proof).get("nonce", "") in self._challenges

    def _ask(self, register: Request, proof: str, flow: Flow, phone: Flow) -> Deferred[Plan]:
        """The Expressway-C about credentials; it is found by where its connection comes from."""
        settings = self.settings
        apparent = apparent_route(flow.remote, flow.kind)
        service = compose(
            register, proof, settings.domain, apparent, settings.certificate, self._clock(), self.element.tokens
        )
        plan: Deferred[Plan] = Deferred()

        def heard(response: Response) -> None:
            if response.success:
                forwarded = register.drop("Proxy-Authorization").push("Route", apparent)
                self._phones.add(phone.remote)
                plan.callback([Branch(forwarded, flow)])
            elif not response.provisional:
                plan.callback(Refuse(response.status, response.reason))

        def failed(failure: Failure | FlowFailed) -> None:
            plan.callback(Refuse(408))

        self.element.send(service, flow, heard, failed)
        return plan
