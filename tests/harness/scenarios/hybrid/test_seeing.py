"""Facts of a call from what crosses its legs, message by message, without anybody at their ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alg.direction import Direction
from harness.scenarios.hybrid import connectivity as test
from harness.scenarios.hybrid import seeing
from harness.scenarios.hybrid.legs import COURSES, Leg, Sight
from harness.sip.flow import Loss
from harness.sip.message import Request, Response
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response

FLOW = FakeFlow()
OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD
OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
SQUARED = "<sip:alice@192.0.2.1>;call-type=squared"


class Crossing:
    """Messages that cross the legs, each seen where what is sent goes outward."""

    def __init__(self) -> None:
        self.sights = {leg: Sight() for leg in Leg}

    def crosses(self, message: Request | Response, way: Direction, *legs: Leg) -> None:
        """These legs, or all of them."""
        for leg in legs or Leg:
            messages = self.sights[leg].messages
            (messages.sent if way is OUTWARD else messages.received)(FLOW, message.to_bytes())

    def seen(self, way: Direction = OUTWARD) -> dict[str, str]:
        """Of a call."""
        return seeing.seen(self.sights, way)

    def over(self, way: Direction = OUTWARD) -> bool:
        """Whether it is."""
        return seeing.is_over(self.sights, way)

    def acknowledged(self, way: Direction = OUTWARD) -> bool:
        """Whether it is."""
        return seeing.acknowledged(self.sights, way)


@pytest.mark.parametrize("way", Direction)
def test_a_good_call(way: Direction) -> None:
    """From OPTIONS through the zone to the BYE of the caller; it is over with the answer to that, where he is."""
    crossing, invite, bye = Crossing(), request(Contact=SQUARED).with_body(OFFER), request("BYE", number=2)
    assert not seeing.zone_stands(crossing.sights)
    crossing.crosses(request("OPTIONS"), OUTWARD, Leg.ZONE)
    crossing.crosses(response(request("OPTIONS"), 200), INWARD, Leg.ZONE)
    crossing.crosses(invite, way)
    crossing.crosses(response(invite, 180), way.opposite)
    assert not crossing.acknowledged(way)
    crossing.crosses(response(invite, 200).with_body(OFFER), way.opposite)
    crossing.crosses(request("ACK"), way)
    assert crossing.acknowledged(way)
    crossing.crosses(bye, way)
    crossing.crosses(response(bye, 200), way.opposite, COURSES[way][-1])
    assert not crossing.over(way)
    crossing.crosses(response(bye, 200), way.opposite, *COURSES[way][:2])
    assert crossing.over(way)
    wanted = {
        **{"traversal zone": "active", "answer to INVITE": "200 OK", "ACK at the callee": "arrives"},
        **{"answer to the caller's BYE": "200 OK", "forwarded by both Expressways": "INVITE, ACK, BYE"},
        **{"m=audio of the last answer": "a port", "INVITE at Expressway-C": "arrives"},
        **{"INVITE at Webex" if way is OUTWARD else "INVITE at CUCM": "arrives"},
        **{"call-type at Expressway-E": "squared", "call-type at CUCM": "squared", "Warning in the answer": "none"},
        **{"CUCM ends the call": "BYE" if way is OUTWARD else "nothing", "CUCM resets the connection": "no"},
    }
    assert wanted.items() <= crossing.seen(way).items()


def test_nothing_crosses() -> None:
    """No fact is a good one."""
    assert set(Crossing().seen(INWARD).values()) <= {
        *("failed", "nothing", "none", "never arrives", "no INVITE", "not answered", "no", "up to 5000 bytes"),
    }


def test_a_refusal() -> None:
    """With its Warning, without the address in that; its ACK is none of a call."""
    crossing, invite = Crossing(), request()
    crossing.crosses(invite, INWARD, Leg.OUTSIDE, Leg.ZONE)
    refusal = response(invite, 404, Warning='399 192.0.2.3:5061 "Policy Response"')
    crossing.crosses(refusal, OUTWARD, Leg.ZONE)
    assert not crossing.over(INWARD)
    crossing.crosses(refusal, OUTWARD, Leg.OUTSIDE)
    crossing.crosses(request("ACK"), INWARD, *Leg)
    assert crossing.over(INWARD)
    assert not crossing.acknowledged(INWARD)
    found = crossing.seen(INWARD)
    assert found[seeing.ANSWER] == "404 Not Found"
    assert found[seeing.WARNING] == "Policy Response"
    assert (found[seeing.AT_EXPC], found[seeing.AT_CUCM], found[seeing.ACK]) == (
        *("arrives", "never arrives", "never arrives"),
    )


def test_the_callee_hangs_up() -> None:
    """The call is over too, and was not hung up by its caller."""
    crossing, invite, bye = Crossing(), request(), request("BYE")
    crossing.crosses(invite, INWARD)
    crossing.crosses(response(invite, 200), OUTWARD)
    crossing.crosses(bye.put("Reason", "Q.850;cause=47"), OUTWARD)
    crossing.crosses(response(bye, 200), INWARD)
    assert crossing.over(INWARD)
    found = crossing.seen(INWARD)
    assert (found[seeing.ENDING], found[seeing.BYE]) == ("BYE, Reason: Q.850;cause=47", "nothing")


def test_cucm_refuses() -> None:
    """With its Reason, from where it comes."""
    crossing, invite = Crossing(), request()
    crossing.crosses(invite, INWARD)
    crossing.crosses(response(invite, 488, Reason="Q.850;cause=47"), OUTWARD)
    found = crossing.seen(INWARD)
    assert found[seeing.ENDING] == "488 Not Acceptable Here, Reason: Q.850;cause=47"
    assert found[seeing.FROM_CUCM] == found[seeing.ANSWER] == "488 Not Acceptable Here"


def test_cucm_resets() -> None:
    """What came was too large; Webex declines behind its 200, and only then."""
    crossing, invite = Crossing(), request()
    crossing.crosses(invite, OUTWARD)
    crossing.crosses(response(invite, 200).with_body(b"x" * 5000), INWARD)
    inside = crossing.sights[Leg.INSIDE].messages
    inside.closed(FakeFlow(remote=("192.0.2.2", 5065)), Loss.OVERSIZE, "")
    assert crossing.seen()[seeing.RESET] == "no", "of another connection"
    inside.closed(FLOW, Loss.OVERSIZE, "")
    assert not crossing.over()
    crossing.crosses(response(invite, 603), INWARD, Leg.OUTSIDE)
    assert crossing.over()
    found = crossing.seen()
    assert (found[seeing.RESET], found[seeing.SIZE], found[seeing.ACK], found[seeing.DECLINE]) == (
        *("yes", "over 5000 bytes", "never arrives", "603 Decline"),
    )


@pytest.mark.parametrize(("status", "told"), [(100, "not answered"), (200, "answered"), (503, "answered")])
def test_options_to_cucm(status: int, told: str) -> None:
    """Whatever the final answer is, it was read; that of the traversal zone is another one."""
    crossing, options = Crossing(), request("OPTIONS")
    crossing.crosses(options, INWARD, Leg.INSIDE)
    crossing.crosses(response(options, 200), OUTWARD, Leg.ZONE)
    crossing.crosses(response(options, status), OUTWARD, Leg.INSIDE)
    assert crossing.seen(INWARD)[seeing.OPTIONS] == told


def test_phrases_are_anybody_s_own() -> None:
    """A status is told by the phrase of the RFC, and a Reason without its text."""
    crossing, invite = Crossing(), request()
    crossing.crosses(invite, INWARD)
    refusal = replace(response(invite, 488, Reason='Q.850 ; cause=47;text="no codec"'), reason="Not Acceptable Media")
    crossing.crosses(refusal, OUTWARD)
    found = crossing.seen(INWARD)
    assert found[seeing.ANSWER] == "488 Not Acceptable Here"
    assert found[seeing.ENDING] == "488 Not Acceptable Here, Reason: Q.850;cause=47"


def test_notifications_without_a_call() -> None:
    """There is none of a call that nobody has seen."""
    crossing = Crossing()
    assert crossing.seen(INWARD)[seeing.TOASTS] == "no INVITE"
    crossing.crosses(request(), INWARD, Leg.OUTSIDE)
    assert crossing.seen(INWARD)[seeing.TOASTS] == "1"


def test_who_was_called() -> None:
    """As the caller has it, without parameters, wherever it goes from there."""
    crossing = Crossing()
    for who, leg in (("bob@192.0.2.2;user=phone", Leg.OUTSIDE), ("carol@192.0.2.2", Leg.ZONE)):
        invite = request().to_bytes().replace(b"bob@192.0.2.2", who.encode(), 1)
        crossing.sights[leg].messages.received(FLOW, invite)
    assert crossing.seen(INWARD)[seeing.CALLED] == "sip:bob@192.0.2.2"


KEY = "\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"


@pytest.mark.parametrize(
    ("media", "codecs", "crypto"),
    [
        ("RTP/SAVP 18 101\r\na=rtpmap:101 telephone-event/8000" + KEY, "G.729 alone", "yes"),
        ("RTP/SAVP 0 18" + KEY, "with G.729", "yes"),
        ("RTP/SAVP 0 97\r\na=rtpmap:97 g729/8000" + KEY, "with G.729", "yes"),
        ("RTP/SAVP 0 9" + KEY, "without G.729", "yes"),
        ("RTP/SAVP 0 9", "without G.729", "no"),
        ("RTP/AVP 0 9" + KEY, "without G.729", "no"),
        ("RTP/SAVP 0\r\na=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:x", "without G.729", "no"),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_offer(media: str, codecs: str, crypto: str, early: bool) -> None:
    """Codecs and keys, in an INVITE or else in a 200; an answer is none."""
    crossing, invite = Crossing(), request()
    offer = OFFER.replace(b"RTP/AVP 0", media.encode())
    crossing.crosses(invite.with_body(offer if early else b""), OUTWARD)
    crossing.crosses(response(invite, 200).with_body(OFFER if early else offer), INWARD)
    crossing.crosses(request("ACK").with_body(b"" if early else OFFER), OUTWARD)
    found = crossing.seen()
    assert (found[seeing.CODECS], found[seeing.CRYPTO]) == (codecs, crypto)


def test_a_fork_that_is_declined() -> None:
    """Ends nothing; one that rings is a second notification."""
    crossing = Crossing()
    first, second = request(), request().put("Call-ID", "call-2")
    crossing.crosses(first, INWARD)
    crossing.crosses(response(first, 200), OUTWARD)
    crossing.crosses(second, OUTWARD)
    crossing.crosses(response(second, 603), INWARD)
    assert not crossing.over(INWARD)
    assert crossing.seen(INWARD)[seeing.TOASTS] == "1"
    crossing.crosses(response(second, 180), INWARD)
    assert crossing.seen(INWARD)[seeing.TOASTS] == "2"


@pytest.mark.parametrize(
    ("offered", "in_200", "in_ack", "audio"),
    [
        (OFFER, OFFER.replace(b"4000 RTP/AVP 0", b"0 RTP/SAVP *"), b"", "0 RTP/SAVP"),
        (b"", OFFER, OFFER.replace(b"4000 RTP/AVP 0", b"0 RTP/SAVP 107"), "0 RTP/SAVP"),
        (b"", OFFER, b"", "nothing"),
        (OFFER, b"garbage", b"", "nothing"),
        (OFFER, OFFER.replace(b"m=audio", b"m=video"), b"", "nothing"),
    ],
    ids=["early", "delayed", "offer", "garbage", "video"],
)
def test_audio(offered: bytes, in_200: bytes, in_ack: bytes, audio: str) -> None:
    """Of the answer, wherever that is; an offer is none."""
    crossing, invite = Crossing(), request()
    crossing.crosses(invite.with_body(offered), OUTWARD)
    crossing.crosses(response(invite, 200).with_body(in_200), INWARD)
    crossing.crosses(request("ACK").with_body(in_ack), OUTWARD)
    assert crossing.seen()[seeing.AUDIO] == audio


def test_who_can_tell() -> None:
    """A leg of the call, by its way; one of us where the wire does not show it."""
    inside, outside = Leg.INSIDE.value, Leg.OUTSIDE.value
    assert seeing.witnesses(seeing.ANSWER, OUTWARD) == seeing.witnesses(seeing.ACK, INWARD) == (inside,)
    assert seeing.witnesses(seeing.ANSWER, INWARD) == seeing.witnesses(seeing.DECLINE, OUTWARD) == (outside,)
    assert seeing.witnesses(test.SOCKET, INWARD) == ("webex",)
    assert seeing.witnesses(seeing.TRIED, OUTWARD) == ("expressway-e",)
    told = {*Crossing().seen(INWARD), *Crossing().seen(OUTWARD)} - {seeing.AUDIO, seeing.CODECS, seeing.CRYPTO}
    assert all(seeing.witnesses(what, INWARD) for what in told)
