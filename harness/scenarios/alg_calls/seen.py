"""What both legs of the ALG tell of a call, whoever its endpoints are: each question with its answer in words.

Strategy: everything comes from bytes that the ALG read or wrote, and from packets that crossed its relay. Nobody is
asked, so that a real endpoint is told by the same facts as a built-in one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from alg.direction import Direction
from alg.errors import SipSyntaxError
from harness.demo.reading import media_targets, session_description
from harness.scenarios.alg_calls.ground import Ground
from harness.scenarios.alg_calls.relay import RTCP, RTP, Relay
from harness.scenarios.alg_calls.sound import HEARD, SILENCE
from harness.scenarios.alg_calls.wire import Message, Wire
from harness.sip.message import Request, Response
from harness.sip.uri import SipUri

INSIDE, OUTSIDE = Direction.OUTWARD, Direction.INWARD
"""Legs of the ALG, each named by what its endpoint sends."""
NO_ANSWER: Final = "no answer"
NO_BYE: Final = "no BYE"
UNREACHED: Final = "none: the other end cannot be reached"
LOST: Final = "connection lost"
NONE: Final = "none"
ANOTHER: Final = "another"
LEAVES, NEVER_LEAVES = "leaves", "never leaves"
AS_IT_CAME, REWRITTEN = "as it came", "rewritten"


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at one ALG at work."""

    wire: Wire
    relay: Relay
    ground: Ground

    def asked(self, method: str) -> list[Request]:
        """Requests of the caller's, in no dialog if they are INVITEs, as it sent them."""
        return _beginning(self.wire.requests(INSIDE, from_peer=True, method=method))

    def left(self, method: str) -> list[Request]:
        """The same as they left the ALG."""
        return _beginning(self.wire.requests(OUTSIDE, from_peer=False, method=method))

    def answer(self, method: str) -> str:
        """What came of the caller's last request of a method: status and phrase, or why there is neither."""
        asked = self.asked(method)
        if not asked:
            return UNREACHED if self.wire.unreached(INSIDE) else f"no {method}"
        return self.answer_to(asked[-1])

    def answer_to(self, request: Request) -> str:
        """What came of one."""
        final = self._final(INSIDE, request)
        if final is None:
            return LOST if self.wire.lost_by(INSIDE) else NO_ANSWER
        return told(final)

    def decided(self, method: str) -> bool:
        """Whether something has come of it."""
        return bool(self.asked(method)) and self.answer(method) != NO_ANSWER

    @property
    def rings(self) -> bool:
        """Whether the callee has to make up its mind."""
        return self.answer("INVITE") == NO_ANSWER and any(
            isinstance(each, Response) and 100 < each.status < 200 for each in self.wire.messages(INSIDE, False)
        )

    @property
    def answered(self) -> bool:
        """Whether the call was."""
        return self.answer("INVITE") == "200 OK"

    @property
    def leaks(self) -> str:
        """Names of header fields, and letters of SDP lines, of the INVITE outside that have the caller's inside
        address; Call-ID and a=ssrc may, as their values are names (RFC 3261 8.1.1.4, RFC 5576 6.1).
        """
        left = self.left("INVITE")
        return self.naming(left[-1], self.ground.caller[0]) if left else "no INVITE"

    def naming(self, message: Message, address: str) -> str:
        """Those of a message that have an address."""
        pattern = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.])")
        names = ["Request-URI"] if pattern.search(message.start_line) else []
        names += [each.name for each in message.fields if pattern.search(each.value) and not each.is_named("Call-ID")]
        lines = [line for line in message.body.decode("utf-8", "replace").splitlines() if line[:6] != "a=ssrc"]
        names += [line.partition(":")[0] if line[:2] == "a=" else line[:2] for line in lines if pattern.search(line)]
        return ", ".join(dict.fromkeys(names)) or NONE

    def passage(self, method: str) -> str:
        """Whether a request of the caller's leaves the ALG, if there is one."""
        if self.left(method):
            return LEAVES
        return NEVER_LEAVES if self.asked(method) else f"no {method}"

    @property
    def called(self) -> str:
        """Whom the caller's INVITEs are for."""
        asked = self.asked("INVITE")
        if not asked:
            return "no INVITE"
        return "the callee" if {_host(each.uri) for each in asked} == {self.ground.callee_inside} else ANOTHER

    @property
    def change(self) -> str:
        """What became of the INVITE on its way out."""
        asked, left = self.asked("INVITE"), self.left("INVITE")
        if not (asked and left):
            return "no INVITE"
        return AS_IT_CAME if asked[-1].to_bytes() == left[-1].to_bytes() else REWRITTEN

    def contact(self, message: Message | None) -> str:
        """Whose address a Contact has."""
        known = {
            self.ground.caller[0]: "the caller's inside",
            self.ground.caller_outside: "the caller's outside",
            self.ground.callee_inside: "the callee's inside",
            self.ground.callee[0]: "the callee's outside",
        }
        return known.get(_contact_host(message), ANOTHER) if message is not None else NONE

    @property
    def acknowledged(self) -> bool:
        """An ACK has left for whom the callee's 200 names as its Contact (RFC 3261 12.2.1.1)."""
        hosts = {_contact_host(each) for each in self.wire.responses(OUTSIDE, True, 200, "INVITE")}
        return any(SipUri.parse(each.uri).host in hosts for each in self.left("ACK"))

    @property
    def ending(self) -> str:
        """What came of a BYE, whoever sent it."""
        byes = [(side, each) for side in (INSIDE, OUTSIDE) for each in self.wire.requests(side, True, "BYE")]
        finals = [final for side, bye in byes if (final := self._final(side, bye)) is not None]
        return told(finals[0]) if finals else NO_ANSWER if byes else NO_BYE

    @property
    def ended(self) -> bool:
        """Whether a BYE has been answered."""
        return self.ending not in (NO_ANSWER, NO_BYE)

    def heard(self, side: Direction) -> dict[str, str]:
        """Whether packets crossed the relay towards the endpoint of a side, by `audio RTP` and the like; RTCP only if
        its session description has an address for it, as nobody knows where it goes otherwise.
        """
        sent = [each.to_bytes() for each in self.wire.messages(side, from_peer=True) if each.body]
        described = [message for message in sent if session_description(message).startswith(b"v=0")]
        found: dict[str, str] = {}
        for target in media_targets(described[-1]) if described else []:
            packets = self.relay.packets.get(target.rtp.hop, Counter())
            kinds = [RTP, RTCP] if "a=rtcp:" in target.rtcp.source else [RTP]
            found |= {f"{target.kind} {kind}": HEARD if packets[kind] else SILENCE for kind in kinds}
        return found

    def _final(self, side: Direction, request: Request) -> Response | None:
        """The final response that the sender of a request got."""
        for each in self.wire.messages(side, from_peer=False):
            if isinstance(each, Response) and each.status >= 200 and _key(each) == _key(request):
                return each
        return None


def _beginning(requests: list[Request]) -> list[Request]:
    return [each for each in requests if each.method != "INVITE" or not each.to.tag]


def _key(message: Message) -> tuple[str, str]:
    return message.call_id, str(message.cseq)


def told(final: Response) -> str:
    """Status and phrase; who takes a request may have words of his own for that, which do not count."""
    return f"{final.status} OK" if final.success else f"{final.status} {final.reason}"


def _host(uri: str) -> str:
    """Empty if it is no SIP URI."""
    try:
        return SipUri.parse(uri).host
    except SipSyntaxError:
        return ""


def _contact_host(message: Message) -> str:
    contact = message.contact
    return SipUri.parse(contact.uri).host if contact is not None else ""
