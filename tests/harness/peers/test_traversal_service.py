"""The SERVICE by which credentials are asked about: as the document shows it, and read again."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.message import Message

import pytest

from alg.errors import SipSyntaxError
from harness.peers.traversal_service import apparent_route, compose, question
from harness.sip.digest import Challenge, Credentials, answer
from harness.sip.message import Request
from harness.sip.tokens import Tokens

CHALLENGE = Challenge("expe.example.com", "abc")
REGISTER = Request.make("REGISTER", "sip:cucm02.example.local")
PEM = b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"


def service(password: str = "secret", user: str = "phone<user>") -> Request:
    """About a REGISTER of somebody with a password."""
    proof = answer(CHALLENGE, Credentials(user, password), "REGISTER", REGISTER.uri, "cnonce")
    route = apparent_route(("64.100.0.10", 4401), "TLS")
    now = datetime(2016, 4, 19, 7, 9, 13, tzinfo=UTC)
    return compose(REGISTER, proof, "cucm02.example.local", route, PEM, now, Tokens(1))


def test_as_the_document_shows_it() -> None:
    """Line by line, but for what is never the same twice."""
    request = service()
    assert request.start_line == "SERVICE sip:serviceserver@cucm02.example.local SIP/2.0"
    assert request.values("Route") == [
        "<sip:64.100.0.10:4401;transport=tls;apparent;ds;lr>",
        "<sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>",
    ]
    for name, value in (
        ("Contact", "<sip:serviceproxy@cucm02.example.local>"),
        ("To", "<sip:serviceserver@cucm02.example.local>"),
        ("Max-Forwards", "15"),
        ("User-Agent", "TANDBERG/4132 (X8.7.2)"),
        ("Date", "Tue, 19 Apr 2016 07:09:13 GMT"),
        ("Event", "service"),
        ("P-Asserted-Identity", "<sip:serviceproxy@cucm02.example.local>"),
        ("Content-Type", "multipart/mixed;boundary=boundary-6j7zrmj35ifsu3efg5ga603hzn1nbf"),
    ):
        assert request.first(name) == value
    assert request.first("X-TAATag")
    assert str(request.first("Identity")).startswith('"7ioJ9g')
    assert request.number("Content-Length") == len(request.body)
    assert [field.name for field in request.fields][:3] == ["Via", "Call-ID", "CSeq"]


def test_body() -> None:
    """The standard library finds both parts."""
    request = service()
    head = f"Content-Type: {request.first('Content-Type')}\r\n\r\n".encode()
    call, certificate = (
        part for part in email.message_from_bytes(head + request.body).walk() if not part.is_multipart()
    )
    assert isinstance(call, Message)
    assert call.get_content_type() == "application/text"
    assert "<username>phone&lt;user&gt;</username><realm>expe.example.com</realm>" in str(call.get_payload())
    assert "<methodName>DigestAuth</methodName>" in str(call.get_payload())
    assert certificate.get_content_type() == "application/x-x509-ca-cert"
    assert str(certificate.get_payload()).replace("\r\n", "\n").strip() == PEM.decode().strip()


@pytest.mark.parametrize(
    ("passwords", "right"),
    [
        ({"phone<user>": "secret"}, True),
        ({"phone<user>": "other"}, False),
        ({"somebody": "secret"}, False),
        ({}, False),
    ],
)
def test_answer(passwords: dict[str, str], right: bool) -> None:
    """Whether the password is right can be told from the method call alone."""
    assert question(service()).answered_by(passwords) is right


def test_nobody_has_no_password() -> None:
    """Who is not known is not let in by an empty one."""
    assert not question(service("")).answered_by({})


@pytest.mark.parametrize("body", [b"", b"<methodCall/>", b"\xff<username>a</username>"])
def test_no_question(body: bytes) -> None:
    """It is an error of whoever sent it."""
    with pytest.raises(SipSyntaxError, match="method call"):
        question(service().with_body(body))


def test_route_over_tcp() -> None:
    """Its transport is that of the connection."""
    assert apparent_route(("192.0.2.1", 27901), "TCP") == "<sip:192.0.2.1:27901;transport=tcp;apparent;ds;lr>"
