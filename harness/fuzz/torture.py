"""The torture set as cases for a run: chosen by name or topic, in order or shuffled."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

from alg.errors import ConfigError
from harness.fuzz.expecting import Expected
from harness.fuzz.sizes import Tokens
from harness.fuzz.target import Target
from harness.fuzz.torture_case import Names, TortureCase
from harness.fuzz.torture_set import TOPICS


@dataclass(frozen=True, slots=True)
class Chosen:
    """A case under its topic."""

    topic: str
    case: TortureCase


def choose(only: Collection[str] = (), count: int | None = None, shuffled_by: int | None = None) -> list[Chosen]:
    """The cases of these names and topics, all if there are none; ConfigError for a name that nothing has."""
    everything = [Chosen(topic, case) for topic, cases in TOPICS.items() for case in cases]
    known = set(TOPICS) | {each.case.name for each in everything}
    for name in only:
        if name not in known:
            raise ConfigError(f"--only {name}: no case and no topic of that name; --list has them")
    chosen = [each for each in everything if not only or each.topic in only or each.case.name in only]
    if shuffled_by is not None:
        random.Random(shuffled_by).shuffle(chosen)
    return chosen[:count]


def cases_for(chosen: list[Chosen], target: Target, tokens: Tokens, names: Names) -> list[Expected]:
    """The same for a target."""
    return [
        Expected(
            each.case.case(target.address, target.tls is not None, tokens.next, names),
            each.topic,
            each.case.expectation,
            f"{each.topic}, {each.case.source}: {each.case.why}",
        )
        for each in chosen
    ]
