"""What is taken from OpenSSL past pyOpenSSL; these tests say so first if a release takes it away."""

from __future__ import annotations

from contextlib import suppress

import pytest
from OpenSSL import SSL

from alg.errors import ConfigError
from alg.tls import bindings
from alg.tls.bindings import CertificateQuestion, expect_name, require_certificate_callback, verify_error
from tests.tls.far_ends import FarEnd, papers, server


def client_connection() -> SSL.Connection:
    """One of pyOpenSSL's that verifies servers."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, number, depth, accepted: number in (0, 18, 19))
    connection = SSL.Connection(context)
    connection.set_connect_state()
    return connection


def shake(connection: SSL.Connection, far_end: FarEnd) -> str:
    """Carry a handshake as far as it goes; the name of the exception that stops our side."""
    stopped = ""
    for _ in range(4):
        try:
            connection.do_handshake()
            stopped = ""
        except SSL.Error as error:
            stopped = type(error).__name__
        with suppress(SSL.WantReadError):
            far_end.take(connection.bio_read(1 << 16))
        if answer := far_end.step():
            connection.bio_write(answer)
    return stopped


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("waits", [True, False])
def test_handshake_waits_for_our_certificate(version: str, waits: bool) -> None:
    """Suspended where the server asks, it goes on when there is an answer, or at once."""
    connection, far_end = client_connection(), FarEnd(server(version, papers().root), True, None)
    question = CertificateQuestion(connection, waits)
    assert not question.asked
    stopped = shake(connection, far_end)
    assert question.asked
    assert (stopped == "WantX509LookupError") is waits
    assert bool(far_end.complaint) is not waits
    if waits:
        question.go_on()
        shake(connection, far_end)
        assert "peer did not return a certificate" in far_end.complaint


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_refusal_is_an_alert(version: str) -> None:
    """A question that is refused ends the handshake, and the server hears of it."""
    connection, far_end = client_connection(), FarEnd(server(version, papers().root), True, None)
    question = CertificateQuestion(connection, waits=True)
    shake(connection, far_end)
    question.refuse()
    with pytest.raises(SSL.Error, match="callback failed"):
        connection.do_handshake()
    far_end.take(connection.bio_read(1 << 16))
    far_end.step()
    assert "tlsv1 alert internal error" in far_end.complaint


def test_no_question_without_a_request() -> None:
    """A server that asks for nothing is not kept waiting."""
    connection, far_end = client_connection(), FarEnd(server(), True, None)
    question = CertificateQuestion(connection, waits=True)
    shake(connection, far_end)
    assert far_end.shaken
    assert not question.asked


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("sip.example.com", True),
        ("SIP.example.com", True),
        ("192.0.2.7", True),
        ("other.example.com", False),
        ("192.0.2.8", False),
        ("2001:db8::1", False),
    ],
)
def test_expected_name(name: str, accepted: bool) -> None:
    """OpenSSL compares DNS names and addresses."""
    connection, far_end = client_connection(), FarEnd(server(), True, None)
    expect_name(connection, name)
    shake(connection, far_end)
    assert far_end.shaken is accepted


def test_words_for_verify_errors() -> None:
    """They are OpenSSL's own (verify(1ssl), X509_V_ERR_CERT_HAS_EXPIRED)."""
    assert verify_error(10) == "certificate has expired"


def test_library_without_certificate_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is refused at configuration time; the installed one is not."""
    require_certificate_callback()
    monkeypatch.setattr(bindings, "lib", object())
    with pytest.raises(ConfigError, match="without certificate callbacks"):
        require_certificate_callback()
