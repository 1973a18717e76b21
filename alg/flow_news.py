"""How the connections that an inline ALG looks into come and go, for somebody who wants to know.

Strategy: after each packet of a flow its state is compared with what the observer was told. A connection stands when
both sides have spoken; it is over when both have closed, when one of them or we have reset it, or when it is forgotten.
"""

from __future__ import annotations

from typing import Protocol as Interface

from alg.flow_table import Tracked
from alg.nat.table import Endpoint
from alg.tcp.flow import TcpFlow


class FlowObserver(Interface):
    """Somebody who wants to know; must not keep the connection waiting."""

    def connected(self, connection: int, client: Endpoint, called: Endpoint, target: Endpoint) -> None:
        """A connection stands. What the client called stands for the target, or is it."""

    def refused(self, connection: int, client: Endpoint, target: Endpoint, reason: str) -> None:
        """The target did not take it."""

    def closed(self, connection: int, reason: str, flow: TcpFlow) -> None:
        """It is over, or nobody looks into it any more."""


class FlowNews:
    """What one observer is told."""

    def __init__(self, observer: FlowObserver) -> None:
        self._observer = observer
        self._standing: set[int] = set()
        self._over: set[int] = set()
        """Numbers of connections that are remembered still."""

    def handled(self, tracked: Tracked[TcpFlow], flow: TcpFlow) -> None:
        """A connection has handled a packet, or its timer."""
        if tracked.number in self._over:
            return
        ending = flow.ending
        if ending is not None:
            self._end(tracked, flow, ending)
            self._over.add(tracked.number)
        elif tracked.answered and tracked.number not in self._standing:
            self._standing.add(tracked.number)
            self._observer.connected(tracked.number, *tracked.ends)

    def forgotten(self, tracked: Tracked[TcpFlow], reason: str) -> None:
        """A connection is not remembered any more."""
        if tracked.flow is None:
            return
        if tracked.number not in self._over:
            self._end(tracked, tracked.flow, reason)
        self._over.discard(tracked.number)

    def _end(self, tracked: Tracked[TcpFlow], flow: TcpFlow, reason: str) -> None:
        if tracked.number in self._standing:
            self._standing.remove(tracked.number)
            self._observer.closed(tracked.number, reason, flow)
        else:
            client, _, target = tracked.ends
            self._observer.refused(tracked.number, client, target, reason)
