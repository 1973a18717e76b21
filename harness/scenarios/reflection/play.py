"""One phone that registers, from the first port to the last connection: phone, Expressway-E, Expressway-C, CUCM.

Strategy: `Setting` says how the Expressway-C reaches the Expressway-E; what comes of the registration is told as facts,
in words without addresses. Nobody routes on loopback: a firewall that translates the destination alone cannot be told
from an Expressway-E which has the public address itself, and so there it has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from io import StringIO
from typing import Any, Final

import msgspec
from twisted.internet import task

from alg.direction import Direction
from harness.ca import Pki, load_recipes, make
from harness.capture.capture_file import open_capture
from harness.capture.recorder import Recorder
from harness.console import say
from harness.peers import traversal_tls
from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.element_capture import ElementCapture
from harness.peers.phone import Phone, PhoneSettings
from harness.peers.reflection import Reflection
from harness.peers.traversal_client import Core, CoreSettings
from harness.peers.traversal_server import ZONE_PORT, Edge, EdgeSettings
from harness.scenarios.hybrid.wire import Wire
from harness.scenarios.scenario import Observation, Part
from harness.scenarios.stage import Stage
from harness.sip.exchange import NoResponse
from harness.sip.flow import Target
from harness.sip.message import Request
from harness.sip.security import Secure
from harness.sip.timers import Timers
from harness.sip.uri import NameAddr

CUCM, INSIDE, OUTSIDE = "cucm", "Expressway-C", "Expressway-E"
"""Peers; the first one is what a real one may stand in for."""
CUCM_PART: Final = Part(CUCM, 3, "TCP 5060", "takes the registration")
APPARENT: Final = "Route of the SERVICE"
SERVICE: Final = "answer to SERVICE"
WARNING: Final = "its Warning"
ATTEMPTS: Final = "connections to its Route"
FORWARDED: Final = "REGISTER at Expressway-C"
REGISTER: Final = "answer to REGISTER"
CALL: Final = "call of the phone"
OF_FIREWALL, OF_CORE, NEVER, COMES = "an address of the firewall", "Expressway-C's own", "never comes", "comes"
TOPOLOGY: Final = """\
phone ----- 5061 Expressway-E 7003 ------ firewall ------ Expressway-C ------ CUCM
                 10.0.10.2                64.100.0.10     10.0.30.2
                 is 64.100.0.10 for everybody, and so is Expressway-C for it
"""
_FIELD: Final = ("10.0.30.2", "64.100.0.10", "10.0.10.2")
_PHONES_PORT: Final = 5061
_TIMERS: Final = Timers.scaled(0.05)
"""Ten times as fast as the RFC's."""
_PATIENCE: Final = 5.0
"""Seconds for any one thing to happen."""


_NO_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % (
    b"OfigoKhe90kV6Y7PRbRpwFv6jGiFR8hyepr3t2BPec0aZ\n" * 30
)
"""Nobody's, of the size of one: where there is no TLS."""


class Way(Enum):
    """How the Expressway-C reaches the Expressway-E."""

    TRANSLATED = "reflection with source translation"
    UNTRANSLATED = "reflection without source translation"
    DUAL_NIC = "its inner NIC"


@dataclass(frozen=True, slots=True)
class Setting:
    """One form of a scenario, as far as it is data."""

    way: Way = Way.TRANSLATED
    kind: str = "TLS"
    """TLS or TCP, of the traversal zone and of the phone."""
    alg: bool = False
    """The firewall has one, which can only look into TCP."""


