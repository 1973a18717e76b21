"""Messages: byte for byte what came, but for what is changed; and an error for everything that is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import SipSyntaxError
from harness.sip.message import CSeq, Field, Request, Response, complete, parse
from tests.harness.sip.samples import INVITE, request, wire
from tests.test_torture import BEYOND_FRAMING, INSIDE, WELL_FORMED, filled


def test_bytes_come_out_as_they_came() -> None:
    """Case, folds, compact names and spacing are kept."""
    assert parse(INVITE).to_bytes() == INVITE


def test_values() -> None:
    """Whatever a field is called, its values are found."""
    message = parse(INVITE)
    assert [via.branch for via in message.vias] == ["z9hG4bKp1", "z9hG4bKa1"]
    assert (message.call_id, message.cseq, message.sender.tag) == ("call-1", CSeq(7, "INVITE"), "a-tag")
    assert (message.to.display, message.number("Content-Length"), message.body) == ("bob", 4, b"v=0\r")
    assert message.contact is not None
    assert message.contact.sip.port == 5080
    assert message.is_sdp


def test_one_change_changes_nothing_else() -> None:
    """The first Via goes, what was in its line with it stays, and everything else is as it was."""
    changed = parse(INVITE).pop("Via").to_bytes()
    assert changed == INVITE.replace(
        b"SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKp1, SIP/2.0/TCP 192.0.2.1\r\n ;branch",
        b"SIP/2.0/TCP 192.0.2.1 ;branch",
    )


def test_changes() -> None:
    """On top, in place, away."""
    message = request("OPTIONS", Route="<sip:a>, <sip:b>")
    assert message.push("Route", "<sip:0>").values("Route") == ["<sip:0>", "<sip:a>", "<sip:b>"]
    assert message.with_first("Route", "<sip:1>").values("route") == ["<sip:1>", "<sip:b>"]
    assert message.put("Route", "<sip:2>").all("Route") == ["<sip:2>"]
    assert message.put("Route").first("Route") is None
    assert message.drop("v", "t").first("Via") is None
    assert message.with_uri("sip:else").to_bytes().startswith(b"OPTIONS sip:else SIP/2.0\r\n")
    top = message.push("Via", "SIP/2.0/UDP x").to_bytes().split(b"\r\n")
    assert top[1:3] == [b"Via: SIP/2.0/UDP x", b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx"]


def test_length_is_set_unless_it_is_there() -> None:
    """A peer that does wrong says what it likes."""
    message = request().with_body(b"v=0\r\n")
    assert (message.first("Content-Length"), message.first("Content-Type")) == ("5", "application/sdp")
    assert (
        Request.make("OPTIONS", "sip:a", (), b"xyz").with_length().to_bytes().endswith(b"Content-Length: 3\r\n\r\nxyz")
    )
    wrong = message.put("Content-Length", "99")
    assert wrong.with_length() is wrong
    assert message.with_body(b"").first("Content-Type") is None


def test_body_ends_where_content_length_says() -> None:
    """In a datagram, what is behind it is nothing (RFC 3261 18.3); a body that is cut is no message."""
    text = wire("OPTIONS sip:a SIP/2.0\nContent-Length: 3\n\n")
    assert parse(text + b"abcdef").body == b"abc"
    with pytest.raises(SipSyntaxError, match="a body of 2 bytes"):
        parse(text + b"ab")


def test_response_has_what_its_request_had() -> None:
    """RFC 3261 8.2.6.2: Via as they were, To with a tag, Record-Route in what makes a dialog."""
    invite = parse(INVITE)
    assert isinstance(invite, Request)
    ok = Response.to_request(invite, 200, "", [("Contact", "<sip:b>")], "b-tag")
    assert ok.start_line == "SIP/2.0 200 OK"
    assert (ok.vias, ok.to.tag, ok.cseq, ok.call_id) == (invite.vias, "b-tag", invite.cseq, "call-1")
    assert ok.values("Record-Route") == ["<sip:192.0.2.9;lr>"]
    assert Response.to_request(invite, 404).values("Record-Route") == []
    assert Response.to_request(invite, 100, tag="x").to.tag == ""
    assert Response.to_request(request(tag="mine"), 200, tag="x").to.tag == "mine"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OPTIONS sip:a SIP/2.0",
        "OPTIONS sip:a SIP/2.0\nVia: x\n",
        "OPTIONS  sip:a SIP/2.0\n\n",
        "OPTIONS <sip:a> SIP/2.0\n\n",
        "OPTIONS sip:a HTTP/1.1\n\n",
        "SIP/2.0 99 x\n\n",
        "SIP/2.0 1234 x\n\n",
        "OPTIONS sip:a SIP/2.0\nno colon\n\n",
        "OPTIONS sip:a SIP/2.0\n folded: start\n\n",
        "OPTIONS sip:a SIP/2.0\nContent-Length: -1\n\n",
        "OPTIONS sip:a SIP/2.0\nContent-Length: 1 2\n\n",
    ],
)
def test_no_message(text: str) -> None:
    """Each is an error of ours."""
    with pytest.raises(SipSyntaxError):
        parse(wire(text))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Via", "SIP/2.0 nonsense", "no Via"),
        ("CSeq", "1 BYE", "CSeq of BYE in a INVITE"),
        ("CSeq", "99999999999 INVITE", "no CSeq"),
        ("CSeq", "2147483648 INVITE", "no CSeq"),
        ("CSeq", "INVITE", "no CSeq"),
        ("Max-Forwards", "many", "Max-Forwards is no number"),
        ("From", "<sip:a", "no address"),
        ("To", "", "no address"),
        ("Call-ID", "", "empty Call-ID"),
    ],
)
def test_incomplete(name: str, value: str, said: str) -> None:
    """What cannot be relied on is told."""
    with pytest.raises(SipSyntaxError, match=said):
        complete(request().put(name, value))


@pytest.mark.parametrize("name", ["Via", "CSeq", "From", "To", "Call-ID"])
def test_missing_or_twice(name: str) -> None:
    """Nor what is missing, nor what is there twice though it may be there once alone."""
    complete(request())
    with pytest.raises(SipSyntaxError):
        complete(request().drop(name))
    if name != "Via":
        value = request().first(name)
        assert value is not None
        with pytest.raises(SipSyntaxError, match="several"):
            complete(request().push(name, value))


def test_new_field_is_one_line() -> None:
    """Nothing that we write can smuggle a field in."""
    with pytest.raises(AssertionError, match="one line"):
        Field.make("Subject", "a\r\nTo: b")


TORTURE = {**{name: filled(text, INSIDE) for name, text in WELL_FORMED.items()}, **BEYOND_FRAMING}


def judge(data: bytes) -> None:
    """Everything that is asked of a message that came; SipSyntaxError at most."""
    try:
        message = parse(data)
    except SipSyntaxError:
        return
    assert data.startswith(message.to_bytes())
    for ask in (
        lambda: complete(message),
        lambda: message.contact,
        lambda: message.via.came_from(("192.0.2.1", 5060)),
        lambda: message.number("Expires"),
        lambda: message.pop("Via").values("Route"),
        lambda: Response.to_request(message, 400, tag="x") if isinstance(message, Request) else None,
    ):
        with suppress(SipSyntaxError):
            ask()


@pytest.mark.parametrize("name", TORTURE)
def test_torture(name: str) -> None:
    """After RFC 4475: bytes come out as they went in, and whatever is asked of them, the error is ours."""
    judge(TORTURE[name].replace(b"\n", b"\r\n") if name in BEYOND_FRAMING else TORTURE[name])


@given(st.binary(max_size=400))
def test_garbage(data: bytes) -> None:
    """So it is with anything."""
    judge(data)


def test_line_feeds_alone() -> None:
    """Every line end comes out as it came in, that of the empty line too."""
    judge(b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nCall-ID: 1\n\nbody\r\n")


@given(st.integers(0, len(INVITE)), st.integers(0, len(INVITE)), st.binary(max_size=8))
def test_damaged(start: int, length: int, put: bytes) -> None:
    """And with a message that has a hole, or something else in it."""
    judge(INVITE[:start] + put + INVITE[start + length % 20 :])
