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
from harness.scenarios.hybrid import connectivity as test
from harness.scenarios.hybrid.ground import MTLS
from harness.scenarios.hybrid.legs import COURSES, CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX, Leg, Sight
from harness.sip import sdp
from harness.sip.message import REASONS, Message, Request, Response

SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
"""That CUCM and Webex have in common (RFC 4568 6.2)."""
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
OPTIONS: Final = "OPTIONS to CUCM"
CODECS: Final = "audio codecs of the offer"
CRYPTO: Final = f"a=crypto {SUITE} in the offer's audio"
CALLED: Final = "Request-URI of the caller's INVITE"
SIZE: Final = "largest message to CUCM"
DECLINE: Final = "Webex, behind its 200"
ARRIVES, NEVER, NONE, NOTHING, A_PORT = "arrives", "never arrives", "none", "nothing", "a port"
ANSWERED, NO_INVITE = "answered", "no INVITE"
G729_ALONE, WITHOUT_G729 = "G.729 alone", "without G.729"
OLD_LIMIT: Final = 5000
"""Bytes."""

Sights = Mapping[Leg, Sight]


def witnesses(what: str, way: Direction) -> tuple[str, ...]:
    """Without whom a fact of a call that goes one way cannot be told: peers of ours, or legs that somebody sees."""
    first, middle, last = (leg.value for leg in COURSES[way])
    table: dict[str, tuple[str, ...]] = {
        **dict.fromkeys((ANSWER, WARNING, BYE, PARAMETER_IN, CALLED), (first,)),
        **dict.fromkeys((ZONE, AT_EXPC, PARAMETER_BETWEEN), (middle,)),
        **dict.fromkeys((ACK, AT_CUCM, AT_WEBEX, PARAMETER_OUT), (last,)),
        **dict.fromkeys((ENDING, FROM_CUCM, RESET, SIZE), (Leg.INSIDE.value,)),
        OPTIONS: (Leg.INSIDE.value, EXPRESSWAY_C),
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
        TOASTS: str(1 + len(_ringing(sights[Leg.OUTSIDE]))) if first.requests("INVITE", way) else NO_INVITE,
        CALLED: _called(first.requests("INVITE", way)),
        AUDIO: _audio(course),
        ENDING: _ending([*inside.requests("BYE", Direction.OUTWARD), *(each for each in inner if not each.success)]),
        FROM_CUCM: _words(inner),
        RESET: "yes" if inside.was_reset(Direction.OUTWARD, OLD_LIMIT) else "no",
        OPTIONS: ANSWERED if inside.finals("OPTIONS", Direction.OUTWARD) else "not answered",
        **_offered(course),
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
    return _title(responses[-1]) if responses else NOTHING


def _title(response: Response) -> str:
    """By the phrase that everybody knows: the one on the wire may be any (RFC 3261 7.2)."""
    return f"{response.status} {REASONS.get(response.status, response.reason)}"


def _warning(answers: Sequence[Response]) -> str:
    """Its text alone, since the address differs from one network to the next."""
    value = answers[-1].first("Warning") if answers else None
    return NONE if value is None else value.partition('"')[2].rpartition('"')[0]


def _parameters(messages: Sequence[Message]) -> str:
    """Of the Contact of the first message."""
    if not messages:
        return NO_INVITE
    return "squared" if squared(messages[0]) else "gone"


def _called(invites: Sequence[Request]) -> str:
    """Who, without parameters."""
    return invites[0].uri.partition(";")[0] if invites else NO_INVITE


def _ending(messages: Sequence[Request | Response]) -> str:
    """How, and with which Reason."""
    if not messages:
        return NOTHING
    last = messages[-1]
    what = _title(last) if isinstance(last, Response) else last.method
    reason = last.first("Reason")
    return f"{what}, Reason: {_cause(reason)}" if reason else what


def _cause(reason: str) -> str:
    """Without the text, which is anybody's own (RFC 3326)."""
    parameters = [each.strip() for each in reason.split(";")]
    return ";".join([parameters[0], *(each for each in parameters[1:] if each.startswith("cause="))])


def _audio(course: Iterable[Sight]) -> str:
    """What the last answer says of audio: one in a 200 to an offer in an INVITE, or one in an ACK.

    Of what is refused the formats are up to whoever has offered them, or Webex's `*`.
    """
    messages = _described(course)
    early = any(isinstance(each, Request) and each.method == "INVITE" for each in messages)
    answers: list[Request | Response] = [
        each for each in messages if early and isinstance(each, Response) and each.success
    ]
    answers += [each for each in messages if isinstance(each, Request) and each.method == "ACK"]
    if not answers:
        return NOTHING
    audio = _stream(answers[-1])
    if audio is None:
        return NOTHING
    return A_PORT if audio.port else f"0 {audio.protocol}"


def _offered(course: Iterable[Sight]) -> dict[str, str]:
    """What the first offer says of audio, whoever makes it: one in an INVITE, or else one in a 200.

    Crypto is of use in a secure protocol alone (RFC 4568 5.1).
    """
    messages = _described(course)
    offers = [each for each in messages if isinstance(each, Request) and each.method == "INVITE"] or messages
    audio = _stream(offers[0]) if offers else None
    if audio is None:
        return dict.fromkeys((CODECS, CRYPTO), NOTHING)
    codecs = {each.partition("/")[0] for each in audio.codecs} - {"TELEPHONE-EVENT", ""}
    described = G729_ALONE if codecs == {"G729"} else "with G.729" if "G729" in codecs else WITHOUT_G729
    secure = audio.protocol.startswith("RTP/SAVP") and any(SUITE in each.split() for each in audio.all("crypto"))
    return {CODECS: described, CRYPTO: "yes" if secure else "no"}


def _described(course: Iterable[Sight]) -> list[Message]:
    return [each.message for sight in course for each in sight.messages.crossed if each.message.is_sdp]


def _stream(message: Message) -> sdp.Media | None:
    """The first one of audio."""
    try:
        media = sdp.parse(message.body).media
    except SipSyntaxError:
        return None
    return next((each for each in media if each.kind == "audio"), None)
