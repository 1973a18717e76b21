"""The 200 to somebody's INVITE."""

from __future__ import annotations

import pytest

from alg.config import Limits
from alg.errors import ConfigError
from alg.sip.framing import Framed, MessageFramer
from harness.fuzz import answers
from harness.fuzz.growing import PLACES, grow, natural, smallest
from tests.harness.fuzz.callers import OFFER
from tests.harness.fuzz.messages import HERE, content_length, split

HEAD = (
    b"INVITE sip:us@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bKtop\r\n"
    b"Via: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bKnext\r\n"
    b"Record-Route: <sip:first@192.0.2.9;lr>\r\n"
    b"Record-Route: <sip:second@192.0.2.10;lr>\r\n"
    b"From: <sip:caller@192.0.2.10>;tag=c\r\n"
    b"To: <sip:us@192.0.2.1>\r\n"
    b"Call-ID: call\r\n"
    b"CSeq: 5 INVITE\r\n"
    b"Contact: <sip:caller@192.0.2.11:5070>\r\n"
)
GROWING = [name for name in PLACES if name != "via"]


def invite(body: bytes = b"", content_type: bytes = b"application/sdp") -> Framed:
    """An INVITE, with an offer or without."""
    media = b"Content-Type: " + content_type + b"\r\n" if body else b""
    data = HEAD + media + b"Content-Length: %d\r\n\r\n" % len(body) + body
    (frame,) = MessageFramer(Limits()).feed(data)
    assert isinstance(frame, Framed)
    return frame


def ok(request: Framed, grow_by: str = "header") -> answers.Draft:
    """A draft of the 200."""
    return answers.ok_draft(request, PLACES[grow_by], HERE, "0123456789abcdef", secure=False)


def test_a_delayed_offer_is_made_here() -> None:
    """The 200 repeats what RFC 3261 8.2.6.2 and 12.1.1 want, and has an offer."""
    head, body = split(natural(ok(invite())))
    assert head == (
        b"SIP/2.0 200 OK\r\n"
        b"Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bKtop\r\n"
        b"Via: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bKnext\r\n"
        b"Record-Route: <sip:first@192.0.2.9;lr>\r\n"
        b"Record-Route: <sip:second@192.0.2.10;lr>\r\n"
        b"From: <sip:caller@192.0.2.10>;tag=c\r\n"
        b"To: <sip:us@192.0.2.1>;tag=0123456789abcdef\r\n"
        b"Call-ID: call\r\n"
        b"CSeq: 5 INVITE\r\n"
        b"Contact: <sip:sipalg@127.0.0.1:54321;transport=tcp>\r\n"
        b"Server: sipalg\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    assert body.count(b"\r\nm=audio ") == 1


def test_an_early_offer_is_answered_line_by_line() -> None:
    """As many media lines as the offer has, in its order; the first audio is taken (RFC 3264 6)."""
    body = split(natural(ok(invite(OFFER))))[1]
    assert [line for line in body.split(b"\r\n") if line[:2] in (b"m=", b"a=")] == [
        *(b"m=audio 49170 RTP/AVP 8", b"a=inactive", b"m=video 0 RTP/AVP 97", b"m=audio 0 RTP/AVP 0")
    ]


def test_an_offer_within_a_multipart_body() -> None:
    """Found there."""
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n\r\n"
        + OFFER
        + b"\r\n--b--"
    )
    assert answers.offer_of(invite(body, b"multipart/mixed;boundary=b")) == OFFER


@pytest.mark.parametrize("grow_by", GROWING)
def test_it_grows_to_any_size(grow_by: str) -> None:
    """Byte by byte, and what comes from the call stays as it is."""
    request = invite()
    place = PLACES[grow_by]
    first = smallest(ok(request, grow_by), place, HERE)
    for size in (*range(first, first + 600), 9999, 10_000, 10_400):
        message = grow(ok(request, grow_by), place, size, HERE)
        assert len(message) == size
        assert content_length(message) == len(split(message)[1])
        assert b"\r\nCall-ID: call\r\n" in message


def test_more_hops_are_in_front_of_those_of_the_call() -> None:
    """The route of a dialog is read from below by the caller: its own hops come last (RFC 3261 12.1.2)."""
    message = grow(ok(invite(), "record-route"), PLACES["record-route"], 3000, HERE)
    routes = [line for line in message.split(b"\r\n") if line.startswith(b"Record-Route:")]
    assert [b"hop" in line for line in routes] == [True] * (len(routes) - 2) + [False] * 2


def test_what_cannot_grow() -> None:
    """Via fields are the request's, media lines of an answer are the offer's."""
    with pytest.raises(ConfigError, match=r"^--grow via: a response has the Via fields"):
        answers.check_place(PLACES["via"])
    with pytest.raises(ConfigError, match=r"^--grow sdp-media: the caller made the offer"):
        ok(invite(OFFER), "sdp-media")
    for name in GROWING:
        answers.check_place(PLACES[name])


def test_our_bye() -> None:
    """To the caller's Contact, along the INVITE's route, tags the other way round."""
    request = invite()
    assert answers.bye(request.data, natural(ok(request)), HERE, secure=False) == (
        b"BYE sip:caller@192.0.2.11:5070 SIP/2.0\r\n"
        b"Via: SIP/2.0/TCP 127.0.0.1:54321;branch=z9hG4bK63616c6cbye\r\n"
        b"Route: <sip:first@192.0.2.9;lr>\r\n"
        b"Route: <sip:second@192.0.2.10;lr>\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:us@192.0.2.1>;tag=0123456789abcdef\r\n"
        b"To: <sip:caller@192.0.2.10>;tag=c\r\n"
        b"Call-ID: call\r\n"
        b"CSeq: 1 BYE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
