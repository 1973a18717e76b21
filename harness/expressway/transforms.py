"""Pre-search transforms: the first that matches changes the alias, before policy and search rules see it.

"Only one transform can be matched per search" (Expressway Administrator Guide X14.0.1, About Pre-Search Transforms).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.expressway.patterns import check_pattern
from harness.expressway.settings import Expressway, State, Transform


@dataclass(frozen=True, slots=True)
class Transformed:
    """What the transforms made of an alias."""

    transform: Transform | None
    """The one that matched."""
    alias: str


def transform_alias(expressway: Expressway, alias: str) -> Transformed:
    """The alias that everything behind the transforms works with."""
    for transform in sorted(expressway.transforms, key=lambda entry: entry.priority):
        if transform.state is State.DISABLED:
            continue
        check = check_pattern(alias, transform.pattern, expressway.variables)
        if check.matched:
            return Transformed(transform, check.alias)
    return Transformed(None, alias)
