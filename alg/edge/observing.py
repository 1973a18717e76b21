"""Who may watch a proxy: an observer of its connections, and a tap on the bytes of one.

Both are told when something happened, and must not keep the connection waiting.
"""

from __future__ import annotations

from typing import Protocol as Interface

from alg.connection import AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address
from alg.trace import Sink


class Observer(Interface):
    """Somebody who wants to know about connections."""

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """Both legs stand."""

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached; the client's connection is reset."""

    def sink(self, connection: int) -> Sink | None:
        """Who gets the records of this connection; None for nobody."""

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """Both legs are gone."""


class Tap(Interface):
    """Somebody who sees what crosses the two legs of one connection, when it does.

    A leg is named by the direction of what its peer sends: OUTWARD is the inside leg.
    """

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """A leg stands between these two addresses; `by_peer`: the peer connected to us."""

    def received(self, leg: Direction, data: bytes) -> None:
        """The peer sent these bytes."""

    def sent(self, leg: Direction, data: bytes) -> None:
        """The kernel took these bytes for the peer."""

    def terminated(self) -> None:
        """From here on cipher text of our own crosses, and what the ALG tells is about the clear text in it."""

    def revealed(self) -> None:
        """Both handshakes of such a connection are complete: their secrets have been handed out."""

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """The peer sends no more, or we do not (FIN)."""

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """The peer, or we, broke the leg off (RST)."""
