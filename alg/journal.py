"""What becomes of every packet of an inline ALG, for somebody who wants to see it.

Strategy: the router notes why a packet stays and what leaves for it, while it handles it; when it is done the tap is
told, first what came and then what left. Without a tap there is no journal.
"""

from __future__ import annotations

from typing import NamedTuple
from typing import Protocol as Interface

from alg.direction import Direction
from alg.flow_table import Tracked
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment


class Place(NamedTuple):
    """Where the payload of a segment stands in what the rewriter of its connection gave out."""

    connection: int
    direction: Direction
    start: int
    """Bytes."""
    settled: int
    """All before this is acknowledged and does not leave again."""


class PacketTap(Interface):
    """Somebody who sees what crosses the router; must not keep it waiting.

    A side is named by the direction of what comes in there: OUTWARD is the inside.
    """

    def came(self, side: Direction, data: bytes, why: str) -> None:
        """A packet came in; `why` says why it goes no further, if it does not."""

    def left(self, side: Direction, data: bytes, place: Place | None, ours: bool) -> None:
        """A packet left; `place` is that of a connection that is looked into. `ours`: nobody sent it but we."""


class Journal:
    """Of one router."""

    def __init__(self, tap: PacketTap) -> None:
        self._tap = tap
        self._why = ""
        self._left: list[tuple[Direction, bytes, Place | None, bool]] = []

    def stays(self, why: str) -> None:
        """The packet at hand goes no further."""
        self._why = why

    def leaves(self, direction: Direction, data: bytes, tracked: Tracked[TcpFlow] | None, ours: bool) -> None:
        """A packet goes this way, with the addresses that it leaves with."""
        place = None
        if tracked is not None and tracked.flow is not None:
            place = Place(tracked.number, direction, *tracked.flow.written(direction, TcpSegment(data).seq))
        self._left.append((direction.opposite, data, place, ours))

    def came(self, side: Direction | None, data: bytes) -> None:
        """The packet at hand, which is done with, came in there; None if it came from neither side."""
        why, self._why = self._why, ""
        if side is not None:
            self._tap.came(side, data, why)
        self.tell()

    def tell(self) -> None:
        """All that left by now."""
        left, self._left = self._left, []
        for departure in left:
            self._tap.left(*departure)
