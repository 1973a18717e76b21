"""What Certificate and CertificateRequest say."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from alg.tls.certificates import certificate_details, certificate_request_details
from alg.tls.vectors import MOST_LISTED, TlsSyntaxError
from tests.helpers.certificates import sign
from tests.tls.wire import vector

TLS_1_1, TLS_1_2 = 0x0302, 0x0303


def chain_of(*certificates: bytes) -> bytes:
    """The message, without its header."""
    return vector(3, b"".join(vector(3, each) for each in certificates))


def test_chain() -> None:
    """How long it is, and who is in it, the sender first."""
    root = sign("Test Root", ca=True)
    leaf = sign("sip.example.com", root)
    body = chain_of(*(each.public_bytes(Encoding.DER) for each in leaf.chain))
    assert certificate_details(body) == {"chain": 2, "subjects": ["CN=sip.example.com", "CN=Test Root"]}


def test_no_certificate() -> None:
    """A client that was asked for a certificate and has none."""
    assert certificate_details(chain_of()) == {"chain": 0, "subjects": []}


def test_what_is_no_certificate() -> None:
    """It counts, and has no name."""
    assert certificate_details(chain_of(b"?!", b"")) == {"chain": 2, "subjects": ["?", "?"]}


def test_long_chain() -> None:
    """Of very many, all are counted and not all are named."""
    details = certificate_details(chain_of(*[b"x"] * 1000))
    assert details == {"chain": 1000, "subjects": ["?"] * MOST_LISTED + ["..."]}


@pytest.mark.parametrize("body", [b"", b"\0\0", b"\0\0\5\0\0\3ab", b"\0\0\2\0\0"])
def test_cut_chain(body: bytes) -> None:
    """A chain that is not all there is an error."""
    with pytest.raises(TlsSyntaxError):
        certificate_details(body)


def test_request() -> None:
    """Signature algorithms came in between with TLS 1.2 (RFC 5246 7.4.4, RFC 4346 7.4.4)."""
    types, algorithms = vector(1, b"\x01\x40"), vector(2, b"\x04\x03\x08\x04")
    names = vector(2, vector(2, b"first") + vector(2, b"second"))
    assert certificate_request_details(types + algorithms + names, TLS_1_2) == {"authorities": 2}
    assert certificate_request_details(types + names, TLS_1_1) == {"authorities": 2}
    assert certificate_request_details(types + algorithms + vector(2, b""), TLS_1_2) == {"authorities": 0}
    with pytest.raises(TlsSyntaxError):
        certificate_request_details(types + names, TLS_1_2)
