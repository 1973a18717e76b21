"""An Expressway-C as far as Mobile and Remote Access needs it: it connects to the Expressway-E, and CUCM is behind it.

Strategy: it says by OPTIONS that it is there. A request whose first Route is itself goes on: a SERVICE is answered
here, a REGISTER goes to CUCM. It knows itself by the addresses of its own ends, and by no other: a Route with an
address that a firewall made of them is somebody else's to it, to whom it tries to connect, four times, before it says
408 (seed 002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any, Final

from twisted.internet.defer import Deferred

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.element_log import ElementLog
from harness.peers.traversal_service import PRODUCT, question
from harness.sip.client import Failure
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, FlowFailed, Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Plan, Proxy, ProxySettings
from harness.sip.resolve import literal_target, locate_literal
from harness.sip.routing import next_hop
from harness.sip.security import Secure
from harness.sip.server import ServerTransaction
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import SipUri

_ATTEMPTS: Final = 4
"""To connect to a Route (seed 002: from ports 27921 to 27924)."""
_AUTHENTICATOR_PARAMETER: Final = "vcs-cate"


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """One Expressway-C."""

    address: str
    zone: Target
    """The Expressway-E as it is reached: transport, address, port of the traversal zone."""
    cucm: Target
    passwords: Mapping[str, str] = field(default_factory=dict)
    """Of the people whose phones may register, by user name."""
    port: int = 5061
    """Of itself, in Warnings."""


class Core:
    """One of them."""

    def __init__(
        self,
        reactor: Any,
        settings: CoreSettings,
        clock: Callable[[], datetime],
        timers: Timers | None = None,
        secure: Secure | None = None,
    ) -> None:
        """`clock` has the time of its log, aware; `secure` is the TLS of the zone."""
        self.settings = settings
        self.log = StringIO()
        transport = TransportSettings(source=settings.address, secure=secure)
        self.element = Element(reactor, ElementSettings(timers or Timers(), transport))
        self.element.transport.taps.append(ElementLog(DiagnosticLog(self.log, "expc", clock)))
        proxying = ProxySettings(
            locate_literal(settings.zone.transport),
            self._route,
            is_own=self._is_own,
            status_of=lambda trouble: 408,
            warning=f"{settings.address}:{settings.port}",
        )
        self.proxy = Proxy(self.element, proxying)
        self.proxy.on_response = _signed
        self.element.core = self.proxy

    def connect(self) -> Deferred[Flow]:
        """To the Expressway-E; fires once it has answered an OPTIONS, or does not; fails with FlowFailed."""
        return self.element.transport.flow_to(self.settings.zone).addCallback(self._greet)

    async def close(self) -> None:
        """End everything."""
        await self.element.close()

    def _greet(self, zone: Flow) -> Deferred[Flow]:
        """What is answered does not matter: who answers has a zone, and who does not may have one."""
        answered: Deferred[Flow] = Deferred()

        def heard(outcome: Response | Failure | FlowFailed) -> None:
            final = not (isinstance(outcome, Response) and outcome.provisional)
            if final and not answered.called:
                answered.callback(zone)

        tokens, host = self.element.tokens, self.settings.address
        fields = (
            ("Call-ID", tokens.call_id(host)),
            ("CSeq", "1 OPTIONS"),
            ("From", f"<sip:{host}>;tag={tokens.tag()}"),
            ("To", f"<sip:{self.settings.zone.host}>"),
            ("Max-Forwards", "15"),
            ("User-Agent", PRODUCT),
        )
        request = Request.make("OPTIONS", f"sip:{self.settings.zone.host}", fields)
        self.element.send(request, zone, heard, heard)
        return answered

    def _is_own(self, uri: SipUri) -> bool:
        """An end of a connection of ours, where we listen, or a service of our own."""
        if _AUTHENTICATOR_PARAMETER in uri.params:
            return True
        ends = [each.local for each in self.element.transport.connections]
        return uri.address in ends or self.element.is_own(*uri.address)

    def _route(self, request: Request, transaction: ServerTransaction) -> Plan:
        if request.values("Route"):
            return [Branch(request, [literal_target(next_hop(request), self.settings.zone.transport)] * _ATTEMPTS)]
        if request.method == "SERVICE":
            transaction.respond(self._answer(request))
            return None
        return [Branch(request, [self.settings.cucm])]

    def _answer(self, request: Request) -> Response:
        good = question(request).answered_by(dict(self.settings.passwords))
        fields = [("Server", PRODUCT)]
        return Response.to_request(request, 200 if good else 403, "", fields, self.element.tokens.tag())


def _signed(response: Response, flow: Flow) -> Response:
    """A failure says whose it is, before it says why."""
    if response.status < 300 or response.body or response.first("Server"):
        return response
    bare = response.drop("Warning", "Content-Length").put("Server", PRODUCT)
    return bare.put("Warning", *response.all("Warning"))
