"""Who is at an end of a hybrid call: a peer of ours, or somebody else, who is asked for what only he can do.

Strategy: both are told the same, in the same words. What came of it is seen on the legs; the little that a peer of ours
tells besides is a value that `call` brings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from harness.peers.cucm import Cucm
from harness.peers.webex import Webex
from harness.scenarios.hybrid.connectivity import Report
from harness.scenarios.stage import Stage
from harness.sip.agent import Agent
from harness.sip.call import Call
from harness.sip.call_states import CallState
from harness.sip.flow import Target

P = TypeVar("P", Webex, Cucm)
ANSWERING: Final = 8.0
"""Seconds for the answer to an INVITE: several addresses may have to be tried."""
LAG: Final = 6.0
"""Seconds for what follows an answer at once."""

Until = Callable[[Callable[[], bool], float], Awaitable[bool]]
"""Whether a condition comes to hold within so many seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that an end is to place, and to hang up if it stands."""

    uri: str
    where: str
    """In words for somebody who does it by hand."""
    routes: tuple[str, ...] = ()
    """Preloaded."""

    def __str__(self) -> str:
        routed = "".join(f", with `Route: {route}`," for route in self.routes)
        return f"call {self.uri}{routed} {self.where}, and hang up once it stands"


@dataclass(frozen=True, slots=True)
class Progress:
    """What the legs show of a call."""

    acknowledged: Callable[[], bool]
    """Whoever is called has the ACK."""
    over: Callable[[], bool]
    """Nothing is to come any more."""


class Party(Protocol):
    """One end."""

    def takes(self, on_call: Callable[[Agent, Call], None]) -> None:
        """Have an agent do this with calls that come."""

    async def call(self, wanted: Wanted, progress: Progress) -> Mapping[str, str]:
        """Place a call and see it through; facts that nobody else can tell."""

    async def close(self) -> None:
        """End everything."""


class Played(Generic[P]):
    """One of ours."""

    def __init__(
        self,
        peer: P,
        find: Callable[[], Awaitable[Report]],
        place: Callable[[Wanted, Sequence[Target]], Call],
        until: Until,
    ) -> None:
        self.peer: P = peer
        self._find = find
        self._place = place
        self._until = until

    def takes(self, on_call: Callable[[Agent, Call], None]) -> None:
        """As `Party` has it."""
        self.peer.agent.on_call = partial(on_call, self.peer.agent)

    async def call(self, wanted: Wanted, progress: Progress) -> Mapping[str, str]:
        """As `Party` has it; requests within the call go by its route set."""
        found = await self._find()
        if found.targets:
            call = self._place(wanted, found.targets)
            call.where = None
            await self._until(lambda: call.established.called, ANSWERING)
            if call.state is CallState.ESTABLISHED:
                await self._until(progress.acknowledged, LAG)
                call.hang_up()
            await self._until(progress.over, LAG)
        return found.results

    async def close(self) -> None:
        """As `Party` has it."""
        await self.peer.close()


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody else: does with calls that come what he does, and calls if he is asked to."""

    stage: Stage
    name: str
    noticed: Callable[[], Mapping[str, str]] = dict
    """What is seen of his attempts to call."""

    def takes(self, on_call: Callable[[Agent, Call], None]) -> None:
        """Knows better."""

    async def call(self, wanted: Wanted, progress: Progress) -> Mapping[str, str]:
        """As `Party` has it; of himself he tells nothing."""
        await self.stage.expect(f"{self.name}: {wanted}", progress.over)
        return self.noticed()

    async def close(self) -> None:
        """Ends by himself."""
