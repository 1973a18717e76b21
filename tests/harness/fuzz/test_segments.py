"""Where messages are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fuzz.segments import LARGEST_RANDOM, At, Every, Random, Segmentation, Whole, pieces

SEGMENTATIONS = st.one_of(
    st.just(Whole()),
    st.builds(Every, st.integers(1, 3000)),
    st.builds(Random, st.integers(0, 2**40)),
    st.builds(At, st.tuples(st.integers(-5, 6000), st.integers(-5, 6000))),
)


@given(SEGMENTATIONS, st.integers(0, 5000))
def test_cuts_are_within_and_ascending(segmentation: Segmentation, length: int) -> None:
    """Nothing is lost, no segment is empty, and the same cuts come again."""
    cuts = segmentation.cuts(length)
    assert list(cuts) == sorted(set(cuts))
    assert all(0 < cut < length for cut in cuts)
    assert segmentation.cuts(length) == cuts
    data = bytes(index % 251 for index in range(length))
    found = pieces(data, cuts)
    assert b"".join(found) == data
    assert len(found) == len(cuts) + 1


@pytest.mark.parametrize(
    ("segmentation", "lengths"),
    [(Whole(), [10]), (Every(4), [4, 4, 2]), (Every(5), [5, 5]), (Every(1), [1] * 10), (At((7, 3, 7, 10)), [3, 4, 3])],
)
def test_lengths(segmentation: Segmentation, lengths: list[int]) -> None:
    """Ten bytes, cut by hand."""
    assert [len(piece) for piece in pieces(bytes(10), segmentation.cuts(10))] == lengths


def test_chance_is_seeded() -> None:
    """Another seed cuts elsewhere; no segment is larger than Ethernet carries."""
    first, second = (Random(seed).cuts(50_000) for seed in (1, 2))
    assert first != second
    assert max(map(len, pieces(bytes(50_000), first))) <= LARGEST_RANDOM
