"""One hybrid call, from the first port to the last connection: CUCM, Expressway-C, Expressway-E, Webex.

Strategy: `Setting` says how CUCM and Webex are and who calls; what comes of the call is told as facts, in words without
addresses. Each of CUCM and Webex may be a real one, who is then told by what the Expressways see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

import msgspec
from twisted.internet import task

from alg.direction import Direction
from alg.edge.entrance import Address
from harness.capture.capture_file import open_capture
from harness.console import say
from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.element_capture import ElementCapture
from harness.peers.hop import Hop, HopSettings
from harness.peers.webex import Webex, WebexSettings
from harness.scenarios.hybrid.wire import Message, Wire
from harness.scenarios.scenario import Observation, Part
from harness.scenarios.stage import Stage
from harness.sip import sdp
from harness.sip.call import Call
from harness.sip.call_states import CallState
from harness.sip.flow import Target
from harness.sip.message import Request, Response
from harness.sip.timers import Timers

CUCM, WEBEX, INSIDE, OUTSIDE = "cucm", "webex", "Expressway-C", "Expressway-E"
"""Peers; the first two are the names of what a real one may stand in for."""
TRACE: Final = "CUCM SDL trace"
CUCM_PART: Final = Part(CUCM, 2, "TCP 5060", "answers the call")
WEBEX_PART: Final = Part(WEBEX, 5, "TCP 5060", "answers the call")
TOPOLOGY: Final = """\
CUCM ------- TCP ------- Expressway-C ------- Expressway-E ------- Webex (L2SIP)
10.0.30.5                10.0.30.2            64.100.0.10          198.51.100.20
"""
"""Behind Expressway-C everything is TLS in the field; here it is TCP, on addresses of 127.0.0.0/8."""
_FIELD: Final = "10.0.30.5", "10.0.30.2", "64.100.0.10", "198.51.100.20"

ANSWER: Final = "answer to INVITE, at its caller's Expressway"
AUDIO: Final = "m=audio of the last answer"
ACK: Final = "ACK for the called side"
ENDING: Final = "CUCM ends the call"
RESET: Final = "CUCM resets the connection"
SIZE: Final = "largest message to CUCM"
FROM_CUCM: Final = "final answer of CUCM to INVITE"
DECLINE: Final = "Webex, behind its 200"
BYE: Final = "answer to BYE"
NOTHING, NEVER, A_PORT = "nothing", "never comes", "a port"
OLD_LIMIT: Final = 5000
_SIP: Final = 5060
_TIMERS: Final = Timers.scaled(0.05)
"""Ten times as fast as the RFC's."""
_PATIENCE: Final = 5.0
"""Seconds for any one thing to happen."""
_TURN: Final = 0.02


@dataclass(frozen=True, slots=True)
class Setting:
    """One form of a scenario, as far as it is data."""

    cucm: CucmSettings = field(default_factory=CucmSettings)
    webex: WebexSettings = field(default_factory=WebexSettings)
    inbound: bool = False
    """Webex calls."""


