"""Microseconds that the core spends on a message, without any socket."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass

from netaddr import IPAddress

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from harness.bench.messages import INSIDE, OUTSIDE, invite

_DISTINCT = 2000
"""Different messages per round: what is remembered from one must not flatter the next."""


@dataclass(frozen=True, slots=True)
class CoreFigure:
    """One row."""

    what: str
    microseconds: float
    """CPU time per message, the best of the rounds."""
    message_bytes: int


def measure_core(rounds: int = 5) -> list[CoreFigure]:
    """The INVITE of `invite` under several tables."""
    one = (AddressMap.parse(f"{INSIDE}={OUTSIDE}"),)
    many = tuple(
        AddressMap.parse(f"10.0.{number // 250}.{number % 250 + 1}=64.100.{number // 250}.{number % 250 + 1}")
        for number in range(10_000)
    )
    configurations = {
        "1 mapping": AlgConfig(NatConfig(maps=one)),
        "10,000 mappings": AlgConfig(NatConfig(maps=many)),
        "pool": AlgConfig(NatConfig(pool=(IPAddress(OUTSIDE),))),
        "no address maps": AlgConfig(NatConfig(maps=(AddressMap.parse(f"10.99.99.99={OUTSIDE}"),))),
        "L4F off": AlgConfig(NatConfig(maps=one), l4f=False),
    }
    messages = [invite(number) for number in range(_DISTINCT)]
    size = len(messages[0])
    return [CoreFigure(what, _best(Alg(config), messages, rounds), size) for what, config in configurations.items()]


def _best(alg: Alg, messages: list[bytes], rounds: int) -> float:
    """Microseconds per message in the fastest round."""
    connection = alg.connection()
    fastest = float("inf")
    gc.disable()
    try:
        for _ in range(rounds):
            start = time.process_time()
            for message in messages:
                connection.feed(Direction.OUTWARD, message)
            fastest = min(fastest, time.process_time() - start)
    finally:
        gc.enable()
    return fastest / len(messages) * 1e6
