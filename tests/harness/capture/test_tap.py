"""What a leg tells its tap of how it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from alg.direction import Direction
from alg.edge.crossing import Leg


class Listening:
    """A tap that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Direction, bool]] = []

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """A FIN."""
        self.heard.append(("ended", leg, by_peer))

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """A RST."""
        self.heard.append(("reset", leg, by_peer))


@pytest.fixture
def leg() -> Leg:
    """An inside leg of a connection that does not care."""
    crossing: Any = SimpleNamespace(leg_lost=lambda leg, reason: None)
    tap: Any = Listening()
    leg = Leg(crossing, tap)
    leg.direction = Direction.OUTWARD
    return leg


def heard(leg: Leg) -> list[tuple[str, Direction, bool]]:
    """What its tap was told."""
    tap: Any = leg._tap
    return list(tap.heard)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (ConnectionDone(), ("ended", Direction.OUTWARD, False)),
        (ConnectionLost(), ("reset", Direction.OUTWARD, True)),
        (ConnectionAborted(), ("reset", Direction.OUTWARD, False)),
    ],
    ids=["closed by us", "reset by the peer", "reset by us"],
)
def test_a_leg_that_is_gone(leg: Leg, reason: Exception, told: tuple[str, Direction, bool]) -> None:
    """A close is an end of our stream, a loss is the peer's reset, an abort is ours."""
    leg.connectionLost(Failure(reason))
    assert heard(leg) == [told]


def test_our_end_is_told_once(leg: Leg) -> None:
    """When our FIN is long gone, the close of the socket is no second one."""
    leg.writeConnectionLost()
    leg.connectionLost(Failure(ConnectionDone()))
    assert heard(leg) == [("ended", Direction.OUTWARD, False)]
