"""Streams through an ALG: the same bytes whole, one at a time, in pieces.

Strategy: a test names mappings as pairs of text, as `Vector` does, and a direction as "out" or "in"; here they become
an `Alg` and a `Direction`. A stream is fed piece by piece and closed, so that what comes back is all that ever leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.trace import AnyRecord, MessageRecord, StreamRecord

DIRECTIONS = {"out": Direction.OUTWARD, "in": Direction.INWARD}
OUT, IN = Direction.OUTWARD, Direction.INWARD

UNMAPPED = (("203.0.113.71", "203.0.113.72"), ("203.0.113.71:5060", "203.0.113.73:5070"))
"""Mappings of addresses that occur in no test message."""


def config_for(pairs: Iterable[tuple[str, str]] = (), **settings: Any) -> AlgConfig:
    """A configuration with these static maps."""
    maps = tuple(AddressMap.parse(f"{inside}={outside}") for inside, outside in pairs)
    return AlgConfig(nat=NatConfig(maps=maps), **settings)


def alg_for(pairs: Iterable[tuple[str, str]] = (), **settings: Any) -> Alg:
    """An ALG with these static maps."""
    return Alg(config_for(pairs, **settings))


def with_settings(alg: Alg, **settings: Any) -> AlgConfig:
    """The configuration in force with some settings changed."""
    return replace(alg.config, **settings)


def one_by_one(data: bytes) -> list[bytes]:
    """One byte a piece."""
    return [data[place : place + 1] for place in range(len(data))]


def send(connection: AlgConnection, direction: Direction, pieces: Iterable[bytes]) -> bytes:
    """What leaves for these pieces and the close after them."""
    return b"".join([connection.feed(direction, piece) for piece in pieces]) + connection.close(direction)


def through(pieces: Iterable[bytes], pairs: Iterable[tuple[str, str]], direction: str, **settings: Any) -> bytes:
    """What leaves for these pieces on a new connection of a new ALG."""
    return send(alg_for(pairs, **settings).connection(), DIRECTIONS[direction], pieces)


@dataclass
class Listener:
    """A sink that keeps what it hears."""

    messages: list[MessageRecord] = field(default_factory=list)
    stream: list[StreamRecord] = field(default_factory=list)

    def __call__(self, record: AnyRecord) -> None:
        """Keep it."""
        if isinstance(record, MessageRecord):
            self.messages.append(record)
        elif isinstance(record, StreamRecord):
            self.stream.append(record)

    def noted(self) -> list[tuple[str, tuple[int, int], str]]:
        """Rule, span and reason of every hold and bypass."""
        return [(entry.record.rule, entry.record.span, entry.record.reason) for entry in self.stream]
