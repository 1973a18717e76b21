"""Certificates from values, read back by OpenSSL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.pki.issuing import Authority, PublicKey, extensions_of, general_names, new_key, sign, subject_of
from harness.pki.recipes import CaRecipe, KeyKind, KeyUse, LeafRecipe, Recipe
from tests.helpers.openssl import openssl, verdict

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SERVER = [ExtendedKeyUsageOID.SERVER_AUTH]


def self_signed(recipe: Recipe) -> Authority:
    """Key and certificate of a recipe that signs itself."""
    key = new_key(recipe.key)
    extensions = extensions_of(recipe, key.public_key())
    return Authority(sign(subject_of(recipe), key.public_key(), recipe.validity(NOW), extensions, key, None), key)


@pytest.fixture
def firewall() -> Authority:
    """A CA that goes on signing."""
    return self_signed(CaRecipe(common_name="Inspection CA", path_length=0))


@pytest.fixture
def public_key() -> PublicKey:
    """Somebody's key."""
    return new_key(KeyKind.EC_P256).public_key()


def pem(certificate: x509.Certificate) -> bytes:
    """As a file holds it."""
    return certificate.public_bytes(Encoding.PEM)


def text(certificate: x509.Certificate, folder: Path) -> str:
    """What OpenSSL reads in it."""
    (folder / "read.crt").write_bytes(pem(certificate))
    return openssl("x509", "-noout", "-text", "-in", "read.crt", cwd=folder)


def key_pem(authority: Authority) -> bytes:
    """The key as a file holds it."""
    return authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_issued_certificates_verify(firewall: Authority, public_key: PublicKey, tmp_path: Path) -> None:
    """For the purpose, the names and the time that were asked for, and no other."""
    names = general_names(["callservice.ciscospark.com"], ["192.0.2.7"], ["sip:example.com"])
    issued = firewall.issue("l2sip.example.com", names, public_key, SERVER, NOW, LATER)
    (tmp_path / "issued.crt").write_bytes(pem(issued))
    (tmp_path / "roots.pem").write_bytes(pem(firewall.certificate))
    for options in (["-verify_hostname", "callservice.ciscospark.com"], ["-verify_ip", "192.0.2.7"]):
        assert verdict(tmp_path, "issued", "sslserver", NOW, *options) == "OK"
    assert verdict(tmp_path, "issued", "sslserver", NOW, "-verify_ip", "192.0.2.8") == "IP address mismatch"
    assert verdict(tmp_path, "issued", "sslclient", NOW) == "unsuitable certificate purpose"
    assert verdict(tmp_path, "issued", "sslserver", LATER + timedelta(seconds=1)) == "certificate has expired"


def test_names_are_mirrored(firewall: Authority, public_key: PublicKey) -> None:
    """The names of another certificate can be handed on as they are."""
    original = self_signed(LeafRecipe(common_name="a", dns=("a.example", "*.b.example"), uri=("sip:a.example",)))
    names = original.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issued = firewall.issue("a", list(names), public_key, SERVER, NOW, LATER)
    assert issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names


@pytest.mark.parametrize("common_name", ["", "a" * 65, "ü" * 33])
def test_a_name_too_long_for_x509(firewall: Authority, public_key: PublicKey, common_name: str, tmp_path: Path) -> None:
    """The subject is empty then, and the names are critical."""
    issued = firewall.issue(common_name, general_names([f"{'a' * 63}.example"]), public_key, SERVER, NOW, LATER)
    said = text(issued, tmp_path)
    assert "X509v3 Subject Alternative Name: critical" in said
    assert "Subject: \n" in said


def test_nothing_but_a_name(firewall: Authority, public_key: PublicKey, tmp_path: Path) -> None:
    """Without names and purposes these extensions are missing."""
    said = text(firewall.issue("a" * 64, [], public_key, [], NOW, LATER), tmp_path)
    assert f"Subject: CN = {'a' * 64}\n" in said
    assert "X509v3 Basic Constraints: critical\n                CA:FALSE\n" in said
    assert "Alternative" not in said
    assert "Extended Key Usage" not in said


def test_signing_key_is_named(firewall: Authority, public_key: PublicKey) -> None:
    """By the identifier of the CA's certificate, or the key's own if that has none."""
    issued = firewall.issue("a", [], public_key, [], NOW, LATER)
    identifier = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    subject = firewall.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == subject.digest

    plain = (
        x509.CertificateBuilder(firewall.certificate.subject, firewall.certificate.subject)
        .public_key(firewall.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(LATER)
        .sign(firewall.key, hashes.SHA256())
    )
    issued = Authority(plain, firewall.key).issue("a", [], public_key, [], NOW, LATER)
    assert issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == identifier


@pytest.mark.parametrize(
    ("key", "uses"),
    [(KeyKind.EC_P256, "Digital Signature\n"), (KeyKind.RSA_1024, "Digital Signature, Key Encipherment\n")],
)
def test_usage_follows_the_key(firewall: Authority, key: KeyKind, uses: str, tmp_path: Path) -> None:
    """RSA may carry a key of TLS 1.2, EC may not."""
    said = text(firewall.issue("a", [], new_key(key).public_key(), [], NOW, LATER), tmp_path)
    assert uses in said
    assert uses in text(self_signed(LeafRecipe(common_name="a", key=key)).certificate, tmp_path)


def test_usages_of_a_recipe(tmp_path: Path) -> None:
    """Those that it names; none if it names none."""
    said = text(self_signed(LeafRecipe(common_name="a", key_usage=tuple(KeyUse))).certificate, tmp_path)
    assert (
        "Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment, Key Agreement, Certificate Sign, "
        "CRL Sign\n"
    ) in said
    said = text(self_signed(LeafRecipe(common_name="a", key_usage=(), eku=())).certificate, tmp_path)
    assert "Usage" not in said


@pytest.mark.parametrize("use", KeyUse)
def test_each_usage_is_itself(use: KeyUse) -> None:
    """No usage stands for another."""
    authority = self_signed(CaRecipe(common_name="a", key_usage=(use,)))
    usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert [each for each in KeyUse if getattr(usage, each.name.lower())] == [use]


def test_subject(tmp_path: Path) -> None:
    """Organization, unit and name, in that order."""
    recipe = LeafRecipe(common_name="a", organization="b", organizational_unit="c")
    assert "Subject: O = b, OU = c, CN = a\n" in text(self_signed(recipe).certificate, tmp_path)


def test_authority_from_files(firewall: Authority, public_key: PublicKey) -> None:
    """What was written can be read again, and signs."""
    again = Authority.from_pem(pem(firewall.certificate), key_pem(firewall))
    issued = again.issue("a", [], public_key, SERVER, NOW, LATER)
    issued.verify_directly_issued_by(firewall.certificate)
    assert issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "a"


def test_files_of_no_authority(firewall: Authority) -> None:
    """No PEM, somebody else's key, a leaf, a key that signs otherwise."""
    leaf = self_signed(LeafRecipe(common_name="a"))
    certificate, key = pem(firewall.certificate), key_pem(firewall)
    with pytest.raises(ValueError, match="PEM"):
        Authority.from_pem(b"", key)
    with pytest.raises(ValueError, match=r"PEM|deserialize"):
        Authority.from_pem(certificate, b"")
    with pytest.raises(ValueError, match="does not belong to the certificate"):
        Authority.from_pem(certificate, key_pem(leaf))
    with pytest.raises(ValueError, match="not that of a CA"):
        Authority.from_pem(pem(leaf.certificate), key_pem(leaf))
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="neither RSA nor EC"):
        Authority.from_pem(certificate, other)
