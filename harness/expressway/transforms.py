"""Pre-search transforms: the first that matches changes the alias, before policy and search rules see it.

"Only one transform can be matched per search" (Expressway Administrator Guide X14.0.1, About Pre-Search Transforms).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.expressway.expressions import Undecided
from harness.expressway.patterns import check_pattern
from harness.expressway.settings import Expressway, State, Transform


@dataclass(frozen=True, slots=True)
class Transformed:
    """What the transforms made of an alias."""

    transform: Transform | None
    """The one that matched."""
    alias: str
    undecided: tuple[str, ...] = ()
    """The transforms that count as not matching since nobody can tell, and why."""


def transform_alias(expressway: Expressway, alias: str) -> Transformed:
    """The alias that everything behind the transforms works with."""
    undecided: list[str] = []
    for transform in sorted(expressway.transforms, key=lambda entry: entry.priority):
        if transform.state is State.DISABLED:
            continue
        try:
            check = check_pattern(alias, transform.pattern, expressway.variables)
        except Undecided as error:
            undecided.append(f"transform of priority {transform.priority}: {error}")
            continue
        if check.matched:
            return Transformed(transform, check.alias, tuple(undecided))
    return Transformed(None, alias, tuple(undecided))
