"""Sequence numbers wrap; offsets do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.tcp.seqspace import before, difference, unwrap, wrap

numbers = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(1, 0, 1), (0, 1, -1), (0, 2**32 - 1, 1), (2**32 - 1, 0, -1), (2**31, 0, -(2**31)), (5, 5, 0)],
)
def test_difference_crosses_the_wrap(left: int, right: int, expected: int) -> None:
    """A number just behind the wrap is later than one just before it."""
    assert difference(left, right) == expected


@given(numbers, st.integers(1, 2**31 - 1))
def test_before_is_a_matter_of_half_the_circle(number: int, step: int) -> None:
    """RFC 9293 3.4: less than 2^31 ahead is later."""
    assert before(number, wrap(number + step))
    assert not before(wrap(number + step), number)


@given(numbers, st.integers(0, 2**40), st.integers(-(2**30), 2**30))
def test_unwrap_finds_the_offset_near_the_reference(origin: int, near: int, away: int) -> None:
    """Offsets count on where the wire wraps, gigabytes into a stream too."""
    assert unwrap(wrap(origin + near + away), origin, near) == near + away
