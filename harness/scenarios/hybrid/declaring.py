"""Scenarios of calls between Webex and on-premises, declared: what is wrong, what is done, what shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

from alg.direction import Direction
from harness.scenarios.hybrid.acts import WAYS, Act, perform
from harness.scenarios.hybrid.ground import TOPOLOGY, Dial
from harness.scenarios.hybrid.parts import PARTS
from harness.scenarios.hybrid.seeing import ACK, ANSWER, ARRIVES, BYE, FORWARDED, WARNING, ZONE, witnesses
from harness.scenarios.needs import Need
from harness.scenarios.scenario import Scenario, Sign, fact, says

WORKS: Final[Mapping[str, str]] = {
    **{ZONE: "active", ANSWER: "200 OK", ACK: ARRIVES, BYE: "200 OK"},
    FORWARDED: "INVITE, ACK, BYE",
}
"""A call that succeeds from end to end, through both Expressways."""


def declared(
    label: str,
    name: str,
    title: str,
    *,
    source: str,
    happens: str,
    look: str,
    wireshark: str,
    cure: str,
    act: Act,
    broken: Dial,
    failure: Mapping[str, str],
    success: Mapping[str, str],
    fixed: Dial | None = None,
    log: tuple[str, ...] = (),
    log_of: str = "Expressway-E",
    more: tuple[Sign, ...] = (),
    cured: tuple[Sign, ...] = (),
    needs: tuple[Need, ...] = (),
    worded_by: tuple[str, ...] = (),
    asks: Mapping[str, str] = MappingProxyType({}),
) -> Scenario:
    """`failure` and `success` are facts by question, beside the traversal zone, which stands in both; `more` and
    `cured` are further signs of the two forms. The lines of `log` are in the log of `log_of`; `worded_by` are others
    whose words they quote. `asks` has what is asked of a real peer in this scenario alone, by its name.
    """
    way = WAYS[act]
    return Scenario(
        name=name,
        title=title,
        source=source,
        topology=TOPOLOGY,
        happens=happens,
        look=look,
        wireshark=wireshark,
        cure=cure,
        observe=partial(perform, {False: broken, True: fixed or Dial()}, act),
        failure=(
            *_facts({ZONE: "active", **failure}, way, log_of),
            *(says(log_of, line, *worded_by) for line in log),
            *more,
        ),
        success=(*_facts(success, way, log_of), *cured),
        log=log,
        label=label,
        parts=tuple(
            replace(part, duty=f"{part.duty}. {asks[part.name]}") if part.name in asks else part for part in PARTS[way]
        ),
        needs=needs,
    )


def _facts(expected: Mapping[str, str], way: Direction, author: str) -> tuple[Sign, ...]:
    """A Warning is worded by who refuses; that is whose log has the lines."""
    worded = {WARNING: (author.lower(),)}
    return tuple(fact(what, text, *witnesses(what, way), *worded.get(what, ())) for what, text in expected.items())