class Play:
    """Everybody on one stage."""

    def __init__(self, stage: Stage, setting: Setting) -> None:
        self.stage = stage
        self.setting = setting
        host, reactor = stage.network.host, stage.reactor
        self._inside, self._public, self._nic, inner = host(2), host(10), host(20), host(21)
        self._cucm_at = stage.peers.get(CUCM, (host(3), 5060))
        way = setting.way
        address = self._public if way is Way.UNTRANSLATED else self._nic
        zone_at = {Way.DUAL_NIC: inner}.get(way, self._public)
        phone = PhoneSettings()
        self._pki = _pki() if setting.kind == "TLS" else None
        secret = self._pki[traversal_tls.EDGE].certificate_pem if self._pki is not None else _NO_CERTIFICATE
        edge = EdgeSettings(
            address,
            self._public,
            zone_address=inner if way is Way.DUAL_NIC else "",
            kind=setting.kind,
            domain=phone.domain,
            certificate=secret,
        )
        zone = Target(setting.kind, zone_at, ZONE_PORT)
        core = CoreSettings(self._inside, zone, Target("TCP", *self._cucm_at), {phone.username: phone.password})
        self.edge = Edge(reactor, edge, _now, _TIMERS)
        self.core = Core(reactor, core, _now, _TIMERS, self._secure(traversal_tls.zone_client))
        self.phone = Phone(reactor, phone, host(30), _TIMERS, self._secure(traversal_tls.phone_client))
        self.cucm = None
        if CUCM not in stage.peers:
            self.cucm = Cucm(reactor, CucmSettings(srtp_allowed=False), host(3), StringIO(), timers=_TIMERS)
        capture = open_capture(str(stage.directory / "capture.pcapng"), None, "sipalg scenario", say)
        assert capture is not None, "a file was named"
        self._capture = capture
        self.firewall: Reflection | None = None
        neighbours = None
        if way is Way.TRANSLATED:
            recorder = Recorder(capture)
            self.firewall = Reflection(reactor, self._inside, self._public, ZONE_PORT, setting.alg, recorder.tap)
            neighbours = {self._cucm_at[0]}
        self.wire = Wire()
        """Of Expressway-C."""
        self._failures = ElementCapture(capture, Direction.OUTWARD, neighbours)
        self.core.element.transport.taps += [self.wire, self._failures]
        self.facts: dict[str, str] = {CALL: NEVER}
        addresses = dict(zip(_FIELD, (self._inside, self._public, self._nic), strict=True))
        stage.keep("addresses.json", msgspec.json.format(msgspec.json.encode(addresses)))

    async def register(self) -> None:
        """The zone comes up; the phone registers."""
        self.edge.listen(self._secure(traversal_tls.zone_server), self._secure(traversal_tls.edge_server))
        if self.cucm is not None:
            self.cucm.listen(self._cucm_at)
        if self.firewall is not None:
            self.firewall.open((self._nic, ZONE_PORT))
        await self.core.connect()
        await self._until(lambda: self.edge.zone is not None)
        where = [Target(self.setting.kind, self.edge.settings.address, _PHONES_PORT)]
        outcome = await self.phone.register(where).first
        self.facts[REGISTER] = (
            outcome.detail if isinstance(outcome, NoResponse) else f"{outcome.status} {outcome.reason}"
        )
        self._note()
        if not isinstance(outcome, NoResponse) and outcome.success:
            await self._call(where)

    async def _call(self, where: list[Target]) -> None:
        """From the phone to a line of the CUCM, and its end."""
        call = self.phone.call(f"sip:5010@{self.phone.settings.domain}", where)
        stood = await call.established
        self.facts[CALL] = "stands" if stood else "fails"
        if stood:
            call.hang_up()
            await call.ended

    def observed(self) -> Observation:
        """The facts, and both logs, which are kept."""
        logs = {INSIDE: self.core.log.getvalue(), OUTSIDE: self.edge.log.getvalue()}
        for name, log in logs.items():
            self.stage.keep(f"{name.lower()}.log", log)
        strangers = (CUCM,) if self.cucm is None else ()
        return Observation(dict(self.facts), logs, strangers)

    async def close(self) -> None:
        """End everybody; the firewall last."""
        for peer in (self.phone, self.edge, self.core, self.cucm, self.firewall):
            if peer is not None:
                await peer.close()
        self._capture.close()

    def _secure(self, make_one: Callable[[Pki, datetime], Secure]) -> Secure | None:
        return make_one(self._pki, _now()) if self._pki is not None else None

    def _note(self) -> None:
        came = [each.message for each in self.wire.seen if each.came]
        went = [each.message for each in self.wire.seen if not each.came]
        services = [each for each in came if isinstance(each, Request) and each.method == "SERVICE"]
        answers = [each for each in went if not isinstance(each, Request) and each.cseq.method == "SERVICE"]
        registers = [each for each in came if isinstance(each, Request) and each.method == "REGISTER"]
        if services:
            host = NameAddr.parse(services[0].values("Route")[0]).sip.host
            self.facts[APPARENT] = {self._inside: OF_CORE, self._public: OF_FIREWALL}.get(host, host)
        if answers:
            answer = answers[-1]
            self.facts[SERVICE] = f"{answer.status} {answer.reason}"
            self.facts[WARNING] = (answer.first("Warning") or "none").replace(self._inside, INSIDE)
        refused = sum(address[0] == self._public for address in self._failures.refusals)
        self.facts[ATTEMPTS] = f"{refused}, all refused" if refused else "none"
        self.facts[FORWARDED] = COMES if registers else NEVER

    async def _until(self, happened: Callable[[], bool]) -> None:
        """Wait for it, but not for ever: what is missing is seen in the facts."""
        reactor: Any = self.stage.reactor
        end = reactor.seconds() + _PATIENCE
        while not happened() and reactor.seconds() < end:
            await task.deferLater(reactor, 0.02)


def _now() -> datetime:
    return datetime.now(UTC)


def _pki() -> Pki:
    return make(load_recipes(), _now(), traversal_tls.RECIPES)


async def perform(forms: Mapping[bool, Setting], stage: Stage, fixed: bool) -> Observation:
    """A play from start to end, in one of its forms."""
    play = Play(stage, forms[fixed])
    try:
        await play.register()
        return play.observed()
    finally:
        await play.close()
