"""A flow that comes between two endpoints in the middle of their conversation does no harm, whatever the network does.

Both speak message by message, so that boundaries are certain again and again; what was sent before the flow was there
may be lost, and come again through it. The endpoints assert that no number ever stands for two different bytes.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from tests.tcp.endpoint import Endpoint, Habits
from tests.tcp.network import Network, Weather
from tests.tcp.rewriter import LineRewriter, rewritten
from tests.tcp.test_flow_properties import DETERMINISTIC, habits, messages, seeds, weathers

BEGINNINGS = (b"g", b"G", b"s", b"t")

conversations = st.lists(messages, min_size=1, max_size=14)


class Talker(Endpoint):
    """Sends a message when the one before it is acknowledged."""

    def transmit(self, most: int = 8) -> None:
        """No more than the rest of a message at a time."""
        window, stop = self.window, self.data.find(b"\n", self.una) + 1
        self.window = min(window, (stop or len(self.data)) - self.una)
        super().transmit(most)
        self.window = window


class LateFlow(Network):
    """The packets pass by the flow until it is there."""

    def __init__(self, joins: float, data: tuple[bytes, bytes], *rest: Any) -> None:
        flow = TcpFlow(LineRewriter(), starts_message=lambda data: data.startswith(BEGINNINGS))
        super().__init__(flow, data, *rest)
        inside, outside = self.ends
        self.ends = tuple(
            Talker(end.name, end.addresses, end.ports, end.habits, end.data, self.rng) for end in (inside, outside)
        )  # type: ignore[assignment]
        self.joins = joins

    def _through(self, direction: Direction, packet: bytes) -> None:
        if self.now < self.joins:
            self._deliver([(direction, packet)])
        else:
            super()._through(direction, packet)

    def taken_up(self, direction: Direction) -> int | None:
        """Which message was the first to be rewritten; its number among all possible ones."""
        data, received = self.ends[direction].data, bytes(self.ends[direction.opposite].received)
        starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == ord("\n"))]
        possible = [number for number, at in enumerate(starts) if received == data[:at] + rewritten(data[at:])]
        return possible[0] if possible else None


@DETERMINISTIC
@given(
    st.tuples(conversations, conversations),
    st.tuples(habits, habits),
    weathers,
    seeds,
    st.sampled_from([0.03, 0.1, 0.3, 0.5, 1.0, 2.0]),
)
def test_what_passes_and_what_is_rewritten_join(
    said: tuple[list[bytes], list[bytes]], ends: tuple[Habits, Habits], weather: Weather, seed: int, joins: float
) -> None:
    """Up to some message all is as it was sent, from there on all is rewritten; nothing is lost or comes twice."""
    for end in ends:
        end.lazy = 0.0
    network = LateFlow(joins, (b"".join(said[0]), b"".join(said[1])), ends, weather, seed)
    network.run()
    assert all(network.taken_up(direction) is not None for direction in Direction), network.describe()


@pytest.mark.parametrize("seed", range(5))
def test_in_fine_weather_few_messages_pass(seed: int) -> None:
    """In either direction the one on its way, and one more."""
    data = b"".join(b"g%d\n" % number for number in range(20))
    network = LateFlow(0.2, (data, data), (Habits(), Habits()), Weather(), seed)
    network.run()
    before = int((0.2 - 0.04) / 0.04)
    for direction in Direction:
        number = network.taken_up(direction)
        assert number is not None
        assert before <= number <= before + 3, number
