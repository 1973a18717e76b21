"""Bytes on their way to a receiver, kept until it has them."""

from __future__ import annotations

from alg.tcp.delivery import Delivery
from alg.tcp.rto import RetransmissionLimits


def delivery(data: bytes = b"abcdefghij", size: int = 4, edge: int | None = None, owned: int = 0) -> Delivery:
    """Bytes from offset 100 on, none of them sent."""
    made = Delivery(100, size, RetransmissionLimits())
    made.append(data)
    made.edge = edge
    made.owned = 100 + owned
    return made


def test_fresh_bytes_leave_in_segments_and_once() -> None:
    """Each no longer than the segment size."""
    made = delivery()
    spans = made.fresh(0.0)
    assert spans == [(100, 104), (104, 108), (108, 110)]
    assert [made.bytes_of(span) for span in spans] == [b"abcd", b"efgh", b"ij"]
    assert made.fresh(0.0) == []


def test_nothing_fresh_leaves_beyond_the_window() -> None:
    """What has no room is unsent, and leaves when there is."""
    made = delivery(edge=106)
    assert made.fresh(0.0) == [(100, 104), (104, 106)]
    assert made.unsent
    assert made.acknowledge(106, 120, 0.0)
    assert made.fresh(0.0) == [(106, 110)]
    assert len(made) == 4


def test_all_that_remains_leaves_at_once() -> None:
    """As far as the receiver has room, but however little the network seems to take after a timeout."""
    made = delivery(owned=10, edge=109)
    made.fresh(0.0)
    assert made.expired(1.0) == [(100, 104)]
    assert made.remaining() == [(104, 108), (108, 109)]
    assert (made.next, made.sent) == (109, 109)
    assert made.remaining() == []


def test_what_was_never_sent_cannot_be_acknowledged() -> None:
    """Nor what was acknowledged before; neither changes the window."""
    made = delivery(edge=104)
    made.fresh(0.0)
    assert not made.acknowledge(105, 999, 0.0)
    assert not made.acknowledge(99, 999, 0.0)
    assert (made.acknowledged, made.edge) == (100, 104)


def test_again_keeps_to_what_was_sent_and_is_missing() -> None:
    """A range is cut to what the receiver lacks."""
    made = delivery(edge=106)
    made.fresh(0.0)
    made.acknowledge(102, 106, 0.0)
    assert made.again(100, 110) == [(102, 106)]


def test_again_probes_a_closed_window() -> None:
    """One byte, at the number where it will stay."""
    made = delivery(edge=100)
    assert made.fresh(0.0) == []
    assert made.again(100, 110) == [(100, 101)]
    assert made.sent == 101


def test_a_fin_follows_the_last_byte() -> None:
    """Alone if the bytes are gone, again if it is asked for, and no more once it arrived."""
    made = delivery(b"ab")
    made.fresh(0.0)
    made.closing = True
    assert made.fresh(0.0) == [(102, 102)]
    assert made.fresh(0.0) == []
    made.acknowledge(102, None, 0.0)
    assert made.again(102, 102) == [(102, 102)]
    made.acknowledge(103, None, 0.0)
    assert made.fin_acknowledged
    assert made.again(102, 102) == []


def test_the_timer_runs_for_what_we_owe() -> None:
    """And for nothing else: the sender answers for the rest."""
    made = delivery(owned=4)
    made.fresh(0.0)
    made.arm(0.0)
    assert made.timer.deadline == 1.0
    made.acknowledge(104, None, 0.5)
    made.arm(0.5)
    assert made.timer.deadline is None
    assert not made.owing


def test_a_timeout_sends_all_again_beginning_with_one_segment() -> None:
    """As acknowledgments come, more follows (RFC 5681 3.1)."""
    made = delivery(owned=10)
    made.fresh(0.0)
    made.arm(0.0)
    assert made.expired(1.0) == [(100, 104)]
    made.acknowledge(104, None, 1.1)
    assert made.fresh(1.1) == [(104, 108), (108, 110)]
    assert made.final == 110


def test_a_repeated_round_trip_is_not_measured() -> None:
    """Karn's rule (RFC 6298 3): nobody knows which copy was acknowledged."""
    made = delivery(owned=10)
    made.fresh(0.0)
    made.arm(0.0)
    made.again(100, 104)
    made.acknowledge(110, None, 0.9)
    assert made.timer.timeout == 1.0


def test_bare_segments_stand_inside_the_window() -> None:
    """Even behind a probe that went beyond it."""
    made = delivery(edge=100)
    made.again(100, 110)
    assert (made.sent, made.current) == (101, 100)


def test_nothing_is_owed_once_the_connection_is_over() -> None:
    """The timer rests."""
    made = delivery(owned=10)
    made.fresh(0.0)
    made.arm(0.0)
    made.drop()
    made.arm(1.0)
    assert made.timer.deadline is None
