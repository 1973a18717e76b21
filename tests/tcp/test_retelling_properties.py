"""Whatever a capture shows, what is made of it is a connection that could have been, with the rewritten streams in it.

Captures come from endpoints that are not ours, with loss, duplication and reordering on either side of where they are
captured. A `Witness` reads what is made of them, and asserts what no capture of a real connection shows otherwise: that
no number ever stands for two different bytes, and that nothing is acknowledged or SACKed which was not sent.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment
from alg.tcp.retelling import RetoldFlow
from alg.tcp.writer import Outgoing
from alg.trace import AnyRecord
from tests.tcp.endpoint import FIN, SYN, Habits, Seen, read, signed
from tests.tcp.network import Network, Weather
from tests.tcp.rewriter import LineRewriter, rewritten
from tests.tcp.test_flow_properties import habits, seeds, sip_streams, streams, weathers

DETERMINISTIC = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

Captured = list[tuple[Direction, bytes, float]]
"""Packets with the time when they passed."""


class Tap:
    """Stands between two endpoints, does nothing to their packets, and remembers them."""

    def __init__(self) -> None:
        self.captured: Captured = []

    def timer(self) -> None:
        """Nothing is sent again."""

    def buffered(self, direction: Direction) -> int:
        """Nothing is kept."""
        return 0

    def handle(self, direction: Direction, segment: TcpSegment, now: float) -> list[Outgoing]:
        """It goes on."""
        self.captured.append((direction, segment.data, now))
        return [Outgoing(direction, segment.data)]


class TappedFlow(TcpFlow):
    """The flow of an inline ALG, with the capture of each side of it."""

    def __init__(self, rewriter: AlgConnection) -> None:
        super().__init__(rewriter)
        self.sides: tuple[Captured, Captured] = ([], [])
        """By the direction of what comes in there."""

    def handle(self, direction: Direction, segment: TcpSegment, now: float) -> list[Outgoing]:
        """It comes in on one side, and something leaves."""
        self.sides[direction].append((direction, segment.data, now))
        return self._leaving(super().handle(direction, segment, now), now)

    def handle_timer(self, now: float) -> list[Outgoing]:
        """Something leaves."""
        return self._leaving(super().handle_timer(now), now)

    def _leaving(self, out: list[Outgoing], now: float) -> list[Outgoing]:
        for direction, data in out:
            self.sides[direction.opposite].append((direction, data, now))
        return out


class Witness:
    """Reads the packets of a connection, in the order of their capture."""

    def __init__(self, isns: tuple[int, int], strict: bool = True) -> None:
        self.isns = isns
        self.strict = strict
        """A capture of real packets may show them out of order, and so an acknowledgment before what it is about."""
        self.bytes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """Per direction, what stands at each offset."""
        self.fins: list[int | None] = [None, None]
        self.sent = [0, 0]
        """Per direction, the highest offset in use."""

    def see(self, direction: Direction, packet: bytes) -> Seen:
        """One packet."""
        seen, back = read(packet), direction.opposite
        if seen.flags & SYN:
            return seen
        start = signed(seen.seq - self.isns[direction] - 1)
        for at, byte in enumerate(seen.payload, start):
            assert self.bytes[direction].setdefault(at, byte) == byte, f"another byte at {at}"
        stop = start + len(seen.payload)
        if seen.flags & FIN:
            assert self.fins[direction] in (None, stop), "the FIN stays where it was"
            self.fins[direction] = stop
            stop += 1
        assert start <= self.sent[direction] or not self.strict, f"a gap before {start}"
        self.sent[direction] = max(self.sent[direction], stop)
        for edge in (seen.ack, *(edge for block in seen.sack for edge in block)):
            offset = signed(edge - self.isns[back] - 1)
            assert offset <= self.sent[back] or not self.strict, f"{offset} acknowledged of {self.sent[back]} sent"
        return seen

    def stream(self, direction: Direction) -> bytes:
        """All of one direction; there is no gap in it."""
        found = self.bytes[direction]
        assert sorted(found) == list(range(len(found)))
        return bytes(found[at] for at in range(len(found)))


def retell(captured: Captured, flow: RetoldFlow, isns: tuple[int, int]) -> Witness:
    """Have the other side's capture of a connection witnessed."""
    witness = Witness(isns)
    for direction, packet, now in captured:
        for each in flow.handle(direction, TcpSegment(packet), now):
            witness.see(each.direction, each.data)
    return witness


def ignore(record: AnyRecord) -> None:
    """Nobody listens."""


@settings(DETERMINISTIC)
@given(st.tuples(streams, streams), st.tuples(habits, habits), weathers, seeds)
def test_both_streams_are_rewritten(
    data: tuple[bytes, bytes], ends: tuple[Habits, Habits], weather: Weather, seed: int
) -> None:
    """All of both, up to the FINs, whatever was lost on either side of where it was captured."""
    tap = Tap()
    network = Network(tap, data, ends, weather, seed)  # type: ignore[arg-type]
    network.run()
    flow = RetoldFlow(Direction.OUTWARD, lambda way, sink: LineRewriter(), ignore)
    witness = retell(tap.captured, flow, (ends[0].isn, ends[1].isn))
    for direction in Direction:
        assert witness.stream(direction) == rewritten(data[direction])
        assert witness.fins[direction] == len(rewritten(data[direction]))
    assert flow.held == 0


CONFIG = AlgConfig(nat=NatConfig(maps=(AddressMap.parse("10.0.30.2=64.100.0.10"),)))


@settings(DETERMINISTIC)
@given(
    st.tuples(sip_streams(b"10.0.30.2"), sip_streams(b"64.100.0.10")),
    st.tuples(habits, habits),
    weathers,
    seeds,
    st.sampled_from(Direction),
)
def test_one_side_of_an_alg_tells_the_other(
    data: tuple[bytes, bytes], ends: tuple[Habits, Habits], weather: Weather, seed: int, side: Direction
) -> None:
    """What an ALG between packets has on one side is, byte for byte, what is made of the capture of its other side."""
    alg = Alg(CONFIG)
    tapped = TappedFlow(alg.connection(keep_deltas=True))
    Network(tapped, data, ends, weather, seed).run()
    isns = (ends[0].isn, ends[1].isn)
    real = Witness(isns, strict=False)
    for direction, packet, _ in tapped.sides[side.opposite]:
        real.see(direction, packet)
    flow = RetoldFlow(side, lambda way, sink: alg.connection(keep_deltas=True, sink=sink), ignore)
    witness = retell(tapped.sides[side], flow, isns)
    for direction in Direction:
        assert witness.stream(direction) == real.stream(direction)
        assert witness.fins[direction] == real.fins[direction]
