"""Questions about a call, answered from bytes that were written by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from alg.edge.observing import Tap
from harness.scenarios.alg_calls.ground import Ground
from harness.scenarios.alg_calls.relay import Relay
from harness.scenarios.alg_calls.seen import INSIDE, OUTSIDE, Seen
from harness.scenarios.alg_calls.wire import Wire
from tests.harness.scenarios.alg_calls.test_wire import Deaf

GROUND = Ground(("10.0.30.2", 5060), "64.100.0.10", ("198.51.100.20", 5070), "10.0.30.103")
SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
SDP += "a=ssrc:1 cname:sip:a@{host}\r\n"


class Legs:
    """Both, and what is seen of them."""

    def __init__(self) -> None:
        wire = Wire()
        self.tap: Tap = wire.tap(Deaf())  # type: ignore[arg-type]
        self.relay = Relay(lambda action, door, **fields: None)
        self.seen = Seen(wire, self.relay, GROUND)

    def crosses(self, before: bytes, after: bytes = b"") -> None:
        """Outward."""
        self.tap.received(INSIDE, before)
        self.tap.sent(OUTSIDE, after or before)

    def answers(self, before: bytes, after: bytes = b"") -> None:
        """Inward."""
        self.tap.received(OUTSIDE, before)
        self.tap.sent(INSIDE, after or before)


@pytest.fixture
def legs() -> Legs:
    """Nothing has crossed them."""
    return Legs()


def message(start: str, number: str, host: str = "", contact: str = "", sdp: str = "", tag: str = "") -> bytes:
    """One of call 1."""
    lines = [start, f"Via: SIP/2.0/TCP {host};branch=z9hG4bK1", "Call-ID: 1@10.0.30.2", f"CSeq: {number}"]
    lines += [f"To: <sip:b@c>{tag}", *([f"Contact: <sip:{contact}>"] if contact else [])]
    kind = ["Content-Type: application/sdp"] if sdp else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(sdp)}", "", sdp]).encode()


INVITE = message(
    "INVITE sip:b@c SIP/2.0", "1 INVITE", "10.0.30.2", "a@10.0.30.2", SDP.format(host="10.0.30.2", port=4000)
)
SENT = message("INVITE sip:b@c SIP/2.0", "1 INVITE", "64.100.0.10", "a@64.100.0.10")
OK = message("SIP/2.0 200 Answering", "1 INVITE", contact="b@198.51.100.20:5070", tag=";tag=1")


def test_before_anything_came(legs: Legs) -> None:
    """Every question has an answer."""
    seen = legs.seen
    assert (seen.answer("INVITE"), seen.leaks, seen.change) == ("no INVITE", "no INVITE", "no INVITE")
    assert (seen.passage("INVITE"), seen.ending, seen.contact(None)) == ("no INVITE", "no BYE", "none")
    assert seen.called == "no INVITE"
    assert [seen.answered, seen.acknowledged, seen.rings, seen.ended, seen.decided("INVITE")] == [False] * 5
    assert seen.heard(INSIDE) == {}


def test_a_call(legs: Legs) -> None:
    """From its INVITE to its BYE, whatever words the callee has for 200."""
    seen = legs.seen
    legs.crosses(INVITE, SENT)
    assert (seen.answer("INVITE"), seen.change, seen.leaks) == ("no answer", "rewritten", "none")
    legs.answers(message("SIP/2.0 180 Ringing", "1 INVITE"))
    assert seen.rings
    legs.answers(OK)
    assert seen.answered
    assert seen.decided("INVITE")
    assert not seen.rings
    legs.crosses(message("ACK sip:b@198.51.100.20:5070 SIP/2.0", "1 ACK"))
    assert seen.acknowledged
    legs.answers(message("BYE sip:a@64.100.0.10 SIP/2.0", "7 BYE"))
    assert (seen.ending, seen.ended) == ("no answer", False)
    legs.crosses(message("SIP/2.0 200 OK", "7 BYE"))
    assert (seen.ending, seen.ended) == ("200 OK", True)


def test_an_invite_that_nobody_looked_into(legs: Legs) -> None:
    """It leaves as it came, and its lines are named; a later INVITE of the same dialog is none of it."""
    legs.crosses(INVITE)
    legs.crosses(message("INVITE sip:b@c SIP/2.0", "2 INVITE", tag=";tag=1"))
    assert (legs.seen.change, legs.seen.leaks) == ("as it came", "Via, Contact, o=, c=")
    assert legs.seen.contact(legs.seen.left("INVITE")[-1]) == "the caller's inside"


def test_an_invite_that_is_held(legs: Legs) -> None:
    """It came, and does not leave."""
    legs.tap.received(INSIDE, INVITE)
    assert legs.seen.passage("INVITE") == "never leaves"


@pytest.mark.parametrize(
    ("uri", "whose"),
    [(b"sip:b@10.0.30.103:5060", "the callee"), (b"sip:b@nowhere.example", "another"), (b"b", "another")],
)
def test_whom_an_invite_is_for(legs: Legs, uri: bytes, whose: str) -> None:
    """The callee by its address inside, or anybody else."""
    legs.crosses(INVITE.replace(b"sip:b@c", uri, 1))
    assert legs.seen.called == whose


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.30.103"])
def test_an_ack_for_somebody_else(legs: Legs, host: str) -> None:
    """Who is not the Contact of the 200 is not the callee."""
    legs.crosses(INVITE, SENT)
    legs.answers(OK)
    legs.crosses(message(f"ACK sip:b@{host} SIP/2.0", "1 ACK"))
    assert not legs.seen.acknowledged


def test_a_connection_that_is_lost(legs: Legs) -> None:
    """It is another thing than silence; what is refused is told in the words of who refuses it."""
    legs.crosses(INVITE, SENT)
    legs.tap.reset(INSIDE, by_peer=False)
    assert legs.seen.answer("INVITE") == "connection lost"
    legs.answers(message("SIP/2.0 438 Invalid Identity Header", "1 INVITE"))
    assert legs.seen.answer("INVITE") == "438 Invalid Identity Header"


def test_an_endpoint_that_cannot_be_reached(legs: Legs) -> None:
    """The caller is not blamed for it."""
    legs.tap.opened(INSIDE, ("10.0.30.2", 4000), ("10.0.30.103", 5060), by_peer=True)
    assert legs.seen.answer("INVITE") == "none: the other end cannot be reached"


@pytest.mark.parametrize(("packets", "state"), [(3, "heard"), (0, "silence")])
def test_who_is_heard(legs: Legs, packets: int, state: str) -> None:
    """By what crossed the relay; of RTCP nothing is told without an address for it."""
    legs.crosses(INVITE, SENT)
    legs.relay.packets["10.0.30.2", 4000] = Counter(RTP=packets, RTCP=1)
    assert legs.seen.heard(INSIDE) == {"audio RTP": state}
    assert legs.seen.heard(OUTSIDE) == {}
