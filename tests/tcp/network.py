"""Two endpoints with the flow between them, and four links that lose, double, delay and reorder packets."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment
from tests.tcp.endpoint import Endpoint, Habits

INSIDE, OUTSIDE = bytes((10, 0, 30, 2)), bytes((192, 0, 2, 1))


@dataclass
class Weather:
    """What the links do until they are fine."""

    loss: float = 0.0
    doubling: float = 0.0
    jitter: float = 0.0
    """seconds of additional delay at most, which reorders"""
    until: float = 20.0
    """seconds; from then on nothing is lost, doubled or reordered"""


class Network:
    """Runs both endpoints until they have closed."""

    def __init__(
        self, flow: TcpFlow, data: tuple[bytes, bytes], habits: tuple[Habits, Habits], weather: Weather, seed: int
    ) -> None:
        self.rng = random.Random(seed)
        self.flow = flow
        self.weather = weather
        self.ends = (
            Endpoint("inside", (INSIDE, OUTSIDE), (40000, 5060), habits[0], data[0], self.rng),
            Endpoint("outside", (OUTSIDE, INSIDE), (5060, 40000), habits[1], data[1], self.rng),
        )
        self.now = 0.0
        self.most_buffered = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._due: list[float | None] = [None, None, None]
        """When both ends and the flow are woken."""

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Do something at a time."""
        self._count += 1
        heapq.heappush(self._events, (time, self._count, action))

    def _send(self, action: Callable[[], None]) -> None:
        """Over one link."""
        fine = self.now >= self.weather.until
        copies = 1
        if not fine:
            copies = 0 if self.rng.random() < self.weather.loss else 1 + (self.rng.random() < self.weather.doubling)
        for _ in range(copies):
            jitter = 0.0 if fine else self.rng.random() * self.weather.jitter
            self.at(self.now + 0.01 + jitter, action)

    def _collect(self) -> None:
        for direction in Direction:
            end = self.ends[direction]
            packets, end.out = end.out, []
            for packet in packets:
                self._send(lambda packet=packet, direction=direction: self._through(direction, packet))
            if end.wake is not None and end.wake != self._due[direction]:
                self._due[direction] = end.wake
                self.at(end.wake, lambda end=end, due=end.wake: end.tick(self.now) if end.wake == due else None)
        deadline = self.flow.timer()
        if deadline is not None and deadline != self._due[2]:
            self._due[2] = deadline
            self.at(deadline, self._flow_timer)

    def _flow_timer(self) -> None:
        deadline = self.flow.timer()
        if deadline is not None and deadline <= self.now:
            self._deliver(self.flow.handle_timer(self.now))

    def _through(self, direction: Direction, packet: bytes) -> None:
        self._deliver(self.flow.handle(direction, TcpSegment(packet), self.now))
        self.most_buffered = max(self.most_buffered, *(self.flow.buffered(each) for each in Direction))

    def _deliver(self, packets: list[tuple[Direction, bytes]]) -> None:
        for direction, packet in packets:
            self._send(lambda packet=packet, end=self.ends[direction.opposite]: end.take(packet, self.now))

    def _read(self) -> None:
        for end in self.ends:
            if self.rng.random() < 0.7:
                end.read_all(self.now)
        if not self.done:
            self.at(self.now + 0.25, self._read)

    @property
    def done(self) -> bool:
        """Whether both have closed, or one was reset."""
        return all(end.closed for end in self.ends) or all(end.was_reset for end in self.ends)

    def run(self, limit: float = 400.0) -> None:
        """From the SYN to the last FIN; AssertionError if that takes longer than `limit` seconds of simulated time."""
        self.ends[0].connect(0.0)
        self._collect()
        self.at(0.25, self._read)
        while self._events and not self.done:
            self.now, _, action = heapq.heappop(self._events)
            assert self.now < limit, self.describe()
            action()
            self._collect()
        assert self.done, self.describe()

    def describe(self) -> str:
        """Where it stands."""
        return "; ".join(
            f"{end.name} una {end.una} nxt {end.nxt} of {end.end}, window {end.window}, received {len(end.received)}"
            f"{'+FIN' if end.fin_received else ''}, buffered {self.flow.buffered(direction)}"
            for direction, end in zip(Direction, self.ends, strict=True)
        )
