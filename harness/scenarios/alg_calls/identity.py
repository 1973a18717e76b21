"""A signature over a request: the digest-string of RFC 4474 9, signed with ECDSA on P-256 and SHA-256.

From, To, Call-ID, CSeq, Date, Contact and body are signed, as RFC 4474 wants it; its RSA and SHA-1 are not used any
more, and RFC 8224 signs less. The key is one of this process, and no certificate is fetched.
"""

from __future__ import annotations

import base64
import binascii
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from harness.sip.message import Message, Request

_INFO: Final = "<https://caller.example.com/caller.cer>;alg=ecdsa-sha256"


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signed(request: Request) -> Request:
    """With a Date, an Identity, and an Identity-Info that names the key."""
    dated = request.put("Date", "Thu, 21 Feb 2002 13:02:03 GMT").put("Identity-Info", _INFO)
    signature = _key().sign(_digest_string(dated), ec.ECDSA(SHA256()))
    return dated.put("Identity", f'"{base64.b64encode(signature).decode()}"')


def verify(request: Request) -> tuple[int, str] | None:
    """438 unless it is signed, and what was signed is what came (RFC 4474 14.2); of the signature of somebody else,
    whose certificate is not fetched, nothing is known.
    """
    if request.first("Identity") and request.first("Identity-Info") != _INFO:
        return None
    try:
        signature = base64.b64decode((request.first("Identity") or "").strip('"'), validate=True)
        _key().public_key().verify(signature, _digest_string(request), ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error):
        return 438, "Invalid Identity Header"
    return None


def still_valid(before: Request, after: Request) -> str:
    """Whether what a signature covers is the same as it was, whoever has signed it."""
    if after.first("Identity") is None:
        return "none"
    return "valid" if _digest_string(before) == _digest_string(after) else "not valid any more"


def _digest_string(message: Message) -> bytes:
    contact = message.contact
    parts = (
        message.sender.uri,
        message.to.uri,
        message.call_id,
        str(message.cseq),
        message.first("Date") or "",
        contact.uri if contact is not None else "",
    )
    return "|".join(parts).encode() + b"|" + message.body
