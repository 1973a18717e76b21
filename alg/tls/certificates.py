"""What Certificate and CertificateRequest say up to TLS 1.2, where they are in clear (RFC 5246 7.4.2, 7.4.4, 7.4.6)."""

from __future__ import annotations

from alg.tls.names import TLS_1_2
from alg.tls.subjects import subject_of
from alg.tls.vectors import FieldReader, listed


def certificate_details(body: bytes) -> dict[str, object]:
    """How long the chain is, and the subject of each certificate, the sender's own first.

    A client without a certificate sends an empty chain.
    """
    chain = list(FieldReader(body).vector(3).opaques(3))
    return {"chain": len(chain), "subjects": listed(map(subject_of, chain))}


def certificate_request_details(body: bytes, version: int) -> dict[str, object]:
    """How many authorities the server names; none means any."""
    reader = FieldReader(body)
    reader.opaque(1)
    if version >= TLS_1_2:
        reader.opaque(2)
    return {"authorities": sum(1 for _ in reader.vector(2).opaques(2))}
