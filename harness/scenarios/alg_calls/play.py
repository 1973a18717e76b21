"""One call, or whatever a scenario does instead, from the first port to the last connection: who takes part, and facts.

Strategy: `Play` opens caller, ALG and callee; an `Act` says what they do, with the cure or without; what comes of it is
told as facts, in words without addresses, so that they are the same in every network. What a real endpoint has kept
from everybody is left open, and no sign asks for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from twisted.internet import defer, task

from alg.edge.entrance import Address
from harness.scenarios.alg_calls.endpoints import Deed, Endpoint, Ours, Question, Theirs, awaited
from harness.scenarios.alg_calls.ground import SIP_PORT, Ground
from harness.scenarios.alg_calls.middle import Device, Middle, Way, ways
from harness.scenarios.alg_calls.party import Party, Traits
from harness.scenarios.alg_calls.relay import RTCP, RTP
from harness.scenarios.alg_calls.seen import INSIDE, OUTSIDE, Seen
from harness.scenarios.alg_calls.sound import SILENCE
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.sip.flow import Flow
from harness.sip.message import Request

CALLER, CALLEE = "caller", "callee"
"""The parts."""

ANSWER: Final = "answer to INVITE"
CALLED: Final = "inside, Request-URI of the INVITE"
CHANGE: Final = "outside, the INVITE"
CONTACT: Final = "outside, Contact of the INVITE"
LEAKS: Final = "outside, lines of the INVITE with the inside address"
ACK: Final = "ACK at the callee"
BYE: Final = "answer to the callee's BYE"
ENDING: Final = "answer to BYE"
_PATIENCE: Final = 2.5
"""Seconds for an ACK: shorter than 64 T1."""
_GRAIN: Final = 0.02
"""Seconds between two looks."""


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

    def __init__(self, stage: Stage, setting: Setting, fixed: bool, order: str) -> None:
        """`order` is what a real caller is to do; it has `{callee}` where the URI of the callee belongs, `{caller}` for
        the address that the caller has outside, and `{own}` for where it listens. Raises CannotListenError.
        """
        self.stage = stage
        self.setting = setting
        self.fixed = fixed
        """With the cure."""
        self.reactor: Any = stage.reactor
        peers = stage.peers
        self.ground = ground = Ground.on(
            stage.network, peers.get(CALLER), peers.get(CALLEE), setting.shrinking, setting.port
        )
        self.middle = Middle(stage, ground, setting.device)
        self.seen = Seen(self.middle.wire, self.middle.relay, ground)
        self.caller = self._caller()
        self.callee = self._callee()
        self.facts: dict[str, str] = {}
        self._open: set[str] = set()
        """Questions that nobody can answer."""
        uri = f"sip:callee@{ground.callee_inside}:{ground.port};transport=tcp"
        self._order = order.format(callee=uri, caller=ground.caller_outside, own=_text(ground.caller))
        stage.keep("addresses.json", msgspec.json.format(msgspec.json.encode(ground.in_the_field)))

    def _caller(self) -> Endpoint:
        stage, ground = self.stage, self.ground
        if CALLER in stage.peers:
            return Theirs(CALLER, stage, INSIDE, self.seen)
        names = ground.caller[0], ground.caller_outside, ground.inside
        return Ours(Party(stage.reactor, CALLER, *names, self.setting.caller, frozenset((ground.callee[0],))))

    def _callee(self) -> Endpoint:
        stage, ground = self.stage, self.ground
        if CALLEE in stage.peers:
            return Theirs(CALLEE, stage, OUTSIDE, self.seen)
        names = ground.callee[0], ground.callee_inside, ground.outside
        return Ours(Party(stage.reactor, CALLEE, *names, self.setting.callee, frozenset((ground.caller[0],))))

    def open(self, *entrances: Way) -> None:
        """Listen; the ALG in both directions, unless other entrances are given. Raises CannotListenError."""
        self.caller.listen(self.ground.port)
        self.callee.listen(self.ground.port)
        self.middle.open(*(entrances or ways(self.ground)))

    async def begin(self, deed: Deed, begun: Question, done: Question) -> None:
        """The caller does this, or what a real one has been ordered to; whom it calls is noted, if it does."""
        await self.caller.do(deed, self._order, begun, done)
        if self.seen.asked("INVITE"):
            self.facts[CALLED] = self.seen.called

    async def seen_within(self, seconds: float, what: Question) -> bool:
        """Whether something is seen in so many seconds."""
        end = self.reactor.seconds() + seconds
        while not what() and self.reactor.seconds() < end:
            await task.deferLater(self.reactor, _GRAIN)
        return what()

    def leave_open(self, *questions: str) -> None:
        """Nobody can answer these, as a real endpoint tells nothing of them; built-in ones have no excuse."""
        if not (self.caller.ours and self.callee.ours):
            self._open |= {*questions}

    async def observed(self) -> Observation:
        """The facts, and the logs, which are kept."""
        logs = {**self.caller.logs(), **self.callee.logs()}
        for name, log in logs.items():
            if log:
                self.stage.keep(f"{name.replace(' ', '-').lower()}.log", log)
        theirs = [each.name for each in (self.caller, self.callee) if not each.ours]
        return Observation(dict(self.facts), logs, (*theirs, *sorted(self._open)))

    async def close(self) -> None:
        """End everybody; the ALG last, so that it sees how."""
        await _both(self.caller.close(), self.callee.close())
        await self.middle.close()

    def note_invite(self) -> None:
        """What came of the INVITE, and what it shows outside."""
        left = self.seen.left("INVITE")
        self.facts[ANSWER] = self.seen.answer("INVITE")
        self.facts[CHANGE] = self.seen.change
        self.facts[CONTACT] = self.seen.contact(left[-1] if left else None)
        self.facts[LEAKS] = self.seen.leaks

    async def call(self, make: Make | None = None) -> None:
        """The caller places a call, which is answered or not."""

        async def place(party: Party) -> None:
            invite, flow = await (make or plain)(self, party)
            await party.call(invite, flow)

        await self.begin(place, lambda: bool(self.seen.asked("INVITE")), lambda: self.seen.decided("INVITE"))
        self.note_invite()

    async def call_through(self, make: Make | None = None) -> None:
        """A call that is answered, acknowledged, and ended by the callee's BYE, with media in between."""
        await self.call(make)
        if not self.seen.answered:
            return
        self.facts[ACK] = "arrives" if await self.callee.acknowledged(_PATIENCE) else "never comes"
        await _both(self.caller.talk(awaited(self.callee)), self.callee.talk(awaited(self.caller)))
        cut_short = self.seen.ended
        await self.hang_up()
        self._note_media(cut_short)

    async def hang_up(self) -> None:
        """Of those who are ours the callee, or else the caller; if nobody is, they do it by themselves."""
        answer = await self.callee.hang_up() if self.callee.ours else ""
        if answer:
            self.facts[BYE] = answer
        else:
            self.leave_open(BYE)
            await self.caller.hang_up()
        self.facts[ENDING] = self.seen.ending

    def _note_media(self, cut_short: bool) -> None:
        """Who was heard. Of a real endpoint that was not, nobody knows whether it has said anything; nor what would
        have come of a call that one hung up.
        """
        self.middle.end_media()
        for here, there in ((self.caller, self.callee), (self.callee, self.caller)):
            heard = here.heard()
            for line in (f"{kind} {what}" for kind in self.setting.caller.kinds for what in (RTP, RTCP)):
                question = f"{line} at the {here.name}"
                if line in heard:
                    self.facts[question] = heard[line]
                if line not in heard or (heard[line] == SILENCE and (cut_short or not there.ours)):
                    self.leave_open(question)


