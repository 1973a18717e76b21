"""What OpenSSL refuses is refused at configuration time; the rest of the contexts is seen at work in the bridge."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from alg.errors import ConfigError
from alg.tls.contexts import Contexts
from alg.tls.endpoint import Notes, TlsFailure
from alg.tls.policy import BridgePolicy, ClientLegPolicy, Present, ServerLegPolicy, TlsRange, TlsVersion
from tests.helpers.certificates import sign
from tests.tls.far_ends import NAME, FarEnd, client, identity, papers, server

WEAK = sign("weak", ca=True, curve=ec.SECP192R1())


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        (BridgePolicy(ClientLegPolicy(tls=TlsRange(ciphers="NONSENSE"))), "client leg: no cipher match"),
        (BridgePolicy(server=ServerLegPolicy(tls=TlsRange(ciphers="NONSENSE"))), "server leg: no cipher match"),
        (BridgePolicy(server=ServerLegPolicy(Present.GIVEN, identity(WEAK))), "server leg: ee key too small"),
    ],
)
def test_what_openssl_refuses(policy: BridgePolicy, complaint: str) -> None:
    """The leg is named, in OpenSSL's words."""
    with pytest.raises(ConfigError, match=complaint):
        Contexts(policy, papers().authority)


def test_roots_are_named_to_the_client() -> None:
    """A client that is asked may choose by the CAs that are trusted (RFC 8446 4.2.4)."""
    policy = BridgePolicy(ClientLegPolicy(trust=papers().root.chain, tls=TlsRange(highest=TlsVersion.TLS_1_2)))
    end = Contexts(policy, papers().authority).client_leg(Notes(None), datetime.now(UTC), asks=True)
    end.show(identity(papers().server))
    end.take(FarEnd(client(), False, NAME).step())
    end.shake()
    assert b"Test Root" in end.drain().split(b"Firewall CA")[-1]


@pytest.mark.parametrize("version", [TlsVersion.TLS_1_0, TlsVersion.TLS_1_1])
def test_legacy_versions_need_a_lower_security_level(version: TlsVersion) -> None:
    """Without it OpenSSL has no version left; that is said at once, and of which leg."""
    legacy = TlsRange(version, version)
    for policy, leg in (
        (BridgePolicy(ClientLegPolicy(tls=legacy)), "client leg"),
        (BridgePolicy(server=ServerLegPolicy(tls=legacy)), "server leg"),
    ):
        with pytest.raises(ConfigError, match=f"{leg}: no protocols available"):
            Contexts(policy, papers().authority)


@pytest.mark.parametrize("version", [TlsVersion.TLS_1_0, TlsVersion.TLS_1_1])
def test_legacy_versions(version: TlsVersion) -> None:
    """With the security level down, servers of old are understood."""
    policy = BridgePolicy(server=ServerLegPolicy(tls=TlsRange(version, version, "DEFAULT:@SECLEVEL=0")))
    end = Contexts(policy, papers().authority).server_leg(Notes(None), datetime.now(UTC), None, None, [])
    far_context = server()
    far_context.set_ciphers("ALL:@SECLEVEL=0")
    far_context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    far_end = FarEnd(far_context, True, None)
    for _ in range(3):
        end.shake()
        far_end.take(end.drain())
        end.take(far_end.step())
    assert (end.up, end.version) == (True, f"TLS {version.value}")


def test_renegotiation_is_refused_to_a_server() -> None:
    """A server that asks for it is told no, and the connection goes on."""
    far_context = SSL.Context(SSL.TLS_METHOD)
    far_context.set_max_proto_version(SSL.TLS1_2_VERSION)
    far_context.use_certificate(papers().server.certificate)
    far_context.use_privatekey(papers().server.key)
    far_end = SSL.Connection(far_context)
    far_end.set_accept_state()
    end = Contexts(BridgePolicy(), papers().authority).server_leg(Notes(None), datetime.now(UTC), None, None, [])
    while not end.up:
        end.shake()
        if said := end.drain():
            far_end.bio_write(said)
        with suppress(SSL.WantReadError):
            far_end.do_handshake()
        with suppress(SSL.WantReadError):
            end.take(far_end.bio_read(1 << 16))
    assert far_end.renegotiate()
    far_end.do_handshake()
    far_end.send(b"OPTIONS")
    end.take(far_end.bio_read(1 << 16))
    end.read()
    assert end.clear() == b"OPTIONS"
    assert end.notes.alerts == [(True, "warning", "no_renegotiation")]


@pytest.mark.parametrize(("days", "accepted"), [(0, True), (9, False)])
def test_each_connection_has_its_time(days: int, accepted: bool) -> None:
    """Certificates are judged by the time of the connection, not by that of an earlier one or the computer's clock."""
    contexts = Contexts(BridgePolicy(server=ServerLegPolicy(trust=papers().root.chain)), papers().authority)
    far_end = FarEnd(server(), True, None)
    contexts.server_leg(Notes(None), datetime.now(UTC) - timedelta(days=days), None, None, [])
    end = contexts.server_leg(Notes(None), datetime.now(UTC) + timedelta(days=days), None, None, [])
    end.shake()
    far_end.take(end.drain())
    end.take(far_end.step())
    if accepted:
        end.shake()
        assert end.up
    else:
        with pytest.raises(TlsFailure) as failure:
            end.shake()
        assert str(failure.value) == "certificate verify failed (certificate has expired)"