class Play:
    """Everybody on one stage."""

    def __init__(self, stage: Stage, setting: Setting) -> None:
        self.stage = stage
        self.setting = setting
        host = stage.network.host
        self._cucm_at = stage.peers.get(CUCM, (host(2), _SIP))
        self._webex_at = stage.peers.get(WEBEX, (host(5), _SIP))
        inside, outside = (host(3), _SIP), (host(4), _SIP)
        self._trace = StringIO()
        self.cucm = None if CUCM in stage.peers else self._make_cucm(host(2))
        self.webex = None if WEBEX in stage.peers else Webex(stage.reactor, setting.webex, host(5), _TIMERS)
        self.inside = self._hop("expc", inside, _tcp(self._cucm_at), _tcp(outside), "HybridCallServiceTraversal")
        self.outside = self._hop("expe", outside, _tcp(inside), _tcp(self._webex_at), "HybridCallServicesDNS")
        self.wires = Wire(), Wire()
        """Of Expressway-C and of Expressway-E."""
        capture = open_capture(str(stage.directory / "capture.pcapng"), None, "sipalg scenario", say)
        assert capture is not None, "a file was named"
        self._capture = capture
        captures = (
            ElementCapture(capture, Direction.OUTWARD),
            ElementCapture(capture, Direction.INWARD, {self._webex_at[0]}),
        )
        for hop, *taps in zip((self.inside, self.outside), self.wires, captures, strict=True):
            hop.element.transport.taps += taps
        self.facts: dict[str, str] = {}
        addresses = self._cucm_at[0], inside[0], outside[0], self._webex_at[0]
        stage.keep(
            "addresses.json", msgspec.json.format(msgspec.json.encode(dict(zip(_FIELD, addresses, strict=True))))
        )

    def open(self) -> None:
        """Listen. Raises CannotListenError."""
        self.inside.listen()
        self.outside.listen()
        if self.cucm is not None:
            self.cucm.listen(self._cucm_at)
        if self.webex is not None:
            self.webex.listen(self._webex_at)

    async def call(self) -> None:
        """A call as it ends by itself, or is hung up by the caller if it stands with audio."""
        call = self._begin()
        await self._until(lambda: call.state in (CallState.ESTABLISHED, CallState.ENDED))
        await self._until(lambda: self._settled(call))
        if call.state is CallState.ESTABLISHED:
            call.hang_up()
        await self._until(lambda: call.state is CallState.ENDED and call.result is not None)
        self._note()

    async def close(self) -> None:
        """End everybody, callers first."""
        for peer in (self.cucm, self.webex, self.inside, self.outside):
            if peer is not None:
                await peer.close()
        self._capture.close()

    def observed(self) -> Observation:
        """The facts, and all logs, which are kept."""
        logs = {INSIDE: self.inside.log.getvalue(), OUTSIDE: self.outside.log.getvalue(), TRACE: self._trace.getvalue()}
        for name, log in logs.items():
            self.stage.keep(f"{name.replace(' ', '-').lower()}.log", log)
        strangers = tuple(name for name in (CUCM, WEBEX) if name in self.stage.peers)
        return Observation(dict(self.facts), logs, strangers)

    def _make_cucm(self, host: str) -> Cucm:
        return Cucm(self.stage.reactor, self.setting.cucm, host, self._trace, timers=_TIMERS)

    def _hop(self, name: str, address: Address, inside: Target, outside: Target, zone: str) -> Hop:
        settings = HopSettings(name, address, inside, outside, zone)
        return Hop(self.stage.reactor, settings, lambda: datetime.now(UTC), _TIMERS)

    def _begin(self) -> Call:
        if self.setting.inbound:
            assert self.webex is not None, "calls, and so is no real one here"
            return self.webex.call(f"sip:5010@{self.setting.cucm.domain}", [_tcp(self.outside.settings.address)])
        assert self.cucm is not None, "calls, and so is no real one here"
        called = f"sip:{self.setting.webex.user}@{self.setting.webex.domain}"
        return self.cucm.call(called, [_tcp(self.inside.settings.address)])

    def _settled(self, call: Call) -> bool:
        """Whatever is still to come of its own accord has come."""
        if (self.wires[0].resets or self._trace.getvalue()) and not self.setting.inbound:
            return bool(self.wires[0].resets) and (self.webex is None or bool(self._declined()))
        if call.state is CallState.ENDED:
            return call.result is not None
        return bool(self._acks()) and self._audio() == A_PORT

    def _note(self) -> None:
        """What was seen on the Expressways."""
        inner, outer = self.wires
        cucm, webex = self._cucm_at[0], self._webex_at[0]
        wire, callee = (inner, cucm) if self.setting.inbound else (outer, webex)
        caller_wire, caller = (outer, webex) if self.setting.inbound else (inner, cucm)
        answers = caller_wire.finals("INVITE", caller, came=False) or wire.finals("INVITE", callee, came=True)
        byes = inner.requests("BYE", cucm, came=True)
        refusals = [each for each in inner.finals("INVITE", cucm, came=True) if not each.success]
        ended: list[Message] = [*byes, *refusals]
        self.facts |= {
            ANSWER: _words(answers),
            AUDIO: self._audio(),
            ACK: "arrives" if self._acks() else NEVER,
            ENDING: _ending(ended),
            RESET: "yes" if cucm in inner.resets else "no",
            SIZE: f"{'over' if inner.largest(cucm) > OLD_LIMIT else 'up to'} {OLD_LIMIT} bytes",
            FROM_CUCM: _words(inner.finals("INVITE", cucm, came=True)),
            DECLINE: _words(self._declined()),
            BYE: _words(caller_wire.finals("BYE", caller, came=False)),
        }

    def _declined(self) -> list[Response]:
        return [each for each in self.wires[1].finals("INVITE", self._webex_at[0], came=True) if each.status == 603]

    def _acks(self) -> list[Request]:
        """That reached whoever was called, and were not those of a failure."""
        inner, outer = self.wires
        if self.setting.inbound:
            standing = any(each.success for each in inner.finals("INVITE", self._cucm_at[0], came=True))
            return inner.requests("ACK", self._cucm_at[0], came=False) if standing else []
        return outer.requests("ACK", self._webex_at[0], came=False)

    def _audio(self) -> str:
        """What the last answer, in a 200 or an ACK, says of audio."""
        messages = [each.message for wire in self.wires for each in wire.seen if each.message.is_sdp]
        answers = [each for each in messages if isinstance(each, Response) and each.success]
        answers = answers if self._offered_early() else []
        described = [*answers, *(each for each in messages if isinstance(each, Request) and each.method == "ACK")]
        if not described:
            return NOTHING
        audio = next((each for each in sdp.parse(described[-1].body).media if each.kind == "audio"), None)
        if audio is None:
            return NOTHING
        return A_PORT if audio.port else f"0 {audio.protocol} {' '.join(audio.formats)}"

    def _offered_early(self) -> bool:
        return any(
            isinstance(each.message, Request) and each.message.method == "INVITE" and each.message.is_sdp
            for wire in self.wires
            for each in wire.seen
        )

    async def _until(self, happened: Callable[[], bool]) -> None:
        """Wait for it, but not for ever: what is missing is seen in the facts."""
        reactor: Any = self.stage.reactor
        end = reactor.seconds() + _PATIENCE
        while not happened() and reactor.seconds() < end:
            await task.deferLater(reactor, _TURN)


def _tcp(address: Address) -> Target:
    return Target("TCP", *address)


def _words(responses: list[Response]) -> str:
    return f"{responses[-1].status} {responses[-1].reason}" if responses else NOTHING


def _ending(messages: Sequence[Message]) -> str:
    """How, and with which Reason."""
    if not messages:
        return NOTHING
    last = messages[-1]
    what = last.method if isinstance(last, Request) else f"{last.status} {last.reason}"
    reason = last.first("Reason")
    return f"{what}, Reason: {reason}" if reason else what


async def perform(forms: Mapping[bool, Setting], stage: Stage, fixed: bool) -> Observation:
    """A play from start to end, in one of its forms."""
    play = Play(stage, forms[fixed])
    try:
        play.open()
        await play.call()
        return play.observed()
    finally:
        await play.close()
