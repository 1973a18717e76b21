"""The product's words for what OpenSSL says, whichever release it is."""

from __future__ import annotations

import pytest

from alg.tls.endpoint import UNEXPECTED_EOF, Notes, TlsFailure
from harness.expressway.log import tls
from harness.peers.tls_words import told


def noted(*alerts: tuple[bool, str, str]) -> Notes:
    """Alerts: sent by us, level, description."""
    notes = Notes(None)
    notes.alerts += alerts
    return notes


@pytest.mark.parametrize(
    ("alert", "detail", "number"),
    [
        ("certificate_unknown", "sslv3 alert certificate unknown", "14094416"),
        ("bad_certificate", "sslv3 alert bad certificate", "14094412"),
        ("handshake_failure", "sslv3 alert handshake failure", "14094410"),
        ("unknown_ca", "tlsv1 alert unknown ca", "14094418"),
        ("protocol_version", "tlsv1 alert protocol version", "1409442E"),
        ("internal_error", "tlsv1 alert internal error", "14094438"),
    ],
)
@pytest.mark.parametrize("words", ["sslv3 alert certificate unknown", "tls alert whatever", "ssl/tls alert whatever"])
def test_alerts(alert: str, detail: str, number: str, words: str) -> None:
    """As OpenSSL 1.0 numbered and named them, by the alert that came; a warning before it does not count."""
    failure = told(TlsFailure(words), noted((False, "warning", "user_canceled"), (False, "fatal", alert)), "", True)
    assert failure.detail == detail
    assert failure.reason == f"error:{number}:SSL routines:ssl3_read_bytes:{detail}"
    assert (failure.result, failure.error, failure.closed) == (0, 1, "Got EOF on socket")


def test_the_guides_own() -> None:
    """Certificate unknown, and an untrusted CA, are the lines that the log has from the guide."""
    alerted = noted((False, "fatal", "certificate_unknown"))
    assert told(TlsFailure("tls alert certificate unknown"), alerted, "", True) == tls.CERTIFICATE_UNKNOWN
    words = "self signed certificate in certificate chain"
    refused = told(TlsFailure("certificate verify failed"), noted((True, "fatal", "unknown_ca")), words, True)
    assert refused == tls.UNTRUSTED_CA


def test_a_client_that_refuses() -> None:
    """Another function of the library."""
    failure = told(TlsFailure("certificate verify failed", "x"), noted(), "certificate has expired", False)
    assert (failure.detail, failure.closed) == ("certificate has expired", "certificate has expired")
    assert failure.reason == ("error:14090086:SSL routines:ssl3_get_server_certificate:certificate verify failed")


@pytest.mark.parametrize("reason", [UNEXPECTED_EOF, "close notify"])
def test_an_end_without_an_alert(reason: str) -> None:
    """The library has no error."""
    assert told(TlsFailure(reason), noted(), "", False) == tls.REMOTE_DISCONNECT


def test_cipher_text_that_was_changed() -> None:
    """OpenSSL 4 speaks of the cipher, older ones of the record."""
    sent = noted((True, "fatal", "bad_record_mac"))
    for words in ("cipher operation failed", "decryption failed or bad record mac"):
        failure = told(TlsFailure(words), sent, "", True)
        assert failure.closed == "decryption failed or bad record mac"
        assert failure.reason == "SSL routines:ssl3_get_record:decryption failed or bad record mac"


def test_anything_else() -> None:
    """In the library's words."""
    failure = told(TlsFailure("http request"), noted(), "", True)
    assert (failure.detail, failure.closed, failure.reason) == (
        "http request",
        "http request",
        "SSL routines:http request",
    )
    assert (failure.result, failure.error) == (-1, 1)
