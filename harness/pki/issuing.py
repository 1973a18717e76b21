"""Keys and certificates from values: names, times and keys come in, signed certificates come out.

Strategy: `sign` is the only place where a certificate is built. A recipe says what goes into it; `Authority.issue` is
for a program that learns at run time what to sign, as a firewall does that terminates TLS. Every certificate has the
extensions that RFC 5280 asks for, unless its recipe leaves them out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.pki.recipes import LONGEST_ATTRIBUTE, CaRecipe, KeyKind, KeyUse, LeafRecipe, Purpose, Recipe

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""

_PURPOSES = {Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH, Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA in memory, which signs what it is asked to sign."""

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> Authority:
        """A CA from its PEM files; ValueError if they are none, belong to no CA, or not to each other."""
        found = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, password=None)
        if not isinstance(private, PrivateKey):
            raise ValueError("the key is neither RSA nor EC")
        if private.public_key() != found.public_key():
            raise ValueError("the key does not belong to the certificate")
        try:
            is_ca = found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            is_ca = False
        if not is_ca:
            raise ValueError("the certificate is not that of a CA")
        return cls(found, private)

    def issue(
        self,
        common_name: str,
        sans: Sequence[x509.GeneralName],
        public_key: PublicKey,
        eku: Sequence[x509.ObjectIdentifier],
        not_before: datetime,
        not_after: datetime,
    ) -> x509.Certificate:
        """A leaf certificate for somebody's public key.

        A common name that X.509 has no room for (none, or more than 64 bytes) is left out, and the names become
        critical (RFC 5280, 4.2.1.6). No `sans`, no `eku`: no such extension. Times are aware, or taken as UTC.
        """
        has_name = 0 < len(common_name.encode()) <= LONGEST_ATTRIBUTE
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if has_name else [])
        extensions: list[Extension] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(_needed_uses(public_key)), True),
        ]
        if eku:
            extensions.append((x509.ExtendedKeyUsage(eku), False))
        if sans:
            extensions.append((x509.SubjectAlternativeName(sans), not has_name))
        return sign(subject, public_key, (not_before, not_after), extensions, self.key, self.certificate)


def sign(
    subject: x509.Name,
    public_key: PublicKey,
    validity: tuple[datetime, datetime],
    extensions: Iterable[Extension],
    key: PrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    """A certificate signed with `key`, which is the issuer's, or without an issuer its own."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(_key_identifier(key, issuer), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def new_key(kind: KeyKind) -> PrivateKey:
    """A fresh key. EC takes microseconds, RSA with 2048 bits some 50 milliseconds."""
    match kind:
        case KeyKind.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(65537, 2048)
        case KeyKind.RSA_1024:
            return rsa.generate_private_key(65537, 1024)


def subject_of(recipe: Recipe) -> x509.Name:
    """The subject that a recipe asks for."""
    attributes = (
        (NameOID.ORGANIZATION_NAME, recipe.organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, recipe.organizational_unit),
        (NameOID.COMMON_NAME, recipe.common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value is not None])


def extensions_of(recipe: Recipe, public_key: PublicKey) -> list[Extension]:
    """The extensions that a recipe asks for."""
    is_ca = isinstance(recipe, CaRecipe)
    path_length = recipe.path_length if isinstance(recipe, CaRecipe) else None
    extensions: list[Extension] = [(x509.BasicConstraints(is_ca, path_length), True)]
    needed = (KeyUse.KEY_CERT_SIGN, KeyUse.CRL_SIGN) if is_ca else _needed_uses(public_key)
    if uses := needed if recipe.key_usage is None else recipe.key_usage:
        extensions.append((_key_usage(uses), True))
    if isinstance(recipe, LeafRecipe):
        if recipe.eku:
            extensions.append((x509.ExtendedKeyUsage([_PURPOSES[purpose] for purpose in recipe.eku]), False))
        if names := general_names(recipe.dns, recipe.ip, recipe.uri):
            extensions.append((x509.SubjectAlternativeName(names), False))
    return extensions


def general_names(dns: Iterable[str] = (), ip: Iterable[str] = (), uri: Iterable[str] = ()) -> list[x509.GeneralName]:
    """Subject alternative names from text."""
    return [
        *(x509.DNSName(name) for name in dns),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in ip),
        *(x509.UniformResourceIdentifier(name) for name in uri),
    ]


def _key_identifier(key: PrivateKey, issuer: x509.Certificate | None) -> x509.AuthorityKeyIdentifier:
    """Names the key that signs as that key's certificate names it (RFC 5280, 4.2.1.1)."""
    if issuer is not None:
        with suppress(x509.ExtensionNotFound):
            identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _needed_uses(public_key: PublicKey) -> tuple[KeyUse, ...]:
    """What a TLS endpoint does with its key; key transport of TLS 1.2 is RSA's alone."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return KeyUse.DIGITAL_SIGNATURE, KeyUse.KEY_ENCIPHERMENT
    return (KeyUse.DIGITAL_SIGNATURE,)


def _key_usage(uses: Iterable[KeyUse]) -> x509.KeyUsage:
    wanted = set(uses)
    return x509.KeyUsage(
        digital_signature=KeyUse.DIGITAL_SIGNATURE in wanted,
        content_commitment=KeyUse.CONTENT_COMMITMENT in wanted,
        key_encipherment=KeyUse.KEY_ENCIPHERMENT in wanted,
        data_encipherment=KeyUse.DATA_ENCIPHERMENT in wanted,
        key_agreement=KeyUse.KEY_AGREEMENT in wanted,
        key_cert_sign=KeyUse.KEY_CERT_SIGN in wanted,
        crl_sign=KeyUse.CRL_SIGN in wanted,
        encipher_only=False,
        decipher_only=False,
    )
