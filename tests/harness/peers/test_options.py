"""OPTIONS and its 200, in any segmentation."""

from __future__ import annotations

import pytest

from alg.sip.message import field_value, status_code
from harness.peers.options import Heard, OptionsExchange

HERE, THERE = ("127.0.0.2", 40000), ("127.0.0.3", 5062)


def both() -> tuple[OptionsExchange, OptionsExchange]:
    """Who asks and who is asked."""
    return OptionsExchange(HERE, THERE, "one"), OptionsExchange(THERE, HERE, "two")


def test_the_request() -> None:
    """Every field that RFC 3261 8.1.1 asks for, and what TLS makes of Via and Contact."""
    asking, _ = both()
    assert asking.request() == (
        b"OPTIONS sip:127.0.0.3:5062 SIP/2.0\r\n"
        b"Via: SIP/2.0/TLS 127.0.0.2:40000;branch=z9hG4bKone\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:127.0.0.2:40000>;tag=one\r\n"
        b"To: <sip:127.0.0.3:5062>\r\n"
        b"Call-ID: one\r\n"
        b"CSeq: 1 OPTIONS\r\n"
        b"Contact: <sip:127.0.0.2:40000;transport=tls>\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_asked_and_answered(piece: int) -> None:
    """Both know, and only then."""
    asking, asked = both()
    request = asking.request()
    heard = [each for at in range(0, len(request), piece) for each in asked.feed(request[at : at + piece])]
    assert [each.message for each in heard] == [request]
    reply = heard[0].reply
    assert reply is not None
    assert status_code(reply) == 200
    for name in (b"via", b"from", b"call-id", b"cseq"):
        assert field_value(reply, name) == field_value(request, name)
    assert field_value(reply, b"to") == b"<sip:127.0.0.3:5062>;tag=two"
    assert (asking.complete, asked.complete) == (False, True)
    assert [each for at in range(0, len(reply), piece) for each in asking.feed(reply[at : at + piece])] == [
        Heard(reply, None)
    ]
    assert asking.complete


@pytest.mark.parametrize(
    "message",
    [
        b"SIP/2.0 100 Trying\r\nVia: x\r\nCall-ID: one\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: x\r\nCall-ID: another\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        b"MESSAGE sip:x SIP/2.0\r\nVia: x\r\nCall-ID: one\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_answer(message: bytes) -> None:
    """A provisional response, somebody else's, another request, and one that cannot be answered."""
    asking, _ = both()
    assert asking.feed(message) == [Heard(message, None)]
    assert not asking.complete


ANOTHER = b"Via: x\r\nFrom: a\r\nTo: b\r\nCall-ID: other\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"


def test_somebody_who_calls() -> None:
    """Gets an answer too; ACK gets none."""
    _, asked = both()
    (heard,) = asked.feed(b"INVITE sip:x SIP/2.0\r\n" + ANOTHER)
    assert heard.reply is not None
    assert status_code(heard.reply) == 480
    assert asked.complete
    assert asked.feed(b"ACK sip:x SIP/2.0\r\n" + ANOTHER)[0].reply is None


def test_a_refusal_is_an_answer() -> None:
    """SIP crosses, whatever the other one thinks of it."""
    asking, _ = both()
    asking.feed(b"SIP/2.0 403 Forbidden\r\nVia: x\r\nCall-ID: one\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
    assert asking.complete


def test_bytes_that_are_no_sip() -> None:
    """Are left alone."""
    asking, _ = both()
    assert asking.feed(b"\x00\x01\x02 HTTP/1.1 200 OK\r\n\r\n") == []
    assert asking.feed(b"\r\n\r\n") == []
    assert not asking.complete
