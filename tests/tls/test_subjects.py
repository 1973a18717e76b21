"""Subjects of certificates as text, judged by OpenSSL and by `cryptography`."""

from __future__ import annotations

import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from alg.tls.subjects import subject_of
from tests.helpers.system import require_system

NOW = datetime.datetime(2026, 1, 1)
KEY = ec.generate_private_key(ec.SECP256R1())
TELEPHONE = x509.ObjectIdentifier("2.5.4.20")


def certificate(subject: x509.Name) -> bytes:
    """A certificate in DER."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")]))
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .sign(KEY, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def named(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """A name of these parts."""
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def openssl_says(der: bytes) -> str:
    """The subject in the words of `openssl x509`."""
    style = "esc_2253,esc_ctrl,utf8,dump_nostr,dump_der,sep_comma_plus_space,dn_rev,sname"
    command = [require_system("openssl", "openssl"), "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", style]
    done = subprocess.run(command, input=der, capture_output=True, check=True, timeout=30)
    return done.stdout.decode().removeprefix("subject=").removesuffix("\n")


ODD = 'Ex, "ample" + <Söhne>; #1\\'


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (
            named((NameOID.COUNTRY_NAME, "XX"), (NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "a.b")),
            "CN=a.b, O=Example, C=XX",
        ),
        (named((NameOID.COMMON_NAME, ODD)), 'CN=Ex\\, \\"ample\\" \\+ \\<Söhne\\>\\; #1\\\\'),
        (named((NameOID.COMMON_NAME, " # ")), "CN=\\ #\\ "),
        (named((NameOID.COMMON_NAME, "#7")), "CN=\\#7"),
        (named((NameOID.COMMON_NAME, " ")), "CN=\\ "),
        (named((NameOID.COMMON_NAME, "a ")), "CN=a\\ "),
        (named((NameOID.SURNAME, "a"), (NameOID.SERIAL_NUMBER, "b")), "serialNumber=b, SN=a"),
        (named((NameOID.LOCALITY_NAME, "a"), (NameOID.STATE_OR_PROVINCE_NAME, "b")), "ST=b, L=a"),
        (named((NameOID.STREET_ADDRESS, "a"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "b")), "OU=b, street=a"),
        (named((NameOID.TITLE, "a"), (NameOID.GIVEN_NAME, "b")), "GN=b, title=a"),
        (named((NameOID.COMMON_NAME, "a\x1b[2Jb")), "CN=a\\1B[2Jb"),
        (named((NameOID.EMAIL_ADDRESS, "pbx@example.com")), "emailAddress=pbx@example.com"),
        (named((NameOID.DOMAIN_COMPONENT, "example"), (NameOID.USER_ID, "7")), "UID=7, DC=example"),
        (x509.Name([]), ""),
    ],
)
def test_openssl_says_the_same(subject: x509.Name, text: str) -> None:
    """Order, escapes and short names are those of `openssl x509 -nameopt`."""
    der = certificate(subject)
    assert subject_of(der) == text
    assert openssl_says(der) == text


def test_several_attributes_in_one_part() -> None:
    """A part of a name may hold more than one attribute (RFC 4514 2.2)."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "b")]
    der = certificate(x509.Name([x509.RelativeDistinguishedName(parts)]))
    assert subject_of(der) in ("CN=a+OU=b", "OU=b+CN=a")


def test_attribute_without_a_short_name() -> None:
    """It is written by its number."""
    assert subject_of(certificate(named((TELEPHONE, "1")))) == "2.5.4.20=1"
    rare = x509.ObjectIdentifier("2.999.1234567.0")
    assert subject_of(certificate(named((rare, "1")))) == "2.999.1234567.0=1"


@pytest.mark.parametrize("encoding", [_ASN1Type.BMPString, _ASN1Type.UniversalString, _ASN1Type.PrintableString])
def test_encodings(encoding: _ASN1Type) -> None:
    """Text of every width."""
    attribute = x509.NameAttribute(NameOID.COMMON_NAME, "pbx", encoding)
    assert subject_of(certificate(x509.Name([attribute]))) == "CN=pbx"


def element(tag: int, *contents: bytes) -> bytes:
    """DER by hand."""
    body = b"".join(contents)
    length = bytes((len(body),)) if len(body) < 128 else b"\x82" + len(body).to_bytes(2)
    return bytes((tag,)) + length + body


def by_hand(subject: bytes, version: bool = True) -> bytes:
    """As much of a certificate as leads to its subject."""
    fields = [element(2, b"\x01"), element(0x30), element(0x30), element(0x30), subject]
    return element(0x30, element(0x30, *([element(0xA0, element(2, b"\x02"))] if version else []), *fields))


