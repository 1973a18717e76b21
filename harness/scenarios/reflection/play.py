"""One phone that registers, from the first port to the last connection: phone, Expressway-E, Expressway-C, CUCM.

Strategy: `Setting` says how the Expressway-C reaches the Expressway-E; what comes of the registration is told as facts,
in words without addresses, by what has crossed the two wires.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from harness.scenarios.reflection import names
from harness.scenarios.reflection.cast import Cast
from harness.scenarios.reflection.ground import Setting
from harness.scenarios.reflection.names import INSIDE, NEVER, NONE
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.sip.message import Response
from harness.sip.uri import NameAddr

_FIELD: Final = ("10.0.30.2", "64.100.0.10", "10.0.10.2")


class Play:
    """One form."""

    def __init__(self, stage: Stage, setting: Setting) -> None:
        self._stage = stage
        self._cast = Cast(stage, setting)
        ground = self._cast.ground
        addresses = dict(zip(_FIELD, (ground.core, ground.public, ground.nic), strict=True))
        stage.keep("addresses.json", msgspec.json.format(msgspec.json.encode(addresses)))

    async def act(self) -> None:
        """The zone comes up; the phone registers, and calls if it may."""
        cast = self._cast
        cast.open()
        await cast.core.join(lambda: cast.edge.joined)
        await cast.phone.register()
        outcome = cast.access.outcome("REGISTER")
        if outcome is not None and outcome.success:
            await cast.phone.call()

    def observed(self) -> Observation:
        """The facts, and the logs of ours, which are kept."""
        logs = {name: log.getvalue() for name, log in self._cast.logs.items()}
        for name, log in logs.items():
            self._stage.keep(f"{name.lower()}.log", log)
        ground = self._cast.ground
        return Observation(self._service() | self._fate(), logs, (*ground.peers, *ground.unseen))

    async def close(self) -> None:
        """End everybody."""
        await self._cast.close()

    def _service(self) -> dict[str, str]:
        """What became of the question about the phone's credentials."""
        zone, ground = self._cast.zone, self._cast.ground
        known = {ground.core: names.OF_CORE, ground.public: names.OF_FIREWALL}
        facts = {}
        services, answers = zone.came("SERVICE"), zone.answers("SERVICE")
        if services:
            host = NameAddr.parse(services[0].values("Route")[0]).sip.host
            facts[names.APPARENT] = known.get(host, host)
        if answers:
            facts[names.SERVICE] = _told(answers[-1])
            facts[names.WARNING] = (answers[-1].first("Warning") or NONE).replace(ground.core, INSIDE)
        refused = sum(address[0] == ground.public for address in self._cast.packets.refused)
        facts[names.ATTEMPTS] = f"{refused}, all refused" if refused else NONE
        return facts

    def _fate(self) -> dict[str, str]:
        """What became of the phone."""
        access = self._cast.access
        register, invite = access.outcome("REGISTER"), access.outcome("INVITE")
        call = NEVER if invite is None else names.STANDS if access.stands else names.FAILS
        return {
            names.FORWARDED: names.COMES if self._cast.zone.came("REGISTER") else NEVER,
            names.REGISTER: NEVER if register is None else _told(register),
            names.CALL: call,
        }


def _told(response: Response) -> str:
    return f"{response.status} {response.reason}"


async def perform(forms: Mapping[bool, Setting], stage: Stage, fixed: bool) -> Observation:
    """A play from start to end, in one of its forms."""
    play = Play(stage, forms[fixed])
    try:
        await play.act()
        return play.observed()
    finally:
        await play.close()
