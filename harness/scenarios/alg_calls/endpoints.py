"""Caller and callee as a play has them: a built-in one that does what it is told, or a real one that is asked.

Strategy: both kinds are asked the same questions. A built-in one answers for itself; for a real one the legs and the
relay of the ALG answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from typing import Protocol as Interface

from twisted.internet import task

from alg.direction import Direction
from harness.scenarios.alg_calls.party import TIMERS, Party, Session
from harness.scenarios.alg_calls.relay import RTP
from harness.scenarios.alg_calls.seen import Seen
from harness.scenarios.stage import Stage
from harness.sip.dialog import DialogId

Deed = Callable[[Party], Awaitable[object]]
"""What a built-in endpoint does."""
Question = Callable[[], bool]
_GRAIN: Final = 0.02
_QUIET: Final = 4.0
"""Seconds without a byte and a packet, after which nothing more is expected of a real endpoint: more than it is to stay
on a call."""


class Endpoint(Interface):
    """One side of a call."""

    name: str
    ours: bool
    """It is a built-in one."""
    gives_up: float
    """Seconds in which it hangs up if its 200 is not acknowledged; 0 where that takes longer than anybody waits."""

    def listen(self, port: int) -> None:
        """On TCP, if it is ours. Raises CannotListenError."""

    async def do(self, deed: Deed, order: str, begun: Question, done: Question) -> None:
        """What it is to do. Who is not ours gets an order, and time until `begun`; then until it is `done`, or until
        nothing moves any more. Without an order there is nothing to wait for.
        """

    async def acknowledged(self, patience: float) -> bool:
        """Whether an ACK comes for the 200 that it sent, in so many seconds."""

    async def talk(self, awaited: str) -> None:
        """Send media; then listen for a while, to lines whose name ends so."""

    def heard(self) -> Mapping[str, str]:
        """What was heard, by `audio RTP` and the like; no more than can be told."""

    async def hang_up(self) -> str:
        """The answer to its BYE; empty if it sends none."""

    def logs(self) -> Mapping[str, str]:
        """By name."""

    async def close(self) -> None:
        """End it, if it is ours."""


class Ours:
    """A built-in endpoint."""

    ours = True
    gives_up = 2 * TIMERS.timeout

    def __init__(self, party: Party) -> None:
        self.party = party
        self.name = party.name
        self._stood: dict[DialogId, Session] = {}
        """Calls that did, whoever has given them up."""

    def listen(self, port: int) -> None:
        """As `Endpoint` has it."""
        self.party.listen(port)

    async def do(self, deed: Deed, order: str, begun: Question, done: Question) -> None:
        """As `Endpoint` has it."""
        await deed(self.party)

    async def acknowledged(self, patience: float) -> bool:
        """As `Endpoint` has it."""
        acknowledged = await self.party.wait("ACK", patience)
        self._stood |= self.party.sessions
        return acknowledged is not None

    async def talk(self, awaited: str) -> None:
        """As `Endpoint` has it."""
        self._stood |= self.party.sessions
        for session in list(self._stood.values())[:1]:
            await self.party.sound.stream(session.remote, awaited)

    def heard(self) -> Mapping[str, str]:
        """As `Endpoint` has it."""
        return self.party.sound.heard

    async def hang_up(self) -> str:
        """As `Endpoint` has it."""
        stood = {} if self.party.notes["BYE"] else self._stood | self.party.sessions
        answers = [await self.party.hang_up(session) for session in stood.values()]
        return answers[0].text if answers else ""

    def logs(self) -> Mapping[str, str]:
        """As `Endpoint` has it."""
        party = self.party
        return {party.name: party.log.getvalue(), f"{party.name} SDL trace": party.trace.getvalue()}

    async def close(self) -> None:
        """As `Endpoint` has it."""
        await self.party.close()


class Theirs:
    """A real endpoint, on one side of the ALG."""

    ours = False
    gives_up = 0.0

    def __init__(self, name: str, stage: Stage, side: Direction, seen: Seen) -> None:
        self.name = name
        self._stage = stage
        self._side = side
        self._seen = seen

    def listen(self, port: int) -> None:
        """As `Endpoint` has it."""

    async def do(self, deed: Deed, order: str, begun: Question, done: Question) -> None:
        """As `Endpoint` has it."""
        end = self._stage.reactor.seconds() + self._stage.wait
        if order and await self._stage.expect(f"{self.name}: {order}", begun):
            await self._until(done, end)

    async def acknowledged(self, patience: float) -> bool:
        """As `Endpoint` has it."""
        await self._until(lambda: self._seen.acknowledged, self._stage.reactor.seconds() + patience)
        return self._seen.acknowledged

    async def talk(self, awaited: str) -> None:
        """As `Endpoint` has it."""

    def heard(self) -> Mapping[str, str]:
        """As `Endpoint` has it."""
        return self._seen.heard(self._side)

    async def hang_up(self) -> str:
        """As `Endpoint` has it; it may take its time."""
        await self._until(lambda: self._seen.ended, self._stage.reactor.seconds() + self._stage.wait)
        return ""

    def logs(self) -> Mapping[str, str]:
        """As `Endpoint` has it."""
        return {}

    async def close(self) -> None:
        """As `Endpoint` has it."""

    async def _until(self, done: Question, end: float) -> None:
        """Until that, or the end, or a while in which nothing moves and nobody's telephone rings."""
        reactor, seen = self._stage.reactor, self._seen
        moved, size = reactor.seconds(), seen.wire.size
        while not done() and reactor.seconds() < end:
            if seen.wire.size != size or seen.rings:
                moved, size = reactor.seconds(), seen.wire.size
            if reactor.seconds() > max(moved, seen.relay.last_used) + _QUIET:
                return
            await task.deferLater(reactor, _GRAIN)


def awaited(other: Endpoint) -> str:
    """Which lines are worth waiting for: a real endpoint takes its time with RTCP, or sends none."""
    return "" if other.ours else RTP
