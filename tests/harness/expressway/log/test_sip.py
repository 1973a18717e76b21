"""network.sip: the line that sums a message up, the message as it is quoted, and its hash."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressway.log.entry import X8_7, X8_10
from harness.expressway.log.sip import message_block, message_detail, message_hash, received_message, sent_message

INVITE = (
    b"INVITE sip:bob@rtp.example.net SIP/2.0\r\n"
    b"Via: SIP/2.0/TLS 192.168.1.6:7003;branch=z9hG4bK1;rport\r\n"
    b"Call-ID: 9062bca7@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b'From: "Bob; tag=no" <sip:bob-test@dmzlab.call.ciscospark.com;x=1>;tag=872524918\r\n'
    b"To: <sip:bob@rtp.example.net>\r\n"
    b"Session-ID: daf7c278;remote=00000000\r\n"
    b"Content-Length: 4\r\n\r\n"
    b"v=0\n"
)
NOT_FOUND = (
    b"SIP/2.0 404 Not Found\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"f: <sip:bob-test@dmzlab.call.ciscospark.com>;tag=872524918\r\n"
    b"t: sip:bob@rtp.example.net;tag=96b9a0ea\r\n"
    b"i: 9062bca7@127.0.0.1\r\n"
    b"Session-ID: 00000000;remote=daf7c278\r\n\r\n"
)
REGISTER = INVITE.replace(b"INVITE", b"REGISTER")


def hash_of(message: bytes) -> str:
    """The Msg-Hash as it is printed."""
    return str(message_hash(message))


@pytest.mark.parametrize(
    ("verb", "message", "detail"),
    [
        (
            "Receive",
            INVITE,
            "Receive Request Method=INVITE, CSeq=1, Request-URI=sip:bob@rtp.example.net, "
            "Call-ID=9062bca7@127.0.0.1, From-Tag=872524918, To-Tag=, Msg-Hash=",
        ),
        (
            "Sending",
            NOT_FOUND,
            "Sending Response Code=404, Method=INVITE, CSeq=1, To=sip:bob@rtp.example.net, "
            "Call-ID=9062bca7@127.0.0.1, From-Tag=872524918, To-Tag=96b9a0ea, Msg-Hash=",
        ),
        (
            "Sending",
            REGISTER,
            "Sending Request Method=REGISTER, CSeq=1, To=sip:bob@rtp.example.net, "
            "Call-ID=9062bca7@127.0.0.1, From-Tag=872524918, To-Tag=, Msg-Hash=",
        ),
    ],
)
def test_a_message_in_one_line(verb: str, message: bytes, detail: str) -> None:
    """Requests are told by their Request-URI, responses and registrations by their To."""
    assert message_detail(verb, message, X8_7) == detail + hash_of(message)


def test_session_ids() -> None:
    """X8.10 tells them: the sender's own one, and the other side's."""
    assert message_detail("Receive", INVITE, X8_10).endswith(
        f"Msg-Hash={hash_of(INVITE)}, Local-SessionID=daf7c278, Remote-SessionID=00000000"
    )
    without = INVITE.replace(b"Session-ID", b"X")
    assert message_detail("Receive", without, X8_10).endswith(", Local-SessionID=, Remote-SessionID=")


def test_both_lines_of_a_message() -> None:
    """Who sent it to whom, and the hash in both."""
    info, debug = received_message(("192.168.1.5", 26847), ("192.168.1.6", 7003), INVITE, X8_7)
    head = 'Action="Received"  Local-ip="192.168.1.5"  Local-port="26847"  Src-ip="192.168.1.6"  Src-port="7003"'
    assert info.render("T", X8_7) == (
        f'UTCTime="T" Module="network.sip" Level="INFO":  {head}  Detail="{message_detail("Receive", INVITE, X8_7)}"'
    )
    assert debug.render("T", X8_7) == (
        f'UTCTime="T" Module="network.sip" Level="DEBUG":  {head}  Msg-Hash="{hash_of(INVITE)}"{message_block(INVITE)}'
    )
    sent, _ = sent_message(("192.168.1.5", 26847), ("192.168.1.6", 7003), NOT_FOUND, X8_7)
    assert 'Action="Sent"  Local-ip="192.168.1.5"  Local-port="26847"  Dst-ip="192.168.1.6"' in sent.render("T", X8_7)


def test_a_message_as_it_is_quoted() -> None:
    """Each line with a space in front, between `|` and a line ` |`."""
    assert message_block(b"BYE sip:a SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n") == (
        "\n SIPMSG:\n |BYE sip:a SIP/2.0\n CSeq: 2 BYE\n \n |"
    )
    assert message_block(b"A\r\n\r\nv=0") == "\n SIPMSG:\n |A\n \n v=0\n |"
    assert message_block(b"A: \xff\xc3\xbc\r\n") == "\n SIPMSG:\n |A: \\xff\N{LATIN SMALL LETTER U WITH DIAERESIS}\n |"


def test_the_hash_depends_on_the_bytes_alone() -> None:
    """The same bytes have the same one, in every run; others another one; 64 bits, as the product prints."""
    assert message_hash(INVITE) == message_hash(bytes(INVITE))
    assert message_hash(INVITE) != message_hash(INVITE[:-1])
    assert message_hash(b"") == 0xE4A6A0577479B2B4
    assert re.fullmatch(r"\d{1,20}", hash_of(INVITE))


@given(st.one_of(st.binary(max_size=80), st.text("\r\n :;<>SIP/2.0call-idTo", max_size=80).map(str.encode)))
def test_garbage_is_logged_too(garbage: bytes) -> None:
    """Whatever came in, its line stays one line, and its block ends with ` |`."""
    for dialect in (X8_7, X8_10):
        info, debug = received_message(("192.0.2.1", 1), ("192.0.2.2", 2), garbage, dialect)
        assert not re.search(r"[\r\n]", info.render("T", dialect))
        assert debug.render("T", dialect).endswith("\n |")
