"""What happens in a scenario of calls between Webex and on-premises, and what comes of it.

Strategy: an act has one end call the other, and see the call through: answered, acknowledged, hung up. What the legs
show of it is told as facts. The same act is performed with the fault and with the cure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from alg.direction import Direction
from harness.peers.webex import CALL_TYPE
from harness.scenarios.hybrid import ground, seeing
from harness.scenarios.hybrid.cast import Cast
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.hybrid.parties import ANSWERING, Party, Progress, Wanted
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.sip.agent import Agent
from harness.sip.call import Call
from harness.sip.call_states import CallState

Act = Callable[[Cast], Awaitable[None]]


async def perform(forms: Mapping[bool, Dial], act: Act, stage: Stage, fixed: bool) -> Observation:
    """An act from start to end, in one of its forms."""
    cast = Cast(stage, forms[fixed])
    try:
        await cast.open()
        await act(cast)
    finally:
        await cast.close()
    return Observation(dict(cast.facts), cast.logs, cast.strangers)


async def call_in(cast: Cast) -> None:
    """Webex calls a phone: the Route names the cluster, the Request-URI the phone."""
    wanted = Wanted(f"sip:{ground.BOB}", cast.destination, (f"<sip:{ground.CLUSTER};lr>",))
    await _see_through(cast, cast.webex, wanted, Direction.INWARD)
    cast.facts[seeing.ASKED] = "yes" if cast.asked else "no"


async def call_out(cast: Cast) -> None:
    """A phone calls Webex: CUCM sends the call to Expressway-C."""
    host, port = cast.ground.trunk
    wanted = Wanted(f"sip:{ground.ALICE}", f"at {host}:{port} over TCP")
    await _see_through(cast, cast.cucm, wanted, Direction.OUTWARD)


async def call_in_with_fork(cast: Cast) -> None:
    """As `call_in`; CUCM rings the phone, and the app through Webex, which is to know the call as its own."""

    def notify(webex: Agent, call: Call) -> None:
        """Of the fork, unless Webex knows the call."""
        if seeing.squared(call.request):
            call.reject(603)
        else:
            call.ring()

    def fork(cucm: Agent, call: Call) -> None:
        """The phone rings, and the remote destination of the same user."""
        call.ring()
        host, port = cast.ground.cucm
        parameter = f";{'='.join(CALL_TYPE)}" if seeing.squared(call.request) else ""
        contact = ("Contact", f"<sip:bob@{host}:{port};transport=tcp>{parameter}")
        second = cucm.call(f"sip:{ground.BOB_AT_WEBEX}", where=[cast.trunk], fields=[contact])
        cast.later(pick_up(second, call))

    async def pick_up(second: Call, first: Call) -> None:
        """The phone is picked up once the app has rung, or has not."""
        await cast.until(lambda: second.state is not CallState.CALLING, ANSWERING)
        second.hang_up()
        first.answer()

    cast.webex.takes(notify)
    cast.cucm.takes(fork)
    await call_in(cast)


WAYS: Final[Mapping[Act, Direction]] = {
    call_in: Direction.INWARD,
    call_in_with_fork: Direction.INWARD,
    call_out: Direction.OUTWARD,
}
"""Where the call of an act goes."""


async def _see_through(cast: Cast, caller: Party, wanted: Wanted, way: Direction) -> None:
    sights = cast.sights
    progress = Progress(lambda: seeing.acknowledged(sights, way), lambda: seeing.is_over(sights, way))
    cast.facts |= await caller.call(wanted, progress)
    cast.facts |= {**seeing.seen(sights, way), seeing.TRIED: cast.tried}