Make = Callable[[Play, Party], Awaitable[tuple[Request, Flow | None]]]
"""Makes the INVITE of a built-in caller, and the flow that it goes by if that is not any."""


async def plain(play: Play, party: Party) -> tuple[Request, Flow | None]:
    """With an offer, and nothing else."""
    return invite(play, party), None


def invite(play: Play, party: Party, *fields: tuple[str, str]) -> Request:
    """With an offer, and further header fields."""
    return party.compose("INVITE", play.ground.called, fields, party.description(), user=CALLEE)


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


async def _both(*flows: Coroutine[Any, Any, None]) -> None:
    await defer.gatherResults([defer.Deferred.fromCoroutine(flow) for flow in flows])


Act = Callable[[Play], Awaitable[None]]
"""What happens in a play; it writes facts."""


def call_with(make: Make) -> Act:
    """The act of a call whose INVITE is something special."""

    async def act(play: Play) -> None:
        play.open()
        await play.call_through(make)

    return act


place_call: Final = call_with(plain)
"""The act of most scenarios."""


async def perform(forms: Mapping[bool, Setting], act: Act, order: str, stage: Stage, fixed: bool) -> Observation:
    """A play from start to end, in one of its forms."""
    play = Play(stage, forms[fixed], fixed, order)
    try:
        await act(play)
        return await play.observed()
    finally:
        await play.close()
