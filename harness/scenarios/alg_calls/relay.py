"""What crosses the media relay of the ALG, by the endpoint that it is for.

Strategy: doors tell when they open and, when they close, what went through them. Until then only the time of the last
packet is known, which is enough to see that something moves.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.edge.media import Notify
from alg.nat.media import Door

RTP, RTCP = "RTP", "RTCP"


class Relay:
    """All doors of one ALG."""

    def __init__(self, then: Notify) -> None:
        """What it hears is passed on."""
        self.packets: dict[Address, Counter[str]] = {}
        """That were passed on to an endpoint, `RTP` and `RTCP` each, of the doors that are closed; by where the
        endpoint receives RTP.
        """
        self._doors: list[Door] = []
        self._then = then

    def door(self, action: str, door: Door | None, **fields: Any) -> None:
        """`alg.edge.media.Notify`."""
        if door is not None and action == "opened":
            self._doors.append(door)
        if door is not None and action == "closed":
            counter = self.packets.setdefault((door.rtp.address.decode(), door.rtp.port), Counter())
            counter.update({RTP: fields["rtp"]["in"], RTCP: fields["rtcp"]["in"]})
        self._then(action, door, **fields)

    def opened(self, direction: Direction) -> bool:
        """Whether there has been a door for an endpoint whose messages go in a direction."""
        return any(door.direction is direction for door in self._doors)

    @property
    def last_used(self) -> float:
        """Seconds of the reactor's clock when something crossed last; 0 if nothing has."""
        return max((door.last_used for door in self._doors), default=0.0)
