"""The peers of a phone's registration, ours and others: each does its part, or is asked to.

Strategy: a part is a pair of classes with the same questions. Ours drives a peer and can be looked into; of somebody
else there is what `Stage.expect` asks for, and no log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet import task

from harness.peers.cucm import Cucm
from harness.peers.phone import Phone, PhoneSettings
from harness.peers.traversal_client import Core
from harness.peers.traversal_server import Edge
from harness.scenarios.reflection.ground import Ground
from harness.scenarios.reflection.names import CORE, LINE, PHONE
from harness.scenarios.reflection.seeing import Access
from harness.scenarios.stage import Stage
from harness.sip.security import Secure
from harness.sip.uri import Address

_PATIENCE = 5.0
"""Seconds for any one thing to happen that is done by one of us."""
_GRAIN = 0.02


class CoreParty(Protocol):
    """An Expressway-C."""

    async def join(self, joined: Callable[[], bool]) -> None:
        """Connect the traversal zone; until it stands, or does not."""

    async def close(self) -> None:
        """End everything."""


class PhoneParty(Protocol):
    """A phone."""

    async def register(self) -> None:
        """Until it has been told what comes of it."""

    async def call(self) -> None:
        """The line of CUCM, until the call is over."""

    async def close(self) -> None:
        """End everything."""


class Server(Protocol):
    """Somebody to whom others connect."""

    def listen(self) -> None:
        """Let them."""

    async def close(self) -> None:
        """End everything."""


class EdgeParty(Server, Protocol):
    """An Expressway-E."""

    @property
    def joined(self) -> bool:
        """The traversal zone stands, as far as it can be told from here."""


class OurCore:
    """One of ours."""

    def __init__(self, reactor: Any, core: Core) -> None:
        self._reactor = reactor
        self._core = core

    async def join(self, joined: Callable[[], bool]) -> None:
        """As CoreParty has it; raises FlowFailed."""
        await self._core.connect()
        end = self._reactor.seconds() + _PATIENCE
        while not joined() and self._reactor.seconds() < end:
            await task.deferLater(self._reactor, _GRAIN)

    async def close(self) -> None:
        """As CoreParty has it."""
        await self._core.close()


class TheirCore:
    """Somebody else's."""

    def __init__(self, stage: Stage, ground: Ground) -> None:
        self._stage = stage
        self._ground = ground

    async def join(self, joined: Callable[[], bool]) -> None:
        """As CoreParty has it."""
        zone, cucm = self._ground.zone, self._ground.cucm
        await self._stage.expect(
            f"{CORE}: connect the traversal zone to {zone.host}:{zone.port} over {zone.transport}; "
            f"CUCM is at {cucm[0]}:{cucm[1]}",
            joined,
        )

    async def close(self) -> None:
        """It goes when it likes."""


class OurEdge:
    """One of ours."""

    def __init__(self, edge: Edge, zone: Secure | None, phones: Secure | None) -> None:
        self._edge = edge
        self._layers = zone, phones

    @property
    def joined(self) -> bool:
        """As EdgeParty has it."""
        return self._edge.zone is not None

    def listen(self) -> None:
        """As Server has it; raises CannotListenError."""
        self._edge.listen(*self._layers)

    async def close(self) -> None:
        """As Server has it."""
        await self._edge.close()


class OurCucm:
    """One of ours."""

    def __init__(self, cucm: Cucm, address: Address) -> None:
        self._cucm = cucm
        self._address = address

    def listen(self) -> None:
        """As Server has it; raises CannotListenError."""
        self._cucm.listen(self._address)

    async def close(self) -> None:
        """As Server has it."""
        await self._cucm.close()


class TheirServer:
    """Somebody else's Expressway-E or CUCM; the traversal zone stands if its connection does."""

    joined = True

    def listen(self) -> None:
        """It does."""

    async def close(self) -> None:
        """It goes when it likes."""


class OurPhone:
    """One of ours."""

    def __init__(self, phone: Phone, ground: Ground) -> None:
        self._phone = phone
        self._where = [ground.access]

    async def register(self) -> None:
        """As PhoneParty has it."""
        await self._phone.register(self._where).first

    async def call(self) -> None:
        """As PhoneParty has it."""
        call = self._phone.call(f"sip:{LINE}@{self._phone.settings.domain}", self._where)
        if await call.established:
            call.hang_up()
            await call.ended

    async def close(self) -> None:
        """As PhoneParty has it."""
        await self._phone.close()


class TheirPhone:
    """Somebody else's."""

    def __init__(self, stage: Stage, ground: Ground, access: Access, settings: PhoneSettings) -> None:
        """`access` is what the Expressway-E has of it; `settings` are those of a device that may register."""
        self._stage = stage
        self._where = f"{ground.access.host}:{ground.access.port} over {ground.access.transport}"
        self._access = access
        self._settings = settings

    async def register(self) -> None:
        """As PhoneParty has it."""
        who = self._settings
        await self._stage.expect(
            f"{PHONE}: register sip:{who.user}@{who.domain} at {self._where}, with user name {who.username} and "
            f"password {who.password}",
            lambda: self._access.outcome("REGISTER") is not None,
        )

    async def call(self) -> None:
        """As PhoneParty has it."""
        await self._stage.expect(
            f"{PHONE}: call sip:{LINE}@{self._settings.domain} over the same connection, and hang up",
            self._is_over,
        )

    async def close(self) -> None:
        """It goes when it likes."""

    def _is_over(self) -> bool:
        """The phone has hung up, or could not be put through."""
        answer = self._access.outcome("INVITE")
        return answer is not None and (not answer.success or self._access.outcome("BYE") is not None)
