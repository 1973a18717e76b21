"""Scenarios of calls through the ALG, declared: settings of both forms, what is done, what shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from harness.scenarios.alg_calls.ground import CALLEE_HOST, CALLEE_INSIDE, LONG, SHORT, TOPOLOGY
from harness.scenarios.alg_calls.play import (
    ACK,
    ANSWER,
    CALLED,
    CALLEE,
    CALLER,
    ENDING,
    LEAKS,
    Act,
    Setting,
    perform,
    place_call,
)
from harness.scenarios.alg_calls.sound import HEARD, SILENCE
from harness.scenarios.scenario import Part, Scenario, Sign, fact

AT_CALLER, AT_CALLEE = "audio RTP at the caller", "audio RTP at the callee"
WORKS: Mapping[str, str] = {
    **{ANSWER: "200 OK", LEAKS: "none", ACK: "arrives"},
    **{AT_CALLER: HEARD, AT_CALLEE: HEARD, ENDING: "200 OK"},
}
"""A call that succeeds from end to end, media included."""
CALL: Final = "call {callee}, and hang up after 3 s unless the callee has"
_IN_A_CALL: Final = "; its audio is PCMA, and a BYE may come to {own}"
_ANSWERING: Final = (
    "answer the call for sip:callee@HOST with 200 at once, with audio (PCMA) and RTP, and answer its BYE"
)


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
    caller: str = CALL,
    callee: str = _ANSWERING,
    told_by: Mapping[str, tuple[str, ...]] = {},
    more: tuple[Sign, ...] = (),
) -> Scenario:
    """`failure` and `success` are facts by question, and `told_by` has those that a part has to be built in for; `more`
    are other signs of the failure. `caller` and `callee` are what real ones have to do, as an order, with the URI to
    call as `{callee}`, the caller's outside address as `{caller}`, and where it listens as `{own}`. Where the cure is a
    call, it has to be one for the callee, in both forms.
    """
    calls = {CALLED: "the callee"} if ANSWER in success else {}
    return Scenario(
        name=name,
        title=title,
        source=source,
        topology=TOPOLOGY,
        happens=happens,
        look=look,
        wireshark=wireshark,
        cure=cure,
        observe=partial(perform, {False: broken, True: fixed}, act, caller),
        failure=(*_facts({**failure, **calls}, told_by), *more),
        success=_facts({**success, **calls}, told_by),
        parts=_parts(broken, f"{caller}{_IN_A_CALL if calls else ''}", callee),
    )


def _facts(expected: Mapping[str, str], told_by: Mapping[str, tuple[str, ...]]) -> tuple[Sign, ...]:
    """Each is a witness of itself: a play names the questions that it has to leave open. Silence is asked for where the
    other end is built in; a real one may send its media to where it hears some from, whatever messages say.
    """
    return tuple(
        fact(what, text, what, *told_by.get(what, ()), *([_other_end(what)] if text == SILENCE else []))
        for what, text in expected.items()
    )


def _other_end(question: str) -> str:
    return CALLEE if question.endswith(CALLER) else CALLER


def _parts(setting: Setting, caller: str, callee: str) -> tuple[Part, Part]:
    inside, outside = (LONG, SHORT) if setting.shrinking else (SHORT, LONG)
    uri = f"sip:callee@CALLEE:{setting.port};transport=tcp (CALLEE is host {CALLEE_INSIDE})"
    words = {"callee": uri, "caller": f"host {outside}", "own": "HOST:PORT"}
    ports = f"TCP {setting.port}"
    return (
        Part(CALLER, inside, ports, f"has to {caller.format(**words)}"),
        Part(CALLEE, CALLEE_HOST, ports, f"has to {callee.format(**words)}"),
    )
