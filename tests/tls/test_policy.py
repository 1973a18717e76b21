"""What the switches may be set to, and what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from alg.errors import ConfigError
from alg.tls.policy import (
    Ask,
    BridgePolicy,
    ClientLegPolicy,
    Identity,
    Present,
    ServerLegPolicy,
    TlsRange,
    TlsVersion,
    parse_certificates,
)
from tests.tls.far_ends import identity, papers


def test_defaults_change_as_little_as_possible() -> None:
    """The client is asked when the server asks, and what it shows is re-signed; nothing is verified."""
    policy = BridgePolicy()
    assert (policy.client.ask, policy.server.present) == (Ask.FOLLOW, Present.RESIGNED)
    assert not policy.client.trust
    assert not policy.server.trust


@pytest.mark.parametrize(
    ("kind", "switches", "complaint"),
    [
        (TlsRange, {"lowest": TlsVersion.TLS_1_3, "highest": TlsVersion.TLS_1_2}, "lowest is 1.3, highest is 1.2"),
        (ClientLegPolicy, {"ask": Ask.NEVER, "trust": papers().root.chain}, "verified that nobody asks for"),
        (ClientLegPolicy, {"names": ("a.example.com", "")}, "'' is no name for a certificate"),
        (ClientLegPolicy, {"names": ("a b.example.com",)}, "'a b.example.com' is no name for a certificate"),
        (ClientLegPolicy, {"names": ("a..example.com",)}, "is no name for a certificate"),
        (ClientLegPolicy, {"names": ("-a.example.com",)}, "is no name for a certificate"),
        (ClientLegPolicy, {"names": ("a.*.example.com",)}, "is no name for a certificate"),
        (ClientLegPolicy, {"names": (".".join(["a" * 60] * 5),)}, "is no name for a certificate"),
        (ClientLegPolicy, {"names": ("b\u00fccher.example",)}, "is no name for a certificate"),
        (ServerLegPolicy, {"present": Present.GIVEN}, "present is given, and a certificate is not given"),
        (ServerLegPolicy, {"given": identity(papers().client)}, "present is resigned, and a certificate is given"),
        (ServerLegPolicy, {"check_name": True}, "needs trust"),
        (ServerLegPolicy, {"name": "a.example.com"}, "names are not checked"),
        (ServerLegPolicy, {"sni": "b\u00fccher.example"}, "sni 'b\u00fccher.example' is no host name"),
        (ServerLegPolicy, {"sni": "a" * 254}, "is no host name"),
        (BridgePolicy, {"client": ClientLegPolicy(ask=Ask.NEVER)}, "never asked for it"),
    ],
)
def test_contradictions(kind: Any, switches: dict[str, object], complaint: str) -> None:
    """What cannot be is refused where it is configured, in words."""
    with pytest.raises(ConfigError, match=complaint):
        kind(**switches)


def test_an_identity_comes_from_pem() -> None:
    """Certificates in their order, and the key of the first."""
    paper = papers().server
    parsed = Identity.parse(paper.chain_pem, paper.key_pem, "--cert")
    assert parsed.chain == paper.chain
    assert parsed.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) == paper.key_pem


FOREIGN = x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
LOCKED = papers().server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize(
    ("certificates", "key", "complaint"),
    [
        (b"", papers().server.key_pem, "no certificate in PEM"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            papers().server.key_pem,
            "no certificate in PEM",
        ),
        (papers().server.chain_pem, b"no key", "no private key in PEM"),
        (papers().server.chain_pem, LOCKED, "without a passphrase"),
        (papers().server.chain_pem, FOREIGN, "signs nothing"),
        (papers().server.chain_pem, papers().client.key_pem, "does not belong"),
    ],
)
def test_pem_that_is_none(certificates: bytes, key: bytes, complaint: str) -> None:
    """The setting is named, and what is wrong with its files."""
    with pytest.raises(ConfigError, match=f"--cert: .*{complaint}"):
        Identity.parse(certificates, key, "--cert")


def test_trust_is_a_bundle() -> None:
    """All certificates of a file are roots."""
    bundle = papers().root.chain_pem + papers().firewall.chain_pem
    assert parse_certificates(bundle, "--trust") == (papers().root.certificate, papers().firewall.certificate)
