"""Searches, against endpoints that are functions."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fuzz.search import CONFIRMATIONS, Answers, Found, Search, bisect, most_probes, step


def drive(search: Search, accepts: Callable[[int], bool]) -> tuple[list[int], Found]:
    """The sizes that were asked, and what was found."""
    asked = []
    size = next(search)
    while True:
        asked.append(size)
        try:
            size = search.send(accepts(size))
        except StopIteration as end:
            found: Found = end.value
            return asked, found


@given(st.integers(600, 70_000), st.integers(0, 2**32))
def test_the_limit_is_exact_in_under_40_probes(limit: int, seed: int) -> None:
    """Each side of it is asked three times."""
    asked, found = drive(bisect(300, 131_072, random.Random(seed)), lambda size: size <= limit)
    assert found == Found(limit, limit + 1, True, ())
    assert len(asked) < 40
    assert asked.count(limit) == asked.count(limit + 1) == CONFIRMATIONS


@given(st.integers(1, 200), st.integers(0, 300), st.integers(0, 400))
def test_small_ranges(low: int, width: int, limit: int) -> None:
    """Also where both ends are the same, or the limit is outside."""
    high = low + width
    asked, found = drive(bisect(low, high, random.Random(1)), lambda size: size <= limit)
    assert all(low <= size <= high for size in asked)
    assert found.largest_accepted == (min(limit, high) if limit >= low else None)
    assert found.smallest_refused == (max(limit + 1, low) if limit < high else None)
    assert found.monotonic


@pytest.mark.parametrize("accepts", [True, False])
def test_no_limit_in_the_range(accepts: bool) -> None:
    """An end is confirmed, and sizes between are sampled."""
    asked, found = drive(bisect(300, 70_000, random.Random(2)), lambda size: accepts)
    assert (found.largest_accepted, found.smallest_refused) == ((70_000, None) if accepts else (None, 300))
    assert found.monotonic
    assert 15 < len(asked) < 40


def test_the_same_seed_asks_the_same() -> None:
    """A journal can stand in for the endpoint."""
    first, second, other = (drive(bisect(1, 9999, random.Random(seed)), lambda size: size < 777) for seed in (5, 5, 6))
    assert first == second
    assert first[0] != other[0]


def test_a_hole_is_noticed() -> None:
    """An endpoint that takes everything but sizes between 4000 and 9000; its smallest refusal is found exactly."""
    _, found = drive(bisect(300, 70_000, random.Random(1)), lambda size: not 4000 < size < 9000)
    assert found == Found(70_000, 4001, False, ("70000 bytes were accepted although 4001 were refused",))


def test_an_island_is_noticed() -> None:
    """An endpoint that refuses from 5000 on, and takes 20,000 to 40,000 again."""
    _, found = drive(bisect(300, 70_000, random.Random(1)), lambda size: size <= 5000 or 20_000 <= size <= 40_000)
    assert not found.monotonic
    assert found.smallest_refused == 5001
    assert found.largest_accepted is not None
    assert found.largest_accepted > 5001


def test_moods_are_noticed() -> None:
    """What answers the same size differently is said to; the search ends all the same."""
    chance = random.Random(7)
    asked, found = drive(bisect(300, 70_000, random.Random(1)), lambda size: chance.random() < 0.5)
    assert not found.monotonic
    assert any("accepted and refused in turn" in line for line in found.contradictions)
    assert len(asked) < 400


@pytest.mark.parametrize(("limit", "most"), [(5000, 20), (4990, 40), (5012, 40), (400, 40), (60_000, 40)])
def test_a_guess_saves_probes_and_does_no_harm(limit: int, most: int) -> None:
    """A guess that is right is confirmed; one that is wrong is left behind."""
    asked, found = drive(bisect(300, 70_000, random.Random(1), guess=5000), lambda size: size <= limit)
    assert found == Found(limit, limit + 1, True, ())
    assert len(asked) < most


def test_steps() -> None:
    """From the smallest on, the largest included."""
    asked, found = drive(step(10, 45, 10), lambda size: size <= 25)
    assert asked == [10, 20, 30, 40, 45]
    assert found == Found(20, 30, True, ())
    assert drive(step(10, 10, 5), lambda size: True)[0] == [10]


def test_steps_show_holes() -> None:
    """Nothing is concluded from the ends."""
    _, found = drive(step(10, 50, 10), lambda size: size != 30)
    assert found == Found(50, 30, False, ("50 bytes were accepted although 30 were refused",))


def test_what_is_known_on_the_way() -> None:
    """The bracket that a progress bar shows."""
    answers = Answers()
    assert (answers.accepted, answers.refused) == (None, None)
    for size, accepted in ((10, True), (90, False), (50, True), (70, False), (95, True)):
        answers.add(size, accepted)
    assert (answers.accepted, answers.refused) == (50, 70)


@pytest.mark.parametrize(("low", "high", "by"), [(300, 131_072, None), (1, 2, None), (10, 45, 10), (10, 40, 10)])
def test_the_progress_bar_expects_enough(low: int, high: int, by: int | None) -> None:
    """And not much more."""
    search = step(low, high, by) if by else bisect(low, high, random.Random(1))
    asked, _ = drive(search, lambda size: size <= (low + high) // 2)
    assert len(asked) <= most_probes(low, high, by) <= len(asked) + 12
