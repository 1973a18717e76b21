"""An element that a call passes on its way between two neighbours, such as an Expressway between CUCM and Webex.

Strategy: a stateful proxy with one listening address. What comes from the inner neighbour goes to the outer one, and
everything else goes inside; requests within a dialog go where their Routes say. It has a log, and Vias and
Record-Routes of the size that an Expressway's have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, Final

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.element_log import ElementLog
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Target
from harness.sip.message import Request
from harness.sip.proxying import Branch, Plan, Proxy, ProxySettings
from harness.sip.resolve import locate_literal
from harness.sip.server import ServerTransaction
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address

_CALL: Final = "a3a78ee2-c01b-4741-b29b-55aede256d2f"
"""Of a `proxy-call-id`."""


@dataclass(frozen=True, slots=True)
class HopSettings:
    """Where it stands."""

    name: str
    """Host name in its log."""
    address: Address
    inside: Target
    outside: Target
    zone: str = "DefaultZone"
    """`egress-zone` in its Vias."""


class Hop:
    """One of them."""

    def __init__(self, reactor: Any, settings: HopSettings, clock: Callable[[], datetime], timers: Timers) -> None:
        """`clock` has the time of its log; aware."""
        self.settings = settings
        self.log = StringIO()
        via = (("egress-zone", settings.zone), ("proxy-call-id", _CALL))
        transport = TransportSettings(source=settings.address[0])
        self.element = Element(reactor, ElementSettings(timers, transport, via_params=via))
        self.element.transport.taps.append(ElementLog(DiagnosticLog(self.log, settings.name, clock)))
        proxying = ProxySettings(
            locate_literal("TCP"), self._route, route_user=f"proxy-call-id={_CALL}", double_record_route=True
        )
        self.element.core = Proxy(self.element, proxying)

    def listen(self) -> Address:
        """Open its port. Raises CannotListenError."""
        return self.element.transport.listen("TCP", self.settings.address)

    async def close(self) -> None:
        """End everything."""
        await self.element.close()

    def _route(self, request: Request, transaction: ServerTransaction) -> Plan:
        from_inside = transaction.flow.remote[0] == self.settings.inside.host
        return [Branch(request, [self.settings.outside if from_inside else self.settings.inside])]
