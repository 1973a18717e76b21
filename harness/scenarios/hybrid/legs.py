"""The three legs of a hybrid call, and what is seen on each, whoever of its two neighbours is one of ours.

Strategy: a leg is watched at one of its ends, at an Expressway's if that is possible. Messages have the direction in
which they go, so that it makes no difference at which end. A leg between two strangers is seen by nobody.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from alg.direction import Direction
from harness.scenarios.hybrid.messages import Messages
from harness.sip.message import Request, Response

CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX = "cucm", "expressway-c", "expressway-e", "webex"
"""Peers, from inside to outside."""


class Leg(Enum):
    """By its neighbours; the value is how signs name it as a witness."""

    INSIDE = "between CUCM and Expressway-C"
    ZONE = "between Expressway-C and Expressway-E"
    OUTSIDE = "between Expressway-E and Webex"


_ENDS: Final = {
    Leg.INSIDE: (CUCM, EXPRESSWAY_C),
    Leg.ZONE: (EXPRESSWAY_C, EXPRESSWAY_E),
    Leg.OUTSIDE: (EXPRESSWAY_E, WEBEX),
}
"""The inner and the outer one."""
_WATCHERS: Final = EXPRESSWAY_E, EXPRESSWAY_C, CUCM, WEBEX
"""Who watches rather than the other one."""
COURSES: Final = {Direction.OUTWARD: tuple(Leg), Direction.INWARD: tuple(Leg)[::-1]}
"""The legs of a call, from its caller on."""


def watcher(leg: Leg, strangers: Container[str]) -> str:
    """At whose end a leg is watched; empty if both ends are strangers."""
    return next((name for name in _WATCHERS if name in _ENDS[leg] and name not in strangers), "")


def strange(leg: Leg, strangers: Container[str]) -> bool:
    """Whether an end of a leg is a stranger."""
    return any(name in strangers for name in _ENDS[leg])


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen on a leg."""

    sends: Direction = Direction.OUTWARD
    """Where what the watched end sends goes to."""
    messages: Messages = field(default_factory=Messages)

    @classmethod
    def of(cls, leg: Leg, name: str, messages: Messages) -> Sight:
        """As one of its ends has it."""
        return cls(Direction.OUTWARD if name == _ENDS[leg][0] else Direction.INWARD, messages)

    def requests(self, method: str, way: Direction) -> list[Request]:
        """Those of a method that go one way."""
        return self.messages.requests(method, way is self.sends)

    def responses(self, method: str, way: Direction) -> list[Response]:
        """Those to requests of a method that go one way; the requests went the other one."""
        return self.messages.responses(method, way is self.sends)

    def finals(self, method: str, way: Direction) -> list[Response]:
        """The final ones of them."""
        return self.messages.finals(method, way is self.sends)

    def largest(self, way: Direction) -> int:
        """Bytes of the largest message that goes one way."""
        return self.messages.largest[way is self.sends]

    def was_reset(self, way: Direction, size: int) -> bool:
        """Whether the end from where messages go this way has reset a connection that brought it more bytes in one
        message than `size`.
        """
        return any(ours is (way is self.sends) and largest > size for ours, largest in self.messages.resets)
