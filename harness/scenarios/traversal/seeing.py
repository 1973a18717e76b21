"""What the legs of a hybrid call show of it, as facts in words without addresses.

Strategy: nobody is asked. A message is looked for on the leg where an engineer would, in the direction in which it
goes, so that a peer of ours and a real one are told apart by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from alg.direction import Direction
from alg.errors import SipSyntaxError
from harness.peers.webex import CALL_TYPE
from harness.scenarios.traversal import connectivity as test
from harness.scenarios.traversal.ground import MTLS
from harness.scenarios.traversal.legs import COURSES, CUCM, EXPRESSWAY_E, WEBEX, Leg, Sight
from harness.sip import sdp
from harness.sip.message import Message, Request, Response

ZONE: Final = "traversal zone"
ANSWER: Final = "answer to INVITE"
WARNING: Final = "Warning in the answer"
ACK: Final = "ACK at the callee"
BYE: Final = "answer to the caller's BYE"
FORWARDED: Final = "forwarded by both Expressways"
AT_EXPC, AT_CUCM, AT_WEBEX = "INVITE at Expressway-C", "INVITE at CUCM", "INVITE at Webex"
ASKED: Final = "DNS is asked for the SIP destination"
CONNECTIONS: Final = "connections from Webex at Expressway-E"
PARAMETER_IN: Final = "call-type at Expressway-E"
PARAMETER_BETWEEN: Final = "call-type between the Expressways"
PARAMETER_OUT: Final = "call-type at CUCM"
TOASTS: Final = "notifications in the callee's app"
TRIED: Final = "SYN that was repeated and never answered"
AUDIO: Final = "m=audio of the last answer"
ENDING: Final = "CUCM ends the call"
FROM_CUCM: Final = "final answer of CUCM to INVITE"
RESET: Final = "CUCM resets the connection"
SIZE: Final = "largest message to CUCM"
DECLINE: Final = "Webex, behind its 200"
ARRIVES, NEVER, NONE, NOTHING, A_PORT = "arrives", "never arrives", "none", "nothing", "a port"
OLD_LIMIT: Final = 5000
"""Bytes."""

Sights = Mapping[Leg, Sight]


def witnesses(what: str, way: Direction) -> tuple[str, ...]:
    """Without whom a fact of a call that goes one way cannot be told: peers of ours, or legs that somebody sees."""
    first, middle, last = (leg.value for leg in COURSES[way])
    table: dict[str, tuple[str, ...]] = {
        **dict.fromkeys((ANSWER, WARNING, BYE, PARAMETER_IN), (first,)),
        **dict.fromkeys((ZONE, AT_EXPC, PARAMETER_BETWEEN), (middle,)),
        **dict.fromkeys((ACK, AT_CUCM, AT_WEBEX, PARAMETER_OUT), (last,)),
        **dict.fromkeys((ENDING, FROM_CUCM, RESET, SIZE), (Leg.INSIDE.value,)),
        FORWARDED: (first, middle, last),
        DECLINE: (Leg.OUTSIDE.value,),
        TOASTS: (Leg.OUTSIDE.value, CUCM),
        **dict.fromkeys((CONNECTIONS, TRIED), (EXPRESSWAY_E,)),
        **dict.fromkeys((test.DNS, test.CONNECTING, test.SOCKET, test.PING), (WEBEX,)),
        test.SYN: (Leg.OUTSIDE.value,),
        test.HANDSHAKE: (WEBEX, EXPRESSWAY_E),
    }
    return table.get(what, ())


def zone_stands(sights: Sights) -> bool:
    """Expressway-E has answered an OPTIONS of the Expressway-C."""
    return any(each.success for each in sights[Leg.ZONE].finals("OPTIONS", Direction.INWARD))


def acknowledged(sights: Sights, way: Direction) -> bool:
    """Whoever is called has the ACK of a 200; that of a failure goes to the next neighbour alone."""
    last = sights[COURSES[way][-1]]
    stands = any(each.success for each in last.finals("INVITE", way.opposite))
    return stands and bool(last.requests("ACK", way))


def is_over(sights: Sights, way: Direction) -> bool:
    """Nothing of a call is to come any more: it was refused, or hung up, or given up by Webex."""
    first = sights[COURSES[way][0]]
    refused = any(not each.success for each in first.finals("INVITE", way.opposite))
    hung_up = first.finals("BYE", way.opposite) or sights[COURSES[way][-1]].finals("BYE", way)
    return refused or bool(hung_up) or bool(_declined(sights))


def seen(sights: Sights, way: Direction) -> dict[str, str]:
    """All facts of a call that goes one way."""
    course = [sights[leg] for leg in COURSES[way]]
    first, middle, last = course
    inside, back = sights[Leg.INSIDE], way.opposite
    answers = first.finals("INVITE", back)
    inner = inside.finals("INVITE", Direction.OUTWARD)
    at_inner = {Direction.INWARD: AT_CUCM, Direction.OUTWARD: AT_WEBEX}[way]
    return {
        ZONE: "active" if zone_stands(sights) else "failed",
        ANSWER: _words(answers),
        WARNING: _warning(answers),
        ACK: ARRIVES if acknowledged(sights, way) else NEVER,
        BYE: _words(first.finals("BYE", back)),
        FORWARDED: ", ".join(_crossing(course, way)) or NOTHING,
        AT_EXPC: ARRIVES if middle.requests("INVITE", way) else NEVER,
        at_inner: ARRIVES if last.requests("INVITE", way) else NEVER,
        CONNECTIONS: "some" if MTLS in sights[Leg.OUTSIDE].messages.accepted else NONE,
        PARAMETER_IN: _parameters(first.requests("INVITE", way)),
        PARAMETER_BETWEEN: _parameters(middle.requests("INVITE", way)),
        PARAMETER_OUT: _parameters(last.requests("INVITE", way)),
        TOASTS: str(1 + len(_ringing(sights[Leg.OUTSIDE]))),
        AUDIO: _audio(course),
        ENDING: _ending([*inside.requests("BYE", Direction.OUTWARD), *(each for each in inner if not each.success)]),
        FROM_CUCM: _words(inner),
        RESET: "yes" if inside.was_reset(Direction.OUTWARD) else "no",
        SIZE: f"{'over' if inside.largest(Direction.INWARD) > OLD_LIMIT else 'up to'} {OLD_LIMIT} bytes",
        DECLINE: _words(_declined(sights)),
    }


def squared(message: Message) -> bool:
    """Webex knows the call for its own."""
    contact = message.contact
    return contact is not None and contact.params.get(CALL_TYPE[0]) == CALL_TYPE[1]


def _crossing(course: Iterable[Sight], way: Direction) -> list[str]:
    return [method for method in ("INVITE", "ACK", "BYE") if all(sight.requests(method, way) for sight in course)]


def _declined(sights: Sights) -> list[Response]:
    """What Webex has answered with 200 before."""
    finals = sights[Leg.OUTSIDE].finals("INVITE", Direction.INWARD)
    taken = {each.call_id for each in finals if each.success}
    return [each for each in finals if each.status == 603 and each.call_id in taken]


def _ringing(outside: Sight) -> set[str]:
    """Calls to Webex at which an app rings."""
    return {each.call_id for each in outside.responses("INVITE", Direction.INWARD) if each.status == 180}


def _words(responses: Sequence[Response]) -> str:
    return f"{responses[-1].status} {responses[-1].reason}" if responses else NOTHING


def _warning(answers: Sequence[Response]) -> str:
    """Its text alone, since the address differs from one network to the next."""
    value = answers[-1].first("Warning") if answers else None
    return NONE if value is None else value.partition('"')[2].rpartition('"')[0]


def _parameters(messages: Sequence[Message]) -> str:
    """Of the Contact of the first message."""
    if not messages:
        return "no INVITE"
    return "squared" if squared(messages[0]) else "gone"


def _ending(messages: Sequence[Request | Response]) -> str:
    """How, and with which Reason."""
    if not messages:
        return NOTHING
    last = messages[-1]
    what = f"{last.status} {last.reason}" if isinstance(last, Response) else last.method
    reason = last.first("Reason")
    return f"{what}, Reason: {reason}" if reason else what


def _audio(course: Iterable[Sight]) -> str:
    """What the last answer says of audio: one in a 200 to an offer in an INVITE, or one in an ACK.

    Of what is refused the formats are up to whoever has offered them, unless they are Webex's `*`.
    """
    messages = [each.message for sight in course for each in sight.messages.crossed if each.message.is_sdp]
    early = any(isinstance(each, Request) and each.method == "INVITE" for each in messages)
    answers: list[Request | Response] = [
        each for each in messages if early and isinstance(each, Response) and each.success
    ]
    answers += [each for each in messages if isinstance(each, Request) and each.method == "ACK"]
    if not answers:
        return NOTHING
    try:
        media = sdp.parse(answers[-1].body).media
    except SipSyntaxError:
        return NOTHING
    audio = next((each for each in media if each.kind == "audio"), None)
    if audio is None:
        return NOTHING
    refused = f"0 {audio.protocol} *" if audio.formats == ("*",) else f"0 {audio.protocol}"
    return A_PORT if audio.port else refused
