"""The TCP connections that an inline ALG looks into: found, begun, woken, forgotten.

Strategy: a connection is known by its inside endpoint and the far one. A SYN between endpoints whose connection is over
begins another. One that comes while the old connection seems to live passes by it, as both ends may know better: only
when the other side takes it up (RFC 9293 3.5.1), the new connection takes the place of the old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from alg.direction import Direction
from alg.nat.table import Endpoint
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import ACK, SYN, TcpSegment
from alg.tcp.seqspace import wrap

FlowKey = tuple[Endpoint, Endpoint]
"""Inside endpoint and remote endpoint."""


class Syn(NamedTuple):
    """A segment that asks for a connection."""

    direction: Direction
    segment: TcpSegment

    def repeats(self, other: Syn | None) -> bool:
        """Whether it is the same request, sent again."""
        return other is not None and (self.direction, self.segment.seq) == (other.direction, other.segment.seq)


@dataclass(slots=True)
class Tracked:
    """A connection with what the NAT has to know of it."""

    flow: TcpFlow
    inside: Endpoint
    outside: Endpoint
    began: Syn | None
    """The SYN that it began with, if that was seen."""
    first: Direction
    """Of its first segment."""
    last_used: float
    """seconds"""
    answered: bool = False
    """Whether both sides have spoken."""
    rival: Syn | None = None
    """The latest SYN of what may be another connection."""


@dataclass(frozen=True, slots=True)
class FlowTimeouts:
    """How long a silent TCP connection is remembered."""

    established: float = 7440.0
    """seconds; RFC 5382 REQ-5 asks for 2 hours and 4 minutes at least"""
    transitory: float = 240.0
    """seconds, if it was never answered or is over; RFC 5382 REQ-5 asks for 4 minutes"""


class FlowTable:
    """All of them. Times are in seconds of any clock that does not go backwards."""

    def __init__(self, timeouts: FlowTimeouts) -> None:
        self._timeouts = timeouts
        self._flows: dict[FlowKey, Tracked] = {}
        self._armed: dict[FlowKey, float] = {}
        """Deadlines of the flows that have one, in seconds."""
        self.timer: float | None = None
        """When `due` wants to be asked, if at all; sometimes too early."""

    def __len__(self) -> int:
        return len(self._flows)

    def get(self, key: FlowKey) -> Tracked | None:
        """The connection between two endpoints."""
        return self._flows.get(key)

    def find(
        self,
        key: FlowKey,
        outside: Endpoint,
        direction: Direction,
        segment: TcpSegment,
        now: float,
        new: Callable[[], TcpFlow | None],
    ) -> Tracked | None:
        """The connection that a segment belongs to; `new` makes the flow of another one, None if nobody looks in."""
        tracked = self._flows.get(key)
        syn = Syn(direction, segment) if segment.flags & (SYN | ACK) == SYN else None
        if tracked is None or (segment.flags & SYN and self._succeeds(tracked, direction, segment)):
            flow = new()
            if flow is None:
                return None
            rival = tracked.rival if tracked is not None and syn is None else None
            tracked = self._flows[key] = Tracked(flow, key[0], outside, syn or rival, direction, now)
            if rival is not None:
                tracked.first = rival.direction
                flow.handle(*rival, now)
        elif syn is not None and not syn.repeats(tracked.began):
            tracked.rival = syn
        tracked.last_used = now
        tracked.answered = tracked.answered or direction is not tracked.first
        return tracked

    @staticmethod
    def _succeeds(tracked: Tracked, direction: Direction, segment: TcpSegment) -> bool:
        """Whether a SYN certainly belongs to another connection than the known one."""
        if not segment.flags & ACK:
            return tracked.flow.finished
        rival = tracked.rival
        return rival is not None and rival.direction is not direction and segment.ack == wrap(rival.segment.seq + 1)

    def arm(self, tracked: Tracked, key: FlowKey) -> None:
        """Take up the deadline of a flow that has handled something."""
        deadline = tracked.flow.timer()
        if deadline is None:
            self._armed.pop(key, None)
            return
        self._armed[key] = deadline
        if self.timer is None or deadline < self.timer:
            self.timer = deadline

    def due(self, now: float) -> Iterator[Tracked]:
        """The connections whose deadlines have passed; each must be handled before the next is asked for."""
        for key in [key for key, deadline in self._armed.items() if deadline <= now]:
            tracked = self._flows[key]
            yield tracked
            self.arm(tracked, key)
        self.timer = min(self._armed.values(), default=None)

    def expire(self, now: float) -> None:
        """Forget the connections that are over or silent."""
        for key, tracked in list(self._flows.items()):
            alive = tracked.answered and not tracked.flow.finished
            limit = self._timeouts.established if alive else self._timeouts.transitory
            if now - tracked.last_used >= limit:
                del self._flows[key]
                self._armed.pop(key, None)
