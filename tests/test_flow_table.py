"""The connections of an inline ALG: found, begun anew, woken, forgotten."""

from __future__ import annotations

import pytest

from alg.config import NatTimeouts
from alg.direction import Direction
from alg.flow_table import FlowTable, Tracked
from alg.nat.table import Endpoint
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment
from tests.helpers.ipv4 import tcp
from tests.tcp.endpoint import ACK, FIN, RST, SYN
from tests.tcp.rewriter import LineRewriter

OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD
INSIDE, REMOTE = ("10.0.30.2", 40000), ("192.0.2.1", 5060)
OUTSIDE = Endpoint(b"203.0.113.10", 40000)
KEY = Endpoint(b"10.0.30.2", 40000), Endpoint(b"192.0.2.1", 5060)


def segment(direction: Direction, flags: int, seq: int = 0, ack: int = 0) -> TcpSegment:
    """Between the two ends."""
    ends = (INSIDE, REMOTE) if direction is OUTWARD else (REMOTE, INSIDE)
    return TcpSegment(tcp(*ends, seq, ack, flags))


def find(
    table: FlowTable[TcpFlow], direction: Direction, flags: int, seq: int = 0, ack: int = 0, now: float = 0.0
) -> Tracked[TcpFlow]:
    """The connection of a segment, which is looked into."""
    arrived = segment(direction, flags, seq, ack)
    tracked = table.find(KEY, OUTSIDE, direction, arrived, now, lambda _: TcpFlow(LineRewriter()))
    assert tracked.flow is not None
    tracked.flow.handle(direction, arrived, now)
    return tracked


def pass_by(table: FlowTable[TcpFlow], direction: Direction, flags: int, now: float = 0.0) -> Tracked[TcpFlow]:
    """The connection of a segment, which nobody looks into."""
    return table.find(KEY, OUTSIDE, direction, segment(direction, flags), now, lambda _: None)


@pytest.fixture
def table() -> FlowTable[TcpFlow]:
    """An empty one, with short times."""
    return FlowTable(NatTimeouts(tcp=100.0, tcp_transitory=10.0))


def test_one_connection(table: FlowTable[TcpFlow]) -> None:
    """All segments between two endpoints belong together."""
    first = find(table, OUTWARD, SYN)
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, OUTWARD, ACK, 1, 6) is first is table.get(KEY)
    assert (first.inside, first.outside, len(table)) == (KEY[0], OUTSIDE, 1)


@pytest.mark.parametrize(
    ("last", "forgotten"),
    [
        ([(INWARD, FIN | ACK), (OUTWARD, FIN | ACK), (INWARD, ACK)], 11.0),
        ([(INWARD, FIN | ACK), (OUTWARD, ACK)], 101.0),
        ([(OUTWARD, FIN | ACK), (OUTWARD, FIN | ACK)], 101.0),
        ([(INWARD, RST)], 11.0),
        ([(OUTWARD, RST), (INWARD, ACK)], 101.0),
        ([(OUTWARD, RST), (INWARD, ACK), (OUTWARD, RST)], 11.0),
    ],
)
def test_nobody_looks_in(table: FlowTable[TcpFlow], last: list[tuple[Direction, int]], forgotten: float) -> None:
    """A connection without a flow is remembered for as long as it seems to stand; a void RST does not end it."""
    for direction, flags in ((OUTWARD, SYN), (INWARD, SYN | ACK), (OUTWARD, ACK), *last):
        tracked = pass_by(table, direction, flags, 1.0)
        assert (tracked.flow, len(table)) == (None, 1)
    assert tracked.standing == (forgotten > 100)
    table.expire(forgotten - 0.1)
    assert len(table) == 1
    table.expire(forgotten)
    assert len(table) == 0
    assert list(table.standing()) == []


def test_numbers(table: FlowTable[TcpFlow]) -> None:
    """Only connections that are looked into count."""
    seen: list[int] = []

    def new(number: int) -> TcpFlow | None:
        seen.append(number)
        return TcpFlow(LineRewriter()) if number != 2 or len(seen) > 3 else None

    for port in range(5):
        key = KEY[0]._replace(port=port), KEY[1]
        tracked = table.find(key, OUTSIDE, OUTWARD, segment(OUTWARD, SYN), 0.0, new)
        assert tracked.flow is None or tracked.number == seen[-1]
    assert seen == [1, 2, 2, 2, 3]


def test_who_calls_whom(table: FlowTable[TcpFlow]) -> None:
    """From inside the called address is the target; from outside it stands for one."""
    assert find(table, OUTWARD, SYN).ends == (KEY[0], KEY[1], KEY[1])
    table.expire(10.0)
    assert find(table, INWARD, SYN).ends == (KEY[1], OUTSIDE, KEY[0])


