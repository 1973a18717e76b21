"""Scenarios of calls through the ALG, declared: settings of both forms, what is done, what shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from harness.scenarios.calls.ground import CALLEE_PART, TOPOLOGY
from harness.scenarios.calls.play import ACK, ANSWER, BYE, CALLEE, LEAKS, Act, Setting, perform, place_call
from harness.scenarios.scenario import Scenario, Sign, fact

HEARD, SILENCE = "heard", "silence"
AT_CALLER, AT_CALLEE = "audio RTP at the caller", "audio RTP at the callee"
WORKS: Mapping[str, str] = {
    **{ANSWER: "200 OK", LEAKS: "none", ACK: "arrives"},
    **{AT_CALLER: HEARD, AT_CALLEE: HEARD, BYE: "200 OK"},
}
"""A call that succeeds from end to end, media included."""
_TOLD_BY_CALLEE = frozenset((ACK, AT_CALLER, AT_CALLEE, BYE))
"""What a real callee does not tell, or not do."""


def through_alg(
    name: str,
    title: str,
    *,
    source: str,
    happens: str,
    look: str,
    wireshark: str,
    cure: str,
    broken: Setting,
    fixed: Setting,
    failure: Mapping[str, str],
    success: Mapping[str, str] = WORKS,
    act: Act = place_call,
    real_callee: bool = False,
    more: tuple[Sign, ...] = (),
) -> Scenario:
    """`failure` and `success` are facts by question; `more` are other signs of the failure."""
    return Scenario(
        name=name,
        title=title,
        source=source,
        topology=TOPOLOGY,
        happens=happens,
        look=look,
        wireshark=wireshark,
        cure=cure,
        observe=partial(perform, {False: broken, True: fixed}, act),
        failure=(*_facts(failure), *more),
        success=_facts(success),
        parts=(CALLEE_PART,) if real_callee else (),
    )


def _facts(expected: Mapping[str, str]) -> tuple[Sign, ...]:
    return tuple(fact(what, text, *((CALLEE,) if what in _TOLD_BY_CALLEE else ())) for what, text in expected.items())
