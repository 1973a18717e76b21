"""An INVITE that is within a limit on its way to the ALG and exceeds it behind, whatever lengths the addresses have.

Strategy: what an INVITE becomes is found out by an ALG of its own, which does nothing wrong. How much it grows does not
depend on the padding, so that this can be chosen afterwards.
"""

from __future__ import annotations

from typing import Final

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.errors import ConfigError
from harness.scenarios.calls.ground import Ground
from harness.scenarios.calls.party import Party
from harness.scenarios.calls.play import Make, Play, invite
from harness.sip.flow import Flow
from harness.sip.message import Request

_MARGIN: Final = 10
"""Bytes to a limit, if the growth is enough for it."""
_PADDING: Final = "X-Padding"


def require_growth(ground: Ground, shrinking: bool = False) -> None:
    """ConfigError unless the caller's address gets longer on its way out, or shorter."""
    if ground.growth >= 0 if shrinking else ground.growth <= 0:
        inside, outside = ground.caller[0], ground.caller_outside
        what = "longer" if shrinking else "shorter"
        raise ConfigError(
            f"--peer caller={inside}:{ground.caller[1]}: is {outside} outside, and has to be {what} than that; give it "
            "another address, or name another --network"
        )


def just_within(limit: int) -> Make:
    """Makes INVITEs that are smaller than a limit of so many bytes, and larger outside."""

    async def make(play: Play, party: Party) -> tuple[Request, Flow | None]:
        flow = await party.flow_to(play.ground.called)
        asserted = f"<sip:{party.name}@{party.own[0]}>"
        bare = invite(play, party, ("P-Asserted-Identity", asserted), (_PADDING, ""))
        data = party.element.with_via(bare, flow).with_length().to_bytes()
        size = within(limit, growth(data, play.ground), play.ground)
        return bare.put(_PADDING, "x" * (size - len(data))), None

    return make


def growth(message: bytes, ground: Ground) -> int:
    """Bytes by which a message of the caller's grows in an ALG that does nothing wrong."""
    return len(Alg(AlgConfig(NatConfig(ground.maps))).connection().feed(Direction.OUTWARD, message)) - len(message)


def within(limit: int, grows: int, ground: Ground) -> int:
    """Of the message inside."""
    if grows < 2:
        raise ConfigError(
            f"--peer callee={ground.callee[0]}:{ground.callee[1]}: its address is so much shorter than "
            f"{ground.callee_inside}, which stands for it inside, that the INVITE grows by {grows} bytes, and not by 2 "
            "or more; name another --network"
        )
    return limit - _MARGIN if grows > _MARGIN else limit - 1
