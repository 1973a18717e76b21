"""One call, or whatever a scenario does instead, from the first port to the last connection: who takes part, and facts.

Strategy: `Play` opens caller, ALG and callee; an `Act` says what they do, with the cure or without; what comes of it is
told as facts, in words without addresses, so that they are the same in every network.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from twisted.internet import defer

from alg.direction import Direction
from alg.edge.entrance import Address, Entrance
from harness.scenarios.calls.ground import SIP_PORT, Ground
from harness.scenarios.calls.middle import Device, Middle, inward, outward
from harness.scenarios.calls.party import Party, Session, Traits
from harness.scenarios.calls.wire import Message
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.sip.flow import Flow
from harness.sip.message import Request

INSIDE, OUTSIDE = Direction.OUTWARD, Direction.INWARD
"""Legs of the ALG, each named by what its endpoint sends."""
CALLEE: Final = "callee"
"""The peer that a real one may stand in for."""

ANSWER: Final = "answer to INVITE"
ACK: Final = "ACK at the callee"
BYE: Final = "answer to the callee's BYE"
LEAKS: Final = "outside, lines of the INVITE with the inside address"
_NONE: Final = "none"
_PATIENCE: Final = 2.5
"""Seconds for an ACK: shorter than 64 T1."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One form of a scenario, as far as it is data."""

    device: Device = field(default_factory=Device)
    caller: Traits = field(default_factory=Traits)
    callee: Traits = field(default_factory=Traits)
    port: int = SIP_PORT
    shrinking: bool = False
    """Messages get shorter on their way out."""


class Play:
    """Everybody on one stage."""

    def __init__(self, stage: Stage, setting: Setting, fixed: bool) -> None:
        self.stage = stage
        self.fixed = fixed
        """With the cure."""
        self.reactor: Any = stage.reactor
        self.ground = Ground.on(stage.network, stage.peers.get(CALLEE), setting.shrinking, setting.port)
        ground = self.ground
        self.middle = Middle(stage, ground, setting.device)
        caller = ground.caller, ground.caller_outside, ground.inside
        self.caller = Party(stage.reactor, "caller", *caller, setting.caller)
        self.callee: Party | None = None
        """None if a real one is there."""
        if CALLEE not in stage.peers:
            callee = ground.callee[0], ground.callee_inside, ground.outside
            self.callee = Party(stage.reactor, CALLEE, *callee, setting.callee)
        self.facts: dict[str, str] = {}
        stage.keep("addresses.json", msgspec.json.format(msgspec.json.encode(ground.in_the_field)))

    @property
    def built_in(self) -> Party:
        """The callee, where it cannot be a real one."""
        assert self.callee is not None, "is not replaceable here"
        return self.callee

    def open(self, *entrances: Entrance) -> None:
        """Listen; the ALG in both directions, unless other entrances are given. Raises CannotListenError."""
        self.caller.listen(self.ground.port)
        if self.callee is not None:
            self.callee.listen(self.ground.port)
        self.middle.open(*(entrances or (outward(self.ground), inward(self.ground))))

    @property
    def called(self) -> Address:
        """What the caller knows the callee by."""
        return self.ground.callee_inside, self.ground.port

    def invite(self, fields: Sequence[tuple[str, str]] = ()) -> Request:
        """The caller's INVITE, with an offer."""
        return self.caller.compose("INVITE", self.called, fields, self.caller.description())

    def note_passage(self, method: str) -> None:
        """Whether a request of the caller's leaves the ALG."""
        sent = self.middle.wire.requests(OUTSIDE, from_peer=False, method=method)
        self.facts[f"{method} outside"] = "leaves" if sent else "never leaves"

    async def observed(self) -> Observation:
        """The facts, and both logs, which are kept."""
        logs = {party.name: party.log.getvalue() for party in self._parties}
        logs |= {f"{party.name} SDL trace": party.trace.getvalue() for party in self._parties}
        for name, log in logs.items():
            if log:
                self.stage.keep(f"{name.replace(' ', '-').lower()}.log", log)
        return Observation(dict(self.facts), logs, () if self.callee is not None else (CALLEE,))

    async def close(self) -> None:
        """End everybody; the ALG last, so that it sees how."""
        await _both(*(party.close() for party in self._parties))
        await self.middle.close()

    @property
    def _parties(self) -> list[Party]:
        return [self.caller, *([self.callee] if self.callee is not None else [])]

    def leaks(self, message: Message) -> str:
        """Names of header fields, and letters of SDP lines, that have the caller's inside address; Call-ID may."""
        pattern = re.compile(rf"(?<![\d.]){re.escape(self.ground.caller)}(?![\d.])")
        names = ["Request-URI"] if pattern.search(message.start_line) else []
        names += [each.name for each in message.fields if pattern.search(each.value) and not each.is_named("Call-ID")]
        lines = message.body.decode("utf-8", "replace").splitlines()
        names += [line.partition(":")[0] if line[:2] == "a=" else line[:2] for line in lines if pattern.search(line)]
        return ", ".join(dict.fromkeys(names)) or _NONE

    def note_leaks(self) -> None:
        """What the INVITE shows outside."""
        sent = self.middle.wire.requests(OUTSIDE, from_peer=False, method="INVITE")
        self.facts[LEAKS] = self.leaks(sent[-1]) if sent else "no INVITE"

    async def call_through(self, invite: Request | None = None, flow: Flow | None = None) -> Session | None:
        """A call that is answered, acknowledged, and ended by the callee's BYE, with media in between."""
        caller, callee = self.caller, self.callee
        answer = await caller.call(invite or self.invite(), flow)
        self.facts[ANSWER] = answer.text
        self.note_leaks()
        here = next(iter(caller.sessions.values()), None)
        if here is None:
            return None
        if callee is None:
            await caller.hang_up(here)
            return None
        acknowledged = await callee.wait("ACK", _PATIENCE)
        self.facts[ACK] = "arrives" if acknowledged is not None else "never comes"
        there = acknowledged or next(iter(callee.sessions.values()), None)
        if there is not None:
            await _both(caller.sound.stream(here.remote), callee.sound.stream(there.remote))
        for party in (caller, callee):
            self.facts |= {f"{what} at the {party.name}": state for what, state in party.sound.heard.items()}
        if there is not None:
            self.facts[BYE] = (await callee.hang_up(there)).text
        return there


async def _both(*flows: Coroutine[Any, Any, None]) -> None:
    await defer.gatherResults([defer.Deferred.fromCoroutine(flow) for flow in flows])


Act = Callable[[Play], Awaitable[None]]
"""What happens in a play; it writes facts."""


async def place_call(play: Play) -> None:
    """The act of most scenarios."""
    play.open()
    await play.call_through()


async def perform(forms: Mapping[bool, Setting], act: Act, stage: Stage, fixed: bool) -> Observation:
    """A play from start to end, in one of its forms."""
    play = Play(stage, forms[fixed], fixed)
    try:
        await act(play)
        return await play.observed()
    finally:
        await play.close()