def test_what_is_forgotten_is_told() -> None:
    """With the reason: silence, no answer, another connection."""
    told: list[tuple[int, str]] = []
    table: FlowTable[TcpFlow] = FlowTable(
        NatTimeouts(tcp=100.0, tcp_transitory=10.0), lambda tracked, reason: told.append((tracked.number, reason))
    )
    find(table, OUTWARD, SYN)
    table.expire(9.9)
    table.expire(10.0)
    find(table, OUTWARD, SYN, now=20.0)
    find(table, INWARD, SYN | ACK, 5, 1, now=20.0)
    table.expire(120.0)
    find(table, OUTWARD, SYN, now=200.0)
    find(table, INWARD, RST | ACK, 0, 1, now=200.0)
    find(table, OUTWARD, SYN, 99, now=201.0)
    assert told == [(1, "no answer"), (2, "silent for 100 seconds"), (3, "another connection took its place")]
    assert [tracked.number for tracked in table] == [4]


def test_a_syn_after_the_end(table: FlowTable[TcpFlow]) -> None:
    """It begins another connection."""
    first = find(table, OUTWARD, SYN)
    find(table, INWARD, RST | ACK, 0, 1)
    assert find(table, OUTWARD, SYN, 99) is not first


def test_a_syn_again(table: FlowTable[TcpFlow]) -> None:
    """The same request sent again is no other connection, nor is its answer."""
    first = find(table, OUTWARD, SYN)
    assert find(table, OUTWARD, SYN) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first


def test_a_syn_that_is_taken_up(table: FlowTable[TcpFlow]) -> None:
    """Only the other side's answer proves that the old connection is no more."""
    first = find(table, OUTWARD, SYN)
    find(table, INWARD, SYN | ACK, 5, 1)
    assert find(table, OUTWARD, SYN, 9000) is first
    assert find(table, INWARD, ACK, 6, 1) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, OUTWARD, SYN | ACK, 70, 9001) is first
    second = find(table, INWARD, SYN | ACK, 70, 9001)
    assert second is not first
    assert (second.first, second.answered) == (OUTWARD, True)
    assert find(table, INWARD, SYN | ACK, 70, 9001) is second
    assert find(table, OUTWARD, SYN, 9000) is second


def test_both_open_at_once(table: FlowTable[TcpFlow]) -> None:
    """A simultaneous open (RFC 9293 3.5) leads to one connection."""
    find(table, OUTWARD, SYN, 100)
    find(table, INWARD, SYN, 200)
    one = find(table, OUTWARD, SYN | ACK, 100, 201)
    assert find(table, INWARD, SYN | ACK, 200, 101) is one
    assert find(table, OUTWARD, ACK, 101, 201) is one


def test_timeouts(table: FlowTable[TcpFlow]) -> None:
    """What was never answered is forgotten as soon as what is over; use makes young."""
    find(table, OUTWARD, SYN)
    find(table, OUTWARD, SYN, now=5.0)
    table.expire(14.0)
    assert len(table) == 1
    table.expire(15.0)
    assert len(table) == 0
    find(table, OUTWARD, SYN, now=20.0)
    find(table, INWARD, SYN | ACK, 5, 1, now=21.0)
    table.expire(120.0)
    assert len(table) == 1
    find(table, INWARD, RST, 6, 1, now=121.0)
    table.expire(131.0)
    assert len(table) == 0


def test_deadlines(table: FlowTable[TcpFlow]) -> None:
    """The table wants to be asked when the first flow does; those due are handled once."""
    tracked = find(table, OUTWARD, SYN)
    flow = tracked.flow
    assert flow is not None
    find(table, INWARD, SYN | ACK, 5, 1)
    table.arm(tracked, flow)
    assert table.timer is None
    for payload, seq in ((b"half of a", 1), (b" line\n", 10)):
        flow.handle(OUTWARD, TcpSegment(tcp(INSIDE, REMOTE, seq, 6, ACK, payload)), 2.0)
        table.arm(tracked, flow)
    assert table.timer == flow.timer() == 3.0
    assert list(table.due(2.9)) == []
    assert [len(each.handle_timer(3.0)) for _, each in table.due(3.0)] == [1]
    assert table.timer == flow.timer() == 5.0
    flow.handle(INWARD, TcpSegment(tcp(REMOTE, INSIDE, 6, 16, ACK)), 4.0)
    table.arm(tracked, flow)
    assert list(table.due(5.0)) == []
    assert table.timer is None
    table.expire(1e9)
    assert len(table) == 0
