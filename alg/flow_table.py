"""The TCP connections of an inline ALG: found, begun, woken, forgotten.

Strategy: a connection is known by its inside endpoint and the far one. Those that the ALG looks into have a flow and a
number; of the others no more is kept than how long to remember them (RFC 5382 REQ-5).

A SYN between endpoints whose connection is over begins another. One that comes while the old connection seems to live
passes by it, as both ends may know better: only when the other side takes it up (RFC 9293 3.5.1), the new connection
takes the place of the old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from typing import Protocol as Interface

from alg.config import NatTimeouts
from alg.direction import Direction
from alg.nat.table import Endpoint
from alg.tcp.packet import ACK, FIN, RST, SYN, TcpSegment
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


class Flow(Interface):
    """What the table has to know of a connection, such as `alg.tcp.flow.TcpFlow`."""

    @property
    def finished(self) -> bool:
        """Whether it is over."""

    def timer(self) -> float | None:
        """When it wants to be woken, if at all."""

    def handle(self, direction: Direction, segment: TcpSegment, now: float) -> object:
        """A packet of one direction."""


F = TypeVar("F", bound=Flow)


@dataclass(slots=True, eq=False)
class Tracked(Generic[F]):
    """A connection with what the NAT has to know of it."""

    flow: F | None
    """None if the ALG does not look into it."""
    number: int
    """Of its flow, if there is one; the first is 1."""
    inside: Endpoint
    outside: Endpoint
    remote: Endpoint
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
    closed: int = 0
    """The directions that have closed, a bit each; kept where there is no flow."""
    reset: bool = False
    """Whether the latest segment was a RST, as what goes on was not reset; kept where there is no flow."""

    @property
    def over(self) -> bool:
        """Whether it was reset, or closed by both sides."""
        return self.flow.finished if self.flow is not None else self.reset or self.closed == 0b11

    @property
    def standing(self) -> bool:
        """Whether both sides keep it up, as far as can be told."""
        return self.answered and not self.over

    @property
    def ends(self) -> tuple[Endpoint, Endpoint, Endpoint]:
        """The client, what it called, and what that stands for."""
        if self.first is Direction.OUTWARD:
            return self.inside, self.remote, self.remote
        return self.remote, self.outside, self.inside


class FlowTable(Generic[F]):
    """All of them. Times are in seconds of any clock that does not go backwards."""

    def __init__(self, timeouts: NatTimeouts, forgotten: Callable[[Tracked[F], str], None] | None = None) -> None:
        self._timeouts = timeouts
        self._forgotten = forgotten
        """Is told which connections the table forgets, and why."""
        self._flows: dict[FlowKey, Tracked[F]] = {}
        self._numbered = 0
        self._armed: dict[FlowKey, float] = {}
        """Deadlines of the flows that have one, in seconds."""
        self.timer: float | None = None
        """When `due` wants to be asked, if at all; sometimes too early."""

    def __len__(self) -> int:
        return len(self._flows)

    def __iter__(self) -> Iterator[Tracked[F]]:
        return iter(self._flows.values())

    def standing(self) -> Iterator[Tracked[F]]:
        """The connections that both sides keep up, as far as can be told."""
        return (tracked for tracked in self if tracked.standing)

    def get(self, key: FlowKey) -> Tracked[F] | None:
        """The connection between two endpoints."""
        return self._flows.get(key)

    def find(
        self,
        key: FlowKey,
        outside: Endpoint,
        direction: Direction,
        segment: TcpSegment,
        now: float,
        new: Callable[[int], F | None],
    ) -> Tracked[F]:
        """The connection that a segment belongs to; `new` makes the flow of that number, None if nobody looks in."""
        tracked = self._flows.get(key)
        syn = Syn(direction, segment) if segment.flags & (SYN | ACK) == SYN else None
        if tracked is None or (segment.flags & SYN and self._succeeds(tracked, direction, segment)):
            rival = tracked.rival if tracked is not None and syn is None else None
            if tracked is not None:
                self._forget(key, tracked, "another connection took its place")
            flow = new(self._numbered + 1)
            self._numbered += flow is not None
            tracked = Tracked(flow, self._numbered, key[0], outside, key[1], syn or rival, direction, now)
            self._flows[key] = tracked
            if rival is not None:
                tracked.first = rival.direction
                if flow is not None:
                    flow.handle(*rival, now)
        elif syn is not None and not syn.repeats(tracked.began):
            tracked.rival = syn
        tracked.last_used = now
        tracked.answered = tracked.answered or direction is not tracked.first
        if tracked.flow is None:
            tracked.closed |= 1 << direction if segment.flags & FIN else 0
            tracked.reset = bool(segment.flags & RST)
        return tracked

    @staticmethod
    def _succeeds(tracked: Tracked[F], direction: Direction, segment: TcpSegment) -> bool:
        """Whether a SYN certainly belongs to another connection than the known one."""
        if not segment.flags & ACK:
            return tracked.over
        rival = tracked.rival
        return rival is not None and rival.direction is not direction and segment.ack == wrap(rival.segment.seq + 1)

    def arm(self, tracked: Tracked[F], flow: F) -> None:
        """Take up the deadline of a flow that has handled something."""
        key, deadline = (tracked.inside, tracked.remote), flow.timer()
        if deadline is None:
            self._armed.pop(key, None)
            return
        self._armed[key] = deadline
        if self.timer is None or deadline < self.timer:
            self.timer = deadline

    def due(self, now: float) -> Iterator[tuple[Tracked[F], F]]:
        """The connections whose deadlines have passed; each must be handled before the next is asked for."""
        for key in [key for key, deadline in self._armed.items() if deadline <= now]:
            tracked = self._flows[key]
            assert tracked.flow is not None, "only flows have deadlines"
            yield tracked, tracked.flow
            self.arm(tracked, tracked.flow)
        self.timer = min(self._armed.values(), default=None)

    def expire(self, now: float) -> None:
        """Forget the connections that are over or silent."""
        for key, tracked in list(self._flows.items()):
            limit = self._timeouts.tcp if tracked.standing else self._timeouts.tcp_transitory
            if now - tracked.last_used >= limit:
                self._forget(key, tracked, f"silent for {limit:g} seconds" if tracked.answered else "no answer")

    def _forget(self, key: FlowKey, tracked: Tracked[F], reason: str) -> None:
        del self._flows[key]
        self._armed.pop(key, None)
        if self._forgotten is not None:
            self._forgotten(tracked, reason)
