"""What was made, for people and machines: read from the certificates themselves, not from their recipes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.ca import Pki

_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate."""

    name: str
    kind: str
    """`root`, `intermediate` or `leaf`."""
    common_name: str
    subject: str
    """All of it, as RFC 4514 writes it."""
    dns: list[str]
    ip: list[str]
    uri: list[str]
    issuer: str | None
    """Name of the CA that signed it; None if it signed itself."""
    key: str
    not_before: datetime
    not_after: datetime
    eku: list[str]
    """Empty: no such extension."""
    sent: list[str]
    """Names of what an endpoint sends, in order."""
    wrong: str
    """What is wrong with it on purpose; empty if nothing is."""
    files: list[str]

    @property
    def names(self) -> list[str]:
        """Subject alternative names of all kinds."""
        return [*self.dns, *self.ip, *self.uri]


def listing(pki: Pki) -> list[Listed]:
    """Every certificate of a PKI, CAs first."""
    names = {credentials.certificate: name for name, credentials in pki.credentials.items()}
    found = []
    for name, credentials in pki.credentials.items():
        certificate, recipe = credentials.certificate, pki.book[name]
        (common_name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        is_leaf = name in pki.book.leafs
        alternatives = _alternatives(certificate)
        found.append(
            Listed(
                name=name,
                kind="leaf" if is_leaf else "intermediate" if recipe.issuer else "root",
                common_name=str(common_name.value),
                subject=certificate.subject.rfc4514_string(),
                dns=alternatives.get_values_for_type(x509.DNSName),
                ip=[str(address) for address in alternatives.get_values_for_type(x509.IPAddress)],
                uri=alternatives.get_values_for_type(x509.UniformResourceIdentifier),
                issuer=recipe.issuer,
                key=_key(certificate),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                eku=_purposes(certificate),
                sent=[names[each] for each in credentials.chain] if is_leaf else [],
                wrong=recipe.wrong,
                files=list(pki.files_of(name)),
            )
        )
    return found


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _purposes(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [_PURPOSES[oid] for oid in found]


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    return f"rsa-{key.key_size}" if isinstance(key, rsa.RSAPublicKey) else "ec-p256"
