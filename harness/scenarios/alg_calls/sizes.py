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
from harness.scenarios.alg_calls.ground import Ground
from harness.scenarios.alg_calls.party import Party
from harness.scenarios.alg_calls.play import Make, Play, invite
from harness.sip.flow import Flow
from harness.sip.message import Request

_MARGIN: Final = 10
"""Bytes to a limit, if the growth is enough for it."""
_PADDING: Final = "X-Padding"
ANSWERED: Final = "is answered"


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
    """Makes INVITEs that are smaller than a limit of so many bytes, and larger outside; before each of them an OPTIONS
    is sent that is within the limit outside as well, so that it is seen whether that is taken.
    """

    async def make(play: Play, party: Party) -> tuple[Request, Flow | None]:
        flow = await party.flow_to(play.ground.called)
        asserted = f"<sip:{party.name}@{party.own[0]}>"
        bare = invite(play, party, ("P-Asserted-Identity", asserted), (_PADDING, ""))
        data = party.element.with_via(bare, flow).with_length().to_bytes()
        size = within(limit, growth(data, play.ground), play.ground)
        await party.ask(await _harmless(play, party, limit - _MARGIN))
        return bare.put(_PADDING, "x" * (size - len(data))), None

    return make


async def _harmless(play: Play, party: Party, size: int) -> Request:
    """An OPTIONS of so many bytes outside."""
    flow = await party.flow_to(play.ground.called)
    bare = party.compose("OPTIONS", play.ground.called, [(_PADDING, "")])
    data = party.element.with_via(bare, flow).with_length().to_bytes()
    return bare.put(_PADDING, "x" * (size - len(data) - growth(data, play.ground)))


def control(play: Play, limit: int) -> str:
    """What came of that: `ANSWERED` if it was of its size when it left, whatever the answer says, or why it is not."""
    left = [len(each.to_bytes()) for each in play.seen.left("OPTIONS")]
    if left and left[-1] != limit - _MARGIN:
        return f"has {left[-1]} bytes"
    told = play.seen.answer("OPTIONS")
    return ANSWERED if told[:3].isdigit() else told


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
