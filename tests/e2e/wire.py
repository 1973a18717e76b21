"""A wire between a lab's endpoint and its router that loses, doubles and reorders packets, as a seed decides.

Strategy: the router's device moves into a namespace of its own, and a new one takes its place; between the two, frames
are carried by hand. Only IPv4 has bad weather: what ARP loses would take a second to be asked again.
"""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from harness.lab.lab import Lab
from harness.lab.namespace import within
from harness.lab.offload import set_offload

_ALL_PROTOCOLS = 3
"""ETH_P_ALL of <linux/if_ether.h>."""
_IPV4 = b"\x08\x00"
_LARGEST_FRAME = 1 << 16


@dataclass
class Weather:
    """How likely a packet is to be ..."""

    lost: float = 0.01
    doubled: float = 0.01
    late: float = 0.01
    delay: float = 0.003
    """seconds that a late one is late"""


@dataclass
class Wire:
    """Carries frames between two devices."""

    ends: tuple[socket.socket, socket.socket]
    rng: random.Random
    weather: Weather
    lost: int = 0
    doubled: int = 0
    late: int = 0
    carried: int = 0
    _waiting: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)
    _over: bool = False

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """Carry for as long as the block runs."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._over = True
            thread.join()
            for end in self.ends:
                end.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for place, end in enumerate(self.ends):
                end.setblocking(False)
                selector.register(end, selectors.EVENT_READ, place)
            while not self._over:
                patience = self._waiting[0][0] - time.monotonic() if self._waiting else 0.05
                for key, _ in selector.select(max(0.0, patience)):
                    self._take(key.data)
                while self._waiting and self._waiting[0][0] <= time.monotonic():
                    *_, place, frame = heapq.heappop(self._waiting)
                    self._put(place, frame)

    def _take(self, place: int) -> None:
        """Everything that has come to one end."""
        while True:
            try:
                frame, (*_, kind, _, _) = self.ends[place].recvfrom(_LARGEST_FRAME)
            except BlockingIOError:
                return
            if kind != socket.PACKET_OUTGOING:
                self._carry(1 - place, frame)

    def _carry(self, place: int, frame: bytes) -> None:
        chance = self.rng.random()
        if frame[12:14] != _IPV4:
            self._put(place, frame)
        elif chance < self.weather.lost:
            self.lost += 1
        elif chance < self.weather.lost + self.weather.doubled:
            self.doubled += 1
            self._put(place, frame)
            self._put(place, frame)
        elif chance < self.weather.lost + self.weather.doubled + self.weather.late:
            self.late += 1
            heapq.heappush(self._waiting, (time.monotonic() + self.weather.delay, next(self._number), place, frame))
        else:
            self._put(place, frame)

    def _put(self, place: int, frame: bytes) -> None:
        self.carried += 1
        self.ends[place].send(frame)


@contextmanager
def wire(lab: Lab, side: str, seed: int, weather: Weather | None = None) -> Iterator[Wire]:
    """Bad weather on one side of a lab without offload, for as long as the block runs."""
    router, middle = lab.namespace("router"), f"{lab.namespace(side)}-wire"
    subprocess.run(["ip", "netns", "add", middle], check=True)
    try:
        within(middle, lambda: Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1"))
        (gateway,) = lab.topology.addresses("router")[side]
        for line in (
            f"{router} link set {side} netns {middle} name endpoint",
            f"{router} link add {side} type veth peer name router netns {middle}",
            f"{router} address add {gateway} dev {side}",
            f"{router} link set {side} up",
            f"{middle} link set endpoint up",
            f"{middle} link set router up",
        ):
            subprocess.run(["ip", "-n", *line.split()], check=True)
        within(router, lambda: set_offload((side,), on=False))
        within(middle, lambda: set_offload(("endpoint", "router"), on=False))
        ends = within(middle, lambda: (_tap("endpoint"), _tap("router")))
        one = Wire(ends, random.Random(seed), weather or Weather())
        with one.carrying():
            yield one
    finally:
        subprocess.run(["ip", "netns", "delete", middle], check=True)


def _tap(device: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    tap.bind((device, _ALL_PROTOCOLS))
    return tap
