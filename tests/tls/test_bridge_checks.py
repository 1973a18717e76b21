"""What a bridge accepts on each leg: certificates, names, times, versions; the far ends are Python's `ssl`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from alg.tls.bridge import Inspector
from alg.tls.issuer import Issuer
from alg.tls.legs import CertificateShown, Failed, Leg
from alg.tls.policy import (
    Ask,
    BridgePolicy,
    ClientLegPolicy,
    ServerLegPolicy,
    TlsRange,
    TlsVersion,
)
from tests.helpers.certificates import SERVER, sign
from tests.tls.far_ends import NAME, NAMES, Rig, client, context, identity, inspector, papers, server

both_versions = pytest.mark.parametrize("version", ["1.2", "1.3"])


def asking(policy: ServerLegPolicy | None = None, **switches: object) -> BridgePolicy:
    """A policy from switches of its client leg."""
    return BridgePolicy(client=ClientLegPolicy(**switches), server=policy or ServerLegPolicy())  # type: ignore[arg-type]


def verifying(**switches: object) -> BridgePolicy:
    """A policy that verifies the server."""
    trusted = papers().root.chain
    return BridgePolicy(server=ServerLegPolicy(trust=trusted, **switches))  # type: ignore[arg-type]


@both_versions
def test_expired_server_certificate(version: str) -> None:
    """With verification on, it is our leg that refuses it; the client never sees a certificate."""
    expired = sign(NAME, papers().root, NAMES, start=datetime.now(UTC) - timedelta(days=30))
    shown = context(True, version, expired)
    rig = Rig(client(version), shown, inspector(verifying())).run()
    failed = rig.only(Failed, Leg.SERVER)
    assert (failed.reason, failed.detail) == ("certificate verify failed", "certificate has expired")
    assert "alert certificate expired" in rig.server.complaint
    assert "alert internal error" in rig.client.complaint
    assert not rig.of(CertificateShown)


def test_time_is_given() -> None:
    """A certificate is judged at the time of the connection, as far as it is told: what was valid then is valid."""
    then = datetime(2016, 4, 19, 7, 9, tzinfo=UTC)
    root = sign("Old Root", ca=True, start=then - timedelta(days=1))
    old = context(True, "", sign(NAME, root, NAMES, start=then - timedelta(days=1)))
    policy = BridgePolicy(server=ServerLegPolicy(trust=root.chain))
    trusting_nobody = context(False)
    rig = Rig(trusting_nobody, old, inspector(policy), now=then).run()
    assert rig.bridge.up
    shown = ssl.DER_cert_to_PEM_cert(rig.client.tls.getpeercert(binary_form=True) or b"")
    assert shown
    failed = Rig(trusting_nobody, old, inspector(policy), now=then + timedelta(days=9)).run().only(Failed, Leg.SERVER)
    assert failed.detail == "certificate has expired"


def test_time_without_a_zone_is_refused() -> None:
    """Our own code has to say which time it means."""
    with pytest.raises(AssertionError, match="zone"):
        inspector().bridge(datetime.now())


def test_untrusted_server_certificate() -> None:
    """A server under an unknown CA is refused while verification is on, and mirrored while it is off."""
    stranger = context(True, "", sign(NAME, sign("Other Root", ca=True), NAMES))
    refused = Rig(client(), stranger, inspector(verifying())).run().only(Failed, Leg.SERVER)
    assert refused.detail == "self-signed certificate in certificate chain"
    assert Rig(client(), stranger).run().bridge.up


@pytest.mark.parametrize(
    ("asked", "switches", "detail"),
    [
        (NAME, {"check_name": True}, None),
        ("other.example.com", {"check_name": True}, "hostname mismatch"),
        ("other.example.com", {"check_name": False}, None),
        ("other.example.com", {"check_name": True, "name": NAME}, None),
        (NAME, {"check_name": True, "name": "callservice.example.com"}, "hostname mismatch"),
        (NAME, {"check_name": True, "name": "192.0.2.7"}, None),
        (NAME, {"check_name": True, "name": "192.0.2.8"}, "IP address mismatch"),
        (None, {"check_name": True}, None),
    ],
)
def test_name_of_the_server_is_checked(asked: str | None, switches: dict[str, object], detail: str | None) -> None:
    """Against what the client asked for, or a configured name."""
    careless = context(False)
    rig = Rig(careless, server(), inspector(verifying(**switches)), name=asked).run()
    assert [failed.detail for failed in rig.of(Failed)] == ([] if detail is None else [detail])
    assert rig.bridge.up is (detail is None)


@both_versions
def test_client_certificate_is_verified(version: str) -> None:
    """With roots for the client leg, a stranger is told `unknown ca`, and a client of ours is let in."""
    policy = inspector(asking(ask=Ask.REQUIRE, trust=papers().root.chain))
    stranger = sign("stranger.example.com")
    refused = Rig(client(version, stranger), server(version), policy).run()
    assert "alert unknown ca" in refused.client.complaint
    failed = refused.only(Failed, Leg.CLIENT)
    assert (failed.reason, failed.detail) == ("certificate verify failed", "self-signed certificate")
    assert Rig(client(version, papers().client), server(version), policy).run().bridge.up


def test_wrong_purpose_of_a_client_certificate() -> None:
    """A certificate for servers alone is none for a client."""
    policy = inspector(asking(ask=Ask.REQUEST, trust=papers().root.chain))
    servers_only = sign("client.example.com", papers().root, uses=[SERVER])
    rig = Rig(client("", servers_only), server(), policy).run()
    assert rig.only(Failed, Leg.CLIENT).detail == "unsuitable certificate purpose"


@pytest.mark.parametrize("highest", [TlsVersion.TLS_1_2, TlsVersion.TLS_1_3])
def test_each_leg_has_its_versions(highest: TlsVersion) -> None:
    """The legs agree on what each of them may."""
    policy = BridgePolicy(ClientLegPolicy(tls=TlsRange(highest=highest)))
    rig = Rig(client(), server(), inspector(policy)).run()
    assert rig.client.tls.version() == f"TLSv{highest.value}"
    assert rig.server.tls.version() == "TLSv1.3"


def test_version_that_a_leg_does_not_take() -> None:
    """A client below the lowest version hears `protocol_version`."""
    policy = BridgePolicy(ClientLegPolicy(tls=TlsRange(lowest=TlsVersion.TLS_1_3)))
    rig = Rig(client("1.2"), server(), inspector(policy)).run()
    assert "alert protocol version" in rig.client.complaint
    assert rig.only(Failed, Leg.CLIENT).reason == "unsupported protocol"


def test_version_that_the_server_does_not_take() -> None:
    """A server above the highest version refuses, and its refusal is the reason."""
    policy = BridgePolicy(server=ServerLegPolicy(tls=TlsRange(highest=TlsVersion.TLS_1_2)))
    rig = Rig(client(), server("1.3"), inspector(policy)).run()
    assert rig.only(Failed, Leg.SERVER).reason == "tlsv1 alert protocol version"
    assert "alert internal error" in rig.client.complaint


UNREADABLE = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex("3003 8201 e9"))
"""A DNS name that is not ASCII, which OpenSSL does not mind."""


@both_versions
def test_unreadable_certificate_of_the_server(version: str) -> None:
    """What cannot be mirrored ends the connection with the reason, while both peers can be told."""
    broken = context(True, version, sign(NAME, papers().root, more=[UNREADABLE]))
    rig = Rig(context(False, version), broken).run()
    assert rig.only(Failed, Leg.SERVER).reason.startswith("the certificate cannot be re-signed: ")
    assert "alert internal error" in rig.client.complaint
    assert rig.server.ended == "close_notify"


@both_versions
def test_unreadable_certificate_of_the_client(version: str) -> None:
    """So does one that the server is to be shown."""
    broken = sign("client.example.com", papers().root, more=[UNREADABLE])
    rig = Rig(client(version, broken), server(version, papers().firewall)).run()
    assert rig.only(Failed, Leg.CLIENT).reason.startswith("the certificate cannot be re-signed: ")
    assert "alert internal error" in rig.server.complaint
    assert rig.client.ended == "close_notify"


def test_leaf_too_weak_for_the_security_level() -> None:
    """Our key is P-256, which level 4 does not take; that shows when the certificate is needed, and raises nothing."""
    policy = BridgePolicy(ClientLegPolicy(tls=TlsRange(ciphers="DEFAULT:@SECLEVEL=4")))
    firewall = Issuer(identity(sign("Firewall CA", ca=True, curve=ec.SECP384R1())))
    rig = Rig(client(), server(), Inspector(firewall, policy)).run()
    assert rig.only(Failed, Leg.CLIENT).reason == "ee key too small"
    assert "alert internal error" in rig.client.complaint


def test_authority_too_weak_for_the_security_level() -> None:
    """OpenSSL looks at the keys of CAs when it sends their certificates, and says what it minds."""
    weak = Issuer(identity(sign("Firewall CA", ca=True, curve=ec.SECP192R1())))
    rig = Rig(client(), server(), Inspector(weak, BridgePolicy())).run()
    assert rig.only(Failed, Leg.CLIENT).reason == "ca key too small"
    assert "alert internal error" in rig.client.complaint
    assert rig.server.ended == "close_notify"