def part(value: bytes, oid: bytes = b"\x55\x04\x03") -> bytes:
    """A name of one attribute."""
    return element(0x30, element(0x31, element(0x30, element(6, oid), value)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (element(0x0C, b"pbx"), "CN=pbx"),
        (element(0x14, b"S\xf6hne"), "CN=Söhne"),
        (element(0x0C, b"\xff"), "CN=#0c01ff"),
        (element(0x1E, b"\xd8\x00"), "CN=#1e02d800"),
        (element(0x03, b"\x00a"), "CN=#03020061"),
        (element(0x0C, "\u202egnp\u2028".encode()), "CN=\\E2\\80\\AEgnp\\E2\\80\\A8"),
    ],
)
def test_values(value: bytes, text: str) -> None:
    """What is no text is shown as hexadecimal (RFC 4514 2.4), what would turn a line around is escaped."""
    assert subject_of(by_hand(part(value))) == text
    assert subject_of(by_hand(part(value), version=False)) == text, "version 1 (RFC 5280 4.1.2.1)"


def test_longest() -> None:
    """Names as long as they may be: 32 parts, values of 256 bytes with their header, numbers of 64 bytes."""
    parts = [element(0x31, element(0x30, element(6, b"\x55\x04\x0b"), element(0x0C, b"u")))] * 32
    assert subject_of(by_hand(element(0x30, *parts))) == ", ".join(["OU=u"] * 32)
    assert subject_of(by_hand(part(element(0x0C, b"x" * 252)))) == "CN=" + "x" * 252
    assert subject_of(by_hand(part(element(0x0C, b"x"), oid=b"\x2a" + b"\x01" * 63))) == "1.2" + ".1" * 63 + "=x"


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_lengths_of_any_size(size: int) -> None:
    """A length may take up to four bytes, and more than it needs (X.690 8.1.3.5)."""
    name = part(element(0x0C, b"pbx"))
    tag, rest = name[:1], name[2:]
    assert subject_of(by_hand(tag + bytes((0x80 | size,)) + len(rest).to_bytes(size) + rest)) == "CN=pbx"


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x85\x00\x00\x00\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x3f\x81\x01\x00",
        element(0x31),
        element(0x30, element(0x30, element(0x0C, b"x"))),
        element(0x30, element(0x30, element(0xA0), element(0x0C))),
        element(0x30, element(0x30, element(2, b"\x01"), element(0x30))),
        by_hand(element(0x30, element(0x30))),
        by_hand(element(0x30, element(0x31, element(0x31)))),
        by_hand(element(0x30, element(0x31, element(0x30, element(0x0C))))),
        by_hand(element(0x30, element(0x31, element(0x30, element(6, b"\x55\x04\x03"))))),
        by_hand(part(element(0x0C, b"x"), oid=b"")),
        by_hand(part(element(0x0C, b"x"), oid=b"\x55\x84")),
        by_hand(part(element(0x0C, b"x"), oid=b"\x81" * 65 + b"\x01")),
        by_hand(part(element(0x0C, b"x" * 257))),
        by_hand(element(0x30, *[element(0x31)] * 33)),
    ],
)
def test_unreadable(der: bytes) -> None:
    """What is no certificate, or one that no authority would sign, has no name and does no harm."""
    assert subject_of(der) == "?"


ATTRIBUTES = st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME])
TEXTS = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=16)
"""At most 64 bytes (RFC 5280 A.1)."""


@given(st.lists(st.tuples(ATTRIBUTES, TEXTS), max_size=5))
def test_cryptography_says_the_same(parts: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """For any printable name."""
    subject = named(*parts)
    written = [named(each).rfc4514_string() for each in reversed(parts)]
    assert subject_of(certificate(subject)) == ", ".join(written)


SAMPLE = certificate(named((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "sip.example.com")))


@given(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=6), st.integers(0, 6))
def test_damaged_certificates(place: int, inserted: bytes, removed: int) -> None:
    """Nothing is raised, whatever happened to it, and what is said can be printed."""
    text = subject_of(SAMPLE[:place] + inserted + SAMPLE[place + removed :])
    assert text == "?" or text.isprintable()


def test_cut_certificates() -> None:
    """Cut anywhere it has no name."""
    assert {subject_of(SAMPLE[:size]) for size in range(len(SAMPLE))} == {"?"}
    assert subject_of(SAMPLE) == "CN=sip.example.com, O=Example"
