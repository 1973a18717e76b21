"""Everybody who takes part in a phone's registration, on one stage, and who sees what crosses.

Strategy: each part is ours or somebody else's (`parties`). Whichever of two ends is ours remembers what crosses between
them. The capture is the Expressway-C's, but for a traversal zone that a firewall has captured already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import TypeVar

from alg.direction import Direction
from harness.capture.capture_file import open_capture
from harness.capture.recorder import Recorder
from harness.console import say
from harness.peers import traversal_tls
from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.expressway_capture import PacketTap, syn_repeated
from harness.peers.phone import Phone, PhoneSettings
from harness.peers.reflection import Reflection
from harness.peers.traversal_client import Core, CoreSettings
from harness.peers.traversal_server import ZONE_PORT, Edge, EdgeSettings
from harness.scenarios.hybrid.messages import Messages
from harness.scenarios.reflection import parties
from harness.scenarios.reflection.ground import Ground, Setting, Way
from harness.scenarios.reflection.names import CORE, CUCM, EDGE, INSIDE, OUTSIDE, PHONE
from harness.scenarios.reflection.papers import Papers
from harness.scenarios.reflection.seeing import Access, Zone
from harness.scenarios.stage import Stage
from harness.sip.flow import Flow, Target
from harness.sip.timers import Timers
from harness.sip.uri import Address

_AMONG_US, _WITH_OTHERS = Timers.scaled(0.05), Timers.scaled(0.15)
"""Requests are given up after 3 s, or after 10 s."""
_Party = TypeVar("_Party")


class Cast:
    """All of them."""

    def __init__(self, stage: Stage, setting: Setting) -> None:
        """Nobody listens yet. ConfigError if a certificate cannot be read."""
        reactor = self._reactor = stage.reactor
        ground = self.ground = Ground(stage.network, stage.peers, setting)
        self._timers = _WITH_OTHERS if stage.peers else _AMONG_US
        self._settings = PhoneSettings()
        self._papers = Papers(stage, setting.kind)
        self.logs: dict[str, StringIO] = {}
        """Of ours."""
        capture = open_capture(str(stage.directory / "capture.pcapng"), None, "sipalg scenario", say)
        assert capture is not None, "a file was named"
        self._capture = capture
        self.packets = PacketTap(reactor, capture, self._side, syn_repeated)
        self.firewall: Reflection | None = None
        if setting.way is Way.TRANSLATED:
            tap = Recorder(capture).tap
            self.firewall = Reflection(reactor, ground.core, ground.public, ZONE_PORT, setting.alg, tap)
        self._zone, self._access = Messages(self._is_zone), Messages(self._is_access)
        self.zone = Zone(self._zone, CORE not in ground.peers)
        self.access = Access(self._access, PHONE not in ground.peers)
        self.edge: parties.EdgeParty = self._choose(EDGE, self._our_edge, parties.TheirServer)
        self.core: parties.CoreParty = self._choose(CORE, self._our_core, lambda: parties.TheirCore(stage, ground))
        self.phone: parties.PhoneParty = self._choose(
            PHONE, self._our_phone, lambda: parties.TheirPhone(stage, ground, self.access, self._settings)
        )
        self.cucm: parties.Server = self._choose(CUCM, self._our_cucm, parties.TheirServer)

    def open(self) -> None:
        """Listen. Raises CannotListenError."""
        self.edge.listen()
        self.cucm.listen()
        if self.firewall is not None:
            self.firewall.open(self.ground.reflected)

    async def close(self) -> None:
        """End everybody; the firewall last."""
        for peer in (self.phone, self.edge, self.core, self.cucm, self.firewall):
            if peer is not None:
                await peer.close()
        self.packets.close()
        self._capture.close()

    def _choose(self, part: str, ours: Callable[[], _Party], theirs: Callable[[], _Party]) -> _Party:
        return theirs() if part in self.ground.peers else ours()

    def _our_edge(self) -> parties.EdgeParty:
        ground, papers = self.ground, self._papers
        settings = EdgeSettings(
            ground.edge,
            ground.public,
            zone_address=ground.inner,
            kind=ground.setting.kind,
            domain=self._settings.domain,
            certificate=papers.shown_in_service,
        )
        edge = Edge(self._reactor, settings, _now, self._timers)
        self.logs[OUTSIDE] = edge.log
        edge.element.transport.taps += [self._zone] if not self.zone.at_core else []
        edge.element.transport.taps += [self._access] if not self.access.at_phone else []
        return parties.OurEdge(edge, papers.secure(traversal_tls.zone_server), papers.secure(traversal_tls.edge_server))

    def _our_core(self) -> parties.CoreParty:
        ground = self.ground
        passwords = {self._settings.username: self._settings.password}
        settings = CoreSettings(ground.core, ground.zone, Target("TCP", *ground.cucm), passwords)
        secure = self._papers.secure(traversal_tls.zone_client)
        core = Core(self._reactor, settings, _now, self._timers, secure)
        self.logs[INSIDE] = core.log
        core.element.transport.taps += [self._zone, self.packets]
        return parties.OurCore(self._reactor, core)

    def _our_phone(self) -> parties.PhoneParty:
        secure = self._papers.secure(traversal_tls.phone_client)
        phone = Phone(self._reactor, self._settings, self.ground.phone, self._timers, secure)
        phone.element.transport.taps.append(self._access)
        return parties.OurPhone(phone, self.ground)

    def _our_cucm(self) -> parties.Server:
        host, _ = self.ground.cucm
        cucm = Cucm(self._reactor, CucmSettings(srtp_allowed=False), host, StringIO(), timers=self._timers)
        return parties.OurCucm(cucm, self.ground.cucm)

    def _is_zone(self, flow: Flow) -> bool:
        """At either end."""
        return self.ground.zone.address == flow.remote or (flow.serves and flow.local == self.ground.reflected)

    def _is_access(self, flow: Flow) -> bool:
        """At either end."""
        return self.ground.access.address in (flow.local, flow.remote)

    def _side(self, local: Address, remote: Address) -> Direction | None:
        """Of Expressway-C; a firewall that translates has captured the traversal zone."""
        captured = self.firewall is not None and remote == (self.ground.public, ZONE_PORT)
        return None if captured else Direction.OUTWARD


def _now() -> datetime:
    return datetime.now(UTC)
