"""Several who see what crosses one connection of a proxy, each as if it were alone."""

from __future__ import annotations

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.edge.observing import Tap


class Taps:
    """An `alg.edge.observing.Tap`."""

    def __init__(self, *taps: Tap) -> None:
        self._taps = taps

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.opened(leg, peer, ours, by_peer)

    def received(self, leg: Direction, data: bytes) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.received(leg, data)

    def sent(self, leg: Direction, data: bytes) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.sent(leg, data)

    def terminated(self) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.terminated()

    def revealed(self) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.revealed()

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.ended(leg, by_peer)

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """As `Tap` has it."""
        for each in self._taps:
            each.reset(leg, by_peer)
