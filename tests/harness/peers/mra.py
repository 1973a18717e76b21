"""An Expressway-E and an Expressway-C over TCP, for those who test either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.phone import Phone, PhoneSettings
from harness.peers.traversal_client import Core, CoreSettings
from harness.peers.traversal_server import Edge, EdgeSettings
from harness.sip.flow import Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import SLOW, Remembering, close
from tests.harness.peers.turning import Turned

EDGE, CORE, CUCM, PHONE = "127.0.44.2", "127.0.44.3", "127.0.44.4", "127.0.44.5"


class Mra:
    """All four, connected; what each Expressway heard."""

    def __init__(self, turned: Turned, password: str = "phone-secret", connects: bool = True) -> None:
        self.turned = turned
        ports = free_port_pair(EDGE)
        settings = EdgeSettings(EDGE, EDGE, zone_port=ports, phones_port=ports + 1, kind="TCP", certificate=b"PEM\n")
        self.edge = Edge(turned.reactor, settings, _now, SLOW)
        self.edge.listen()
        self.cucm = Cucm(turned.reactor, CucmSettings(srtp_allowed=False), CUCM, StringIO(), timers=SLOW)
        cucm = Target("TCP", *self.cucm.listen((CUCM, 0)))
        core = CoreSettings(CORE, Target("TCP", EDGE, ports), cucm, {"phone.user": password})
        self.core = Core(turned.reactor, core, _now, SLOW)
        self.phone = Phone(turned.reactor, PhoneSettings(), PHONE, SLOW)
        self.where = [Target("TCP", EDGE, ports + 1)]
        self.at_edge, self.at_core, self.at_phone = Remembering(), Remembering(), Remembering()
        for peer, tap in ((self.edge, self.at_edge), (self.core, self.at_core), (self.phone, self.at_phone)):
            peer.element.transport.taps.append(tap)  # type: ignore[attr-defined]
        if connects:
            turned.result(self.core.connect())
            turned.until("the zone", lambda: self.edge.zone is not None and bool(self.at_core.came))

    def close(self) -> None:
        """End everybody."""
        close(self.turned, self.phone, self.edge, self.core, self.cucm)


MakeMra = Callable[..., Mra]


def _now() -> datetime:
    return datetime.now(UTC)
