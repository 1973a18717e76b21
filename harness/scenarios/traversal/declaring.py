"""Scenarios of calls between Webex and on-premises, declared: what is wrong, what is done, what shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from harness.scenarios.needs import Need
from harness.scenarios.scenario import Part, Scenario, Sign, fact, says
from harness.scenarios.traversal.acts import ACK, ANSWER, ARRIVES, BYE, FORWARDED, TOASTS, Act, perform
from harness.scenarios.traversal.ground import TOPOLOGY, Dial

WORKS: Final[Mapping[str, str]] = {
    **{"traversal zone": "active", ANSWER: "200 OK", ACK: ARRIVES, BYE: "200 OK"},
    FORWARDED: "INVITE, ACK, BYE",
}
"""A call that succeeds from end to end, through both Expressways."""
_TOLD_BY_CALLEE: Final = frozenset((ACK, TOASTS))
"""What a real callee does not tell, or not do."""


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
    parts: tuple[Part, ...] = (),
    needs: tuple[Need, ...] = (),
) -> Scenario:
    """`failure` and `success` are facts by question; `more` and `cured` are further signs of the two forms, to which
    the lines of `log` are added.
    """
    callee = parts[0].name if parts else ""
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
        failure=(*_facts(failure, callee), *(says(log_of, line) for line in log), *more),
        success=(*_facts(success, callee), *cured),
        log=log,
        label=label,
        parts=parts,
        needs=needs,
    )


def _facts(expected: Mapping[str, str], callee: str) -> tuple[Sign, ...]:
    witnesses = (callee,) if callee else ()
    return tuple(fact(what, text, *(witnesses if what in _TOLD_BY_CALLEE else ())) for what, text in expected.items())
