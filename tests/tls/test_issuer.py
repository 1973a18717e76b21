"""Certificates of the inspecting CA, judged by `openssl verify` and field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from alg.errors import ConfigError
from alg.tls.issuer import Issuer, ResigningError, alternative_names, subject_text
from alg.tls.policy import Identity, PrivateKey
from tests.helpers.certificates import CLIENT, SERVER, Paper, general_names, sign
from tests.helpers.openssl import openssl, verdict
from tests.tls.far_ends import NAMES, identity, issuer, papers

NOW = datetime.now(UTC)
_OTHER_USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
CERT_SIGN = x509.KeyUsage(
    **dict.fromkeys(_OTHER_USES, False), key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False
)


def authority(key: PrivateKey) -> Identity:
    """A CA of its own, with a key of any kind."""
    name = x509.Name.from_rfc4514_string("O=Example,CN=Inspecting CA")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(CERT_SIGN, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Identity((builder.sign(key, digest),), key)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["ec", "rsa", "ed25519"],
)
def test_openssl_accepts_what_is_made(key: PrivateKey, tmp_path: Path) -> None:
    """Mirrored and own certificates lead to the CA, whatever its key is."""
    made = Issuer(authority(key))
    (tmp_path / "ca.pem").write_bytes(made.authority.chain[0].public_bytes(Encoding.PEM))
    mirrored = made.mirror(papers().server.certificate, NOW)
    for name, each in (("mirrored", mirrored), ("own", made.own(["a.example.com"], NOW))):
        (tmp_path / f"{name}.crt").write_bytes(each.chain[0].public_bytes(Encoding.PEM))
        assert verdict(tmp_path, name, "sslserver", NOW, "-x509_strict", trust="ca.pem") == "OK"
    assert "192.0.2.7" in openssl("x509", "-in", "mirrored.crt", "-noout", "-ext", "subjectAltName", cwd=tmp_path)


def test_mirror_keeps_what_peers_look_at() -> None:
    """Subject, alternative names and purposes are the original's; key, issuer, serial number and validity are not."""
    original = sign("sip.example.com", papers().root, NAMES, uses=[SERVER, CLIENT]).certificate
    mirrored = issuer().mirror(original, NOW)
    leaf = mirrored.chain[0]
    assert mirrored.chain[1:] == papers().firewall.chain
    assert leaf.subject == original.subject
    for kept in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
        assert leaf.extensions.get_extension_for_class(kept) == original.extensions.get_extension_for_class(kept)
    assert leaf.public_key() == mirrored.key.public_key() != original.public_key()
    assert leaf.serial_number != original.serial_number
    assert leaf.not_valid_before_utc <= NOW < leaf.not_valid_after_utc


def test_mirror_invents_nothing() -> None:
    """What the original does not have, its mirror image does not."""
    bare = issuer().mirror(sign("bare").certificate, NOW).chain[0]
    kinds = {type(extension.value) for extension in bare.extensions}
    assert not kinds & {x509.SubjectAlternativeName, x509.ExtendedKeyUsage}


def test_own_names_may_be_long() -> None:
    """A name that is too long for a common name stands among the alternative names alone."""
    name = ".".join(["a" * 60] * 2)
    leaf = issuer().own([name, "192.0.2.1"], NOW).chain[0]
    assert leaf.subject == x509.Name([])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert (names.critical, list(names.value)) == (True, general_names([name, "192.0.2.1"]))


def test_the_same_is_made_once() -> None:
    """Until its time is over, and whoever asks for others in between."""
    made = Issuer(papers().authority, lifetime=timedelta(days=2))
    original, other = papers().server.certificate, papers().client.certificate
    first = made.mirror(original, NOW)
    assert made.mirror(other, NOW) is not first
    assert made.mirror(original, NOW + timedelta(days=1)) is first
    later = made.mirror(original, NOW + timedelta(days=3))
    assert later is not first
    assert later.key is first.key
    assert made.mirror(original, NOW - timedelta(days=9)) is not later
    assert made.own(["a.example.com"], NOW) is made.own(["a.example.com"], NOW)


def test_what_was_not_used_longest_is_forgotten() -> None:
    """The memory has an end."""
    made = Issuer(papers().authority, remembered=2)
    first = made.own(["1.example.com"], NOW)
    second = made.own(["2.example.com"], NOW)
    assert made.own(["1.example.com"], NOW) is first
    made.own(["3.example.com"], NOW)
    assert made.own(["1.example.com"], NOW) is first
    assert made.own(["2.example.com"], NOW) is not second


def test_certificate_that_cannot_be_read() -> None:
    """The reason is told."""
    unreadable = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"no DER")
    broken = sign("sip.example.com", more=[unreadable]).certificate
    with pytest.raises(ResigningError, match="cannot be re-signed: "):
        issuer().mirror(broken, NOW)
    assert subject_text(broken) == "CN=sip.example.com"
    assert alternative_names(broken) == ()


def test_text_of_a_certificate() -> None:
    """Subject and names as events show them; none without a certificate."""
    uri = x509.UniformResourceIdentifier("sip:a.example.com")
    mail = x509.RFC822Name("a@example.com")
    shown = sign("a", more=[x509.SubjectAlternativeName([*general_names(NAMES), uri, mail])]).certificate
    assert subject_text(shown) == "CN=a"
    assert alternative_names(shown) == (*NAMES, "sip:a.example.com")
    assert (subject_text(None), alternative_names(None)) == (None, ())


@pytest.mark.parametrize("paper", [papers().server, sign("self-signed")])
def test_issuer_must_be_a_ca(paper: Paper) -> None:
    """A leaf's key is not taken for a CA's."""
    with pytest.raises(ConfigError, match="certificate of no CA"):
        Issuer(identity(paper))


def test_time_needs_a_zone() -> None:
    """Our own code has to say which time it means."""
    with pytest.raises(AssertionError, match="zone"):
        Issuer(papers().authority).own(["a.example.com"], datetime.now())
