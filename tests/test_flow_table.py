"""The connections of an inline ALG: found, begun anew, woken, forgotten."""

from __future__ import annotations

from alg.direction import Direction
from alg.flow_table import FlowTable, FlowTimeouts, Tracked
from alg.nat.table import Endpoint
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment
from tests.helpers.ipv4 import tcp
from tests.tcp.endpoint import ACK, RST, SYN
from tests.tcp.rewriter import LineRewriter

OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD
INSIDE, REMOTE = ("10.0.30.2", 40000), ("192.0.2.1", 5060)
OUTSIDE = Endpoint(b"203.0.113.10", 40000)
KEY = Endpoint(b"10.0.30.2", 40000), Endpoint(b"192.0.2.1", 5060)


def find(
    table: FlowTable, direction: Direction, flags: int, seq: int = 0, ack: int = 0, now: float = 0.0
) -> Tracked | None:
    """The connection of a segment."""
    ends = (INSIDE, REMOTE) if direction is OUTWARD else (REMOTE, INSIDE)
    segment = TcpSegment(tcp(*ends, seq, ack, flags))
    tracked = table.find(KEY, OUTSIDE, direction, segment, now, lambda: TcpFlow(LineRewriter()))
    if tracked is not None:
        tracked.flow.handle(direction, segment, now)
    return tracked


def test_one_connection() -> None:
    """All segments between two endpoints belong together."""
    table = FlowTable(FlowTimeouts())
    first = find(table, OUTWARD, SYN)
    assert first is not None
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, OUTWARD, ACK, 1, 6) is first is table.get(KEY)
    assert (first.inside, first.outside, len(table)) == (KEY[0], OUTSIDE, 1)


def test_nobody_looks_in() -> None:
    """What is not the ALG's is not remembered."""
    table = FlowTable(FlowTimeouts())
    segment = TcpSegment(tcp(INSIDE, REMOTE, 0, 0, SYN))
    assert table.find(KEY, OUTSIDE, OUTWARD, segment, 0.0, lambda: None) is None
    assert len(table) == 0


def test_a_syn_after_the_end() -> None:
    """It begins another connection."""
    table = FlowTable(FlowTimeouts())
    first = find(table, OUTWARD, SYN)
    find(table, INWARD, RST | ACK, 0, 1)
    assert find(table, OUTWARD, SYN, 99) is not first


def test_a_syn_again() -> None:
    """The same request sent again is no other connection, nor is its answer."""
    table = FlowTable(FlowTimeouts())
    first = find(table, OUTWARD, SYN)
    assert find(table, OUTWARD, SYN) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first


def test_a_syn_that_is_taken_up() -> None:
    """Only the other side's answer proves that the old connection is no more."""
    table = FlowTable(FlowTimeouts())
    first = find(table, OUTWARD, SYN)
    find(table, INWARD, SYN | ACK, 5, 1)
    assert find(table, OUTWARD, SYN, 9000) is first
    assert find(table, INWARD, ACK, 6, 1) is first
    assert find(table, INWARD, SYN | ACK, 5, 1) is first
    assert find(table, OUTWARD, SYN | ACK, 70, 9001) is first
    second = find(table, INWARD, SYN | ACK, 70, 9001)
    assert second is not first
    assert second is not None
    assert (second.first, second.answered) == (OUTWARD, True)
    assert find(table, INWARD, SYN | ACK, 70, 9001) is second
    assert find(table, OUTWARD, SYN, 9000) is second


def test_both_open_at_once() -> None:
    """A simultaneous open (RFC 9293 3.5) leads to one connection."""
    table = FlowTable(FlowTimeouts())
    find(table, OUTWARD, SYN, 100)
    find(table, INWARD, SYN, 200)
    one = find(table, OUTWARD, SYN | ACK, 100, 201)
    assert find(table, INWARD, SYN | ACK, 200, 101) is one
    assert find(table, OUTWARD, ACK, 101, 201) is one


def test_timeouts() -> None:
    """What was never answered is forgotten as soon as what is over; use makes young."""
    table = FlowTable(FlowTimeouts(established=100.0, transitory=10.0))
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


def test_deadlines() -> None:
    """The table wants to be asked when the first flow does; those due are handled once."""
    table = FlowTable(FlowTimeouts())
    tracked = find(table, OUTWARD, SYN)
    assert tracked is not None
    find(table, INWARD, SYN | ACK, 5, 1)
    table.arm(tracked, KEY)
    assert table.timer is None
    for payload, seq in ((b"half of a", 1), (b" line\n", 10)):
        tracked.flow.handle(OUTWARD, TcpSegment(tcp(INSIDE, REMOTE, seq, 6, ACK, payload)), 2.0)
        table.arm(tracked, KEY)
    assert table.timer == tracked.flow.timer() == 3.0
    assert list(table.due(2.9)) == []
    assert [len(each.flow.handle_timer(3.0)) for each in table.due(3.0)] == [1]
    assert table.timer == tracked.flow.timer() == 5.0
    tracked.flow.handle(INWARD, TcpSegment(tcp(REMOTE, INSIDE, 6, 16, ACK)), 4.0)
    table.arm(tracked, KEY)
    assert list(table.due(5.0)) == []
    assert table.timer is None
    table.expire(1e9)
    assert len(table) == 0
