"""All scenarios: a family is a file with a tuple of declarations, and one line here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alg.errors import ConfigError
from harness.scenarios import (
    alg_addresses,
    alg_media,
    alg_messages,
    hybrid_codec,
    hybrid_inbound,
    hybrid_outbound,
    hybrid_size,
    nat_reflection,
    tls,
)
from harness.scenarios.scenario import Scenario

_FAMILIES: Final = (
    tls.SCENARIOS,
    hybrid_inbound.SCENARIOS,
    hybrid_outbound.SCENARIOS,
    hybrid_codec.SCENARIOS,
    hybrid_size.SCENARIOS,
    nat_reflection.SCENARIOS,
    alg_messages.SCENARIOS,
    alg_addresses.SCENARIOS,
    alg_media.SCENARIOS,
)

SCENARIOS: Final[dict[str, Scenario]] = {each.name: each for family in _FAMILIES for each in family}
"""By name, family by family."""


def find(name: str) -> list[Scenario]:
    """By name, or by the label that the guides' lists have; ConfigError if there is none.

    A label such as `B2-early` has the placement of a problem behind its dash; `B2` is all placements of it.
    """
    label = name.lower()
    found = [each for each in SCENARIOS.values() if each.name == name or each.label.lower() == label]
    found = found or [each for each in SCENARIOS.values() if each.label.lower().partition("-")[0] == label]
    if not (found and label):
        raise ConfigError(f"no scenario {name!r}; `sipalg scenario list` has their names and labels")
    return found


def replacing(scenarios: Iterable[Scenario], peer: str) -> list[Scenario]:
    """Those in which a real peer can stand in for one; ConfigError if there is none."""
    scenarios = list(scenarios)
    found = [each for each in scenarios if peer in each.replaceable]
    if not found:
        known = sorted({name for each in scenarios for name in each.replaceable})
        raise ConfigError(f"--peer {peer}: no such part here; those that there are: {', '.join(known)}")
    return found


def expect_part(scenarios: Iterable[Scenario], peer: str) -> None:
    """ConfigError if one of them has no part of that name."""
    for scenario in scenarios:
        if peer not in scenario.replaceable:
            raise ConfigError(
                f"--peer {peer}: no such part in {scenario.name}; those that there are: "
                f"{', '.join(scenario.replaceable)}"
            )
