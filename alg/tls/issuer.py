"""Certificates made while connections come: what an inspecting CA shows in place of somebody's own certificate.

Strategy: one key for all leafs, made once, so that a certificate costs one signature. `mirror` copies subject,
alternative names and key purposes of an original; `own` makes a server's certificate for given names. What was made is
remembered by the original's fingerprint, or by the names, until its time is over or others crowd it out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from alg.errors import ConfigError, SipalgError
from alg.tls.policy import Identity, PublicKey, general_name

_BACKDATED: Final = timedelta(hours=1)
"""Clocks differ."""
_LONGEST_COMMON_NAME: Final = 64
"""Characters (RFC 5280 A.1, ub-common-name)."""
_DIGITAL_SIGNATURE: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""All that an EC key does in TLS."""
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for certificates that break the rules."""

_Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""


class ResigningError(SipalgError):
    """A peer's certificate that cannot be mirrored; the message is the reason."""


class Issuer:
    """The inspecting CA at work.

    `authority` has the issuing CA's certificate first; all of its chain is shown behind each leaf. ConfigError if it is
    no CA.
    """

    def __init__(self, authority: Identity, lifetime: timedelta = timedelta(days=30), remembered: int = 1024) -> None:
        _require_ca(authority.chain[0])
        self.authority = authority
        self._lifetime = lifetime
        self._remembered = remembered
        """Leafs."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        public_key = self._key.public_key()
        self._constant: tuple[_Extension, ...] = (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_DIGITAL_SIGNATURE, True),
            (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
            (_identifier_of(authority.chain[0]), False),
        )
        self._made: OrderedDict[object, Identity] = OrderedDict()

    def mirror(self, original: x509.Certificate, now: datetime) -> Identity:
        """The certificate that passes for `original` where this CA is trusted; ResigningError if it cannot be read."""
        key = original.fingerprint(hashes.SHA256())
        return self._recall(key, now) or self._remember(key, self._mirrored(original, now))

    def own(self, names: Sequence[str], now: datetime) -> Identity:
        """A server's certificate for DNS names and IP addresses."""
        key = tuple(names)
        return self._recall(key, now) or self._remember(key, self._named(key, now))

    def _mirrored(self, original: x509.Certificate, now: datetime) -> Identity:
        try:
            kept = (x509.SubjectAlternativeName, x509.ExtendedKeyUsage)
            extensions = [
                (found.value, found.critical) for found in original.extensions if isinstance(found.value, kept)
            ]
            return self._sign(original.subject, extensions, now)
        except _UNREADABLE as error:
            raise ResigningError(f"the certificate cannot be re-signed: {error}") from error

    def _named(self, names: Sequence[str], now: datetime) -> Identity:
        common_name = names[0] if len(names[0]) <= _LONGEST_COMMON_NAME else None
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        extensions: list[_Extension] = [
            (x509.SubjectAlternativeName(general_name(name) for name in names), common_name is None),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ]
        return self._sign(subject, extensions, now)

    def _sign(self, subject: x509.Name, extensions: Iterable[_Extension], now: datetime) -> Identity:
        assert now.tzinfo is not None, "a time without a zone is another time elsewhere"
        authority = self.authority
        start = now.astimezone(UTC).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority.chain[0].subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - _BACKDATED)
            .not_valid_after(start + self._lifetime)
        )
        for extension, critical in (*self._constant, *extensions):
            builder = builder.add_extension(extension, critical)
        has_digest = not isinstance(authority.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        leaf = builder.sign(authority.key, hashes.SHA256() if has_digest else None)
        return Identity((leaf, *authority.chain), self._key)

    def _recall(self, key: object, now: datetime) -> Identity | None:
        made = self._made.get(key)
        if made is None or not made.chain[0].not_valid_before_utc <= now < made.chain[0].not_valid_after_utc:
            return None
        self._made.move_to_end(key)
        return made

    def _remember(self, key: object, made: Identity) -> Identity:
        self._made[key] = made
        self._made.move_to_end(key)
        if len(self._made) > self._remembered:
            self._made.popitem(last=False)
        return made


def subject_text(certificate: x509.Certificate | None) -> str | None:
    """The subject as RFC 4514 writes it; None of no certificate, empty of one that cannot be read."""
    if certificate is None:
        return None
    try:
        return certificate.subject.rfc4514_string()
    except _UNREADABLE:
        return ""


def alternative_names(certificate: x509.Certificate | None) -> tuple[str, ...]:
    """DNS names, IP addresses and URIs among the subject alternative names; none of what cannot be read."""
    if certificate is None:
        return ()
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    readable = (x509.DNSName, x509.IPAddress, x509.UniformResourceIdentifier)
    return tuple(str(name.value) for name in names if isinstance(name, readable))


def _require_ca(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        constraints = None
    if constraints is None or not constraints.ca:
        raise ConfigError(f"inspecting CA: {subject_text(certificate)} is the certificate of no CA")


def _identifier_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Names the CA's key as its own certificate does (RFC 5280 4.2.1.1)."""
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        public_key = issuer.public_key()
        assert isinstance(public_key, PublicKey), "it signed, or will"
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
