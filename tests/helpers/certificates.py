"""Certificates for tests, made by `cryptography` in about a millisecond each."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

P256 = ec.SECP256R1()
DAY = datetime.timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Paper:
    """A certificate with its key, and the certificates of those who signed it."""

    chain: tuple[x509.Certificate, ...]
    """Its own first, the root last."""
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate(self) -> x509.Certificate:
        """Its own."""
        return self.chain[0]

    @property
    def chain_pem(self) -> bytes:
        """All of the chain."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)

    @property
    def key_pem(self) -> bytes:
        """Not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, folder: Path, name: str) -> Path:
        """NAME.pem with key and chain."""
        path = folder / f"{name}.pem"
        path.write_bytes(self.key_pem + self.chain_pem)
        path.chmod(0o600)
        return path


def general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    """DNS names, and IP addresses where the text is one."""
    return [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]


def sign(
    common_name: str,
    issuer: Paper | None = None,
    names: Sequence[str] = (),
    *,
    ca: bool = False,
    uses: Sequence[x509.ObjectIdentifier] = (),
    more: Sequence[x509.ExtensionType] = (),
    start: datetime.datetime | None = None,
    days: int = 2,
    curve: ec.EllipticCurve = P256,
) -> Paper:
    """A new key and its certificate, valid from a day ago unless `start` says otherwise; without issuer self-signed."""
    key = ec.generate_private_key(curve)
    start = start or datetime.datetime.now(datetime.UTC) - DAY
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + days * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Paper((certificate, *(issuer.chain if issuer else ())), key)
