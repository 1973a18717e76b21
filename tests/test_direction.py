"""Directions, as records and events spell them."""

from __future__ import annotations

from alg.direction import Direction


def test_the_opposite_of_the_opposite() -> None:
    """Requests go one way and their responses the other."""
    assert Direction.OUTWARD.opposite is Direction.INWARD
    assert Direction.INWARD.opposite is Direction.OUTWARD


def test_labels() -> None:
    """Events say `outward` and `inward`."""
    assert [direction.label for direction in Direction] == ["outward", "inward"]


def test_index_into_a_pair() -> None:
    """Outward comes first where a thing has one value per direction."""
    assert ("out", "in")[Direction.OUTWARD] == "out"
    assert ("out", "in")[Direction.INWARD] == "in"
