"""The reference rewriter and the hand-written examples check each other; strategies keep their promises."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.reference import MAX_BODY_BYTES, rewrite
from tests.helpers.strategies import MapList, cuts, directions, map_lists, near_sip, sip_messages, streams
from tests.helpers.vector import STATIC
from tests.helpers.vectors import VECTORS, Vector

ELSEWHERE = [("203.0.113.71", "203.0.113.72"), ("203.0.113.71:5060", "203.0.113.73:5070")]
"""Mappings of addresses that no strategy draws."""

slow_data = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector(vector: Vector) -> None:
    """What was written by hand is what the reference makes of it."""
    assert rewrite(vector.data, list(vector.maps), vector.direction) == vector.expected


def test_vector_names_are_unique() -> None:
    """A failing example can be found by its name."""
    assert len({vector.name for vector in VECTORS}) == len(VECTORS) >= 80


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_nothing_changes_without_a_mapping(vector: Vector) -> None:
    """Every byte comes out as it went in when no address of the example is mapped."""
    assert rewrite(vector.data, ELSEWHERE, vector.direction) == vector.data


def test_body_past_the_limit_passes_and_the_next_message_is_rewritten() -> None:
    """A body over 16 MiB keeps its own message as it is, not the one after it."""
    head = b"MESSAGE sip:10.0.30.2 SIP/2.0\r\nContent-Length: %d\r\n\r\n"
    at_limit = head % MAX_BODY_BYTES + b"x" * MAX_BODY_BYTES
    past_limit = head % (MAX_BODY_BYTES + 1) + b"x" * (MAX_BODY_BYTES + 1)
    out = rewrite(past_limit + at_limit, list(STATIC), "out")
    assert out == past_limit + at_limit.replace(b"10.0.30.2", b"64.100.0.10", 1)


@slow_data
@given(streams(), directions())
def test_identity(stream: bytes, direction: str) -> None:
    """Odd spelling survives where there is nothing to map."""
    assert rewrite(stream, ELSEWHERE, direction) == stream


@slow_data
@given(streams(), directions())
def test_static_mapping_leaves_nothing_to_do(stream: bytes, direction: str) -> None:
    """A second pass in the same direction changes nothing: lengths are right, no host was forgotten."""
    once = rewrite(stream, list(STATIC), direction)
    assert rewrite(once, list(STATIC), direction) == once


@slow_data
@given(sip_messages(), sip_messages(), map_lists(), directions())
def test_messages_do_not_influence_each_other(one: bytes, two: bytes, maps: MapList, direction: str) -> None:
    """Two messages come out as each of them alone."""
    assert rewrite(one + two, maps, direction) == rewrite(one, maps, direction) + rewrite(two, maps, direction)


@slow_data
@given(near_sip(), map_lists(), directions())
def test_damaged_streams_do_no_harm(stream: bytes, maps: MapList, direction: str) -> None:
    """Whatever comes, no exception; and without a mapped address no change."""
    rewrite(stream, maps, direction)
    assert rewrite(stream, ELSEWHERE, direction) == stream


@given(st.binary(max_size=200).flatmap(lambda data: st.tuples(st.just(data), cuts(data))))
def test_cuts_join_again(drawn: tuple[bytes, list[bytes]]) -> None:
    """A segmentation has no empty chunk and loses nothing."""
    data, chunks = drawn
    assert b"".join(chunks) == data
    assert all(chunks)


@given(map_lists())
def test_map_lists_are_unambiguous(maps: MapList) -> None:
    """Both ways each source has one target, and a wholly mapped outside address has no port mapping."""
    for side in (0, 1):
        assert len({pair[side] for pair in maps}) == len(maps) > 0
    outside = [pair[1] for pair in maps]
    assert not any(address.partition(":")[0] in outside for address in outside if ":" in address)
