"""Edits: the only place that cuts bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.rewrite import Edit, apply_edits, growth


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, list[Edit]]:
    """Bytes and edits of them in order, some of them insertions or deletions."""
    data = draw(st.binary(max_size=60))
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=10)))
    if len(places) % 2:
        places.pop()
    spans = zip(places[::2], places[1::2], strict=True)
    return data, [(start, stop, draw(st.binary(max_size=5)), "rule") for start, stop in spans]


@given(edited())
def test_edits_are_done_and_nothing_else(drawn: tuple[bytes, list[Edit]]) -> None:
    """Bytes that no edit names come out as they went in."""
    data, edits = drawn
    expected = bytearray(data)
    for start, stop, new, _ in reversed(edits):
        expected[start:stop] = new
    assert apply_edits(data, edits) == expected


@given(edited())
def test_growth_is_what_the_bytes_grow_by(drawn: tuple[bytes, list[Edit]]) -> None:
    """The delta that TCP is told is the delta that happens."""
    data, edits = drawn
    assert growth(edits) == len(apply_edits(data, edits)) - len(data)


def test_growth_between_two_offsets() -> None:
    """A part's length grows by the edits inside the part alone."""
    edits: list[Edit] = [(0, 2, b"x", "a"), (5, 5, b"xyz", "b"), (8, 10, b"", "c")]
    assert growth(edits) == -1 + 3 - 2
    assert growth(edits, 5) == 3 - 2
    assert growth(edits, 0, 5) == -1 + 3
    assert growth(edits, 6, 7) == 0
    assert growth([], 0, 9) == 0


def test_no_edits() -> None:
    """A message that nothing is done to stays the same."""
    assert apply_edits(b"abc", []) == b"abc"


def test_overlapping_edits_are_our_own_fault() -> None:
    """Two rules that want the same bytes are an error of the program, never a garbled message."""
    with pytest.raises(AssertionError, match="overlaps"):
        apply_edits(b"abcdef", [(0, 3, b"", "a"), (2, 4, b"", "b")])
