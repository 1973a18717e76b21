"""Growth of a stream: the whole history, until it is pruned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alg.tcp.deltas import DeltaHistory

BIG = 2**33
"""More than the sequence space; offsets are not wrapped."""


def history(*messages: tuple[int, int], at: int = 0) -> DeltaHistory:
    """Messages of (length in, length out), one after the other."""
    deltas, start = DeltaHistory(), (at, at)
    for before, after in messages:
        stop = start[0] + before, start[1] + after
        if before != after:
            deltas.record(start, stop)
        start = stop
    return deltas


def test_every_retransmission_finds_its_first_number() -> None:
    """Edits of +4 in each of three messages: the second was sent at 104, and is again (two offsets remember 108)."""
    deltas = history((100, 104), (100, 104), (100, 104))
    assert [deltas.outgoing(at) for at in (0, 100, 200, 300, 350)] == [0, 104, 208, 312, 362]


def test_inside_a_resized_message_only_its_ends_count() -> None:
    """Down to where it began, or up to where it ended."""
    deltas = history((10, 10), (10, 13), (10, 10))
    assert (deltas.outgoing(15), deltas.outgoing_end(15)) == (10, 23)
    assert (deltas.incoming(22), deltas.incoming_end(22)) == (10, 20)
    assert (deltas.outgoing_end(10), deltas.incoming_end(10)) == (10, 10)
    assert (deltas.incoming_end(23), deltas.incoming(25), deltas.outgoing_end(25)) == (20, 22, 28)


def test_beyond_four_gigabytes() -> None:
    """Offsets count on where sequence numbers wrap."""
    deltas = history((10, 13), at=BIG)
    assert deltas.outgoing(BIG + 10) == BIG + 13
    assert deltas.incoming(BIG + 20) == BIG + 17


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), max_size=12), st.integers(0, 240), st.data())
def test_pruning_changes_nothing_that_is_still_asked(
    messages: list[tuple[int, int]], offset: int, data: st.DataObject
) -> None:
    """From the pruned offset on, every answer stays."""
    whole, pruned = history(*messages), history(*messages)
    pruned.prune(offset)
    asked = data.draw(st.integers(offset, 400))
    assert pruned.outgoing(asked) == whole.outgoing(asked)
    assert pruned.outgoing_end(asked) == whole.outgoing_end(asked)
    out = whole.outgoing(asked)
    assert pruned.incoming(out) == whole.incoming(out)
    assert pruned.growth == whole.growth
    assert len(pruned) <= len(whole)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), max_size=12), st.integers(0, 240))
def test_nothing_is_acknowledged_that_did_not_arrive(messages: list[tuple[int, int]], offset: int) -> None:
    """What `incoming` gives for an acknowledgment left at or before it."""
    deltas = history(*messages)
    assert deltas.outgoing_end(deltas.incoming(offset)) <= offset
    assert deltas.outgoing(deltas.incoming_end(offset)) >= offset
