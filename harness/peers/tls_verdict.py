"""The verdict on a certificate during the handshake, and the alert that goes with it.

Strategy: OpenSSL builds the chain and tells each objection it has; all of them are let pass until it comes to the
certificate itself, then a judge decides. A refusal ends in the alert that OpenSSL has for the number the judge names.

pyOpenSSL's callback can refuse but not name a number: what OpenSSL itself has nothing against, it ends in
`internal_error`. OpenSSL picks the alert from a table by verification error (X509_V_ERR_..., SSL_get_verify_result(3)):
18 to 20 (self-signed, self-signed in chain, no issuer) become `unknown_ca`, 10 `certificate_expired`, 23
`certificate_revoked`, 26 `unsupported_certificate`, 28 `bad_certificate`, 50 `handshake_failure`, 1 `internal_error`.
What is not in the table becomes `certificate_unknown`, so any number does that OpenSSL has not given away. This is so
with OpenSSL 3.0 and 4.0, in TLS 1.2 and 1.3, for a client and for a server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

CERTIFICATE_UNKNOWN: Final = 1000
"""A number that OpenSSL knows no error by: refuses with the alert `certificate_unknown`."""
_UNREADABLE: Final = 28
"""X509_V_ERR_CERT_REJECTED: refuses with `bad_certificate`."""

Judge = Callable[[int, x509.Certificate], int]
"""Gets the number of OpenSSL's first objection to a chain, 0 if it has none, and the certificate; returns the number to
refuse it with, 0 to accept it."""


class Verdict:
    """What is thought of the certificate that the other side of one connection shows; it has to show one."""

    def __init__(self, connection: SSL.Connection, judge: Judge) -> None:
        self.accepted: x509.Certificate | None = None
        """The certificate, once it is."""
        self._judge = judge
        self._objection = 0
        self._callback = ffi.callback("int (*)(int, X509_STORE_CTX *)", self._on_certificate, error=0)
        """Must live as long as the connection: OpenSSL holds no reference."""
        mode = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        lib.SSL_set_verify(connection._ssl, mode, self._callback)

    def _on_certificate(self, content: int, context: Any) -> int:
        """OpenSSL at one certificate of the chain, the root first; `content` is 0 if it objects."""
        error: int = lib.X509_STORE_CTX_get_error(context)
        if not content:
            self._objection = self._objection or error
            refused = error if self.accepted is not None else 0
        elif lib.X509_STORE_CTX_get_error_depth(context) == 0:
            refused = self._decide(lib.X509_STORE_CTX_get_current_cert(context))
        else:
            refused = 0
        lib.X509_STORE_CTX_set_error(context, refused)
        return int(not refused)

    def _decide(self, shown: Any) -> int:
        lib.X509_up_ref(shown)
        try:
            certificate = crypto.X509._from_raw_x509_ptr(shown).to_cryptography()
            refused = self._judge(self._objection, certificate)
        except (ValueError, x509.InvalidVersion):
            return _UNREADABLE
        if not refused:
            self.accepted = certificate
        return refused
