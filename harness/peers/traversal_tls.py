"""TLS of a traversal zone: the Expressway-C shows its certificate and is asked for it, a phone shows none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509
from OpenSSL import SSL, crypto

from alg.tls.endpoint import watch
from harness.ca import Credentials, Pki
from harness.sip.security import Secure, tls

EDGE, CORE, EDGE_ROOT, CORE_ROOT = "expressway-e-rsa", "expressway-c", "expressway-e-root", "expressway-c-root"
"""Recipes of `certs`."""
RECIPES = (EDGE, CORE)


def zone_server(pki: Pki, now: datetime) -> Secure:
    """Of the Expressway-E on the port of the zone."""
    return tls(_context(pki[EDGE], [pki.certificate(CORE_ROOT)], now, asks=True), None)


def zone_client(pki: Pki, now: datetime) -> Secure:
    """Of the Expressway-C."""
    return tls(None, _context(pki[CORE], [pki.certificate(EDGE_ROOT)], now, asks=True))


def edge_server(pki: Pki, now: datetime) -> Secure:
    """Of the Expressway-E where phones come in."""
    return tls(_context(pki[EDGE], [], now, asks=False), None)


def phone_client(pki: Pki, now: datetime) -> Secure:
    """Of a phone."""
    return tls(None, _context(None, [pki.certificate(EDGE_ROOT)], now, asks=True))


def _context(shown: Credentials | None, anchors: Iterable[x509.Certificate], now: datetime, asks: bool) -> SSL.Context:
    """`asks` for a certificate of the other side, which has to lead to an anchor at a time; names are not compared."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    watch(context)
    if shown is not None:
        context.use_certificate(shown.chain[0])
        context.use_privatekey(shown.key)
        for issuer in shown.chain[1:]:
            context.add_extra_chain_cert(issuer)
    store = context.get_cert_store()
    assert store is not None, "a context has one"
    for anchor in anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    store.set_time(now.astimezone(UTC))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT if asks else SSL.VERIFY_NONE)
    return context
