"""What OpenSSL refuses is refused at configuration time; the rest of the contexts is seen at work in the bridge."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from alg.errors import ConfigError
from alg.tls.contexts import Contexts
from alg.tls.endpoint import Notes, TlsFailure
from alg.tls.policy import BridgePolicy, ClientLegPolicy, Present, ServerLegPolicy, TlsRange, TlsVersion
from tests.helpers.certificates import sign
from tests.tls.far_ends import NAME, FarEnd, client, identity, papers, server

WEAK = sign("weak", ca=True, curve=ec.SECP192R1())
LEGACY = "DEFAULT:@SECLEVEL=0"


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
    end = Contexts(policy, papers().authority).client_leg(Notes(None), asks=True)
    end.show(identity(papers().server))
    end.take(FarEnd(client(), False, NAME).step())
    end.shake()
    assert b"Test Root" in end.drain().split(b"Firewall CA")[-1]


@pytest.mark.parametrize(("version", "expected"), [("1.0", "TLS 1.0"), ("1.1", "TLS 1.1")])
def test_legacy_versions(version: str, expected: str) -> None:
    """With the security level down, peers of old are understood; without, no ClientHello is made for them."""
    highest = TlsVersion(version)
    for ciphers in (None, LEGACY):
        policy = BridgePolicy(server=ServerLegPolicy(tls=TlsRange(highest, highest, ciphers)))
        end = Contexts(policy, papers().authority).server_leg(Notes(None), None, None, [])
        if ciphers is None:
            with pytest.raises(TlsFailure, match="no protocols available"):
                end.shake()
    far_context = server()
    far_context.set_ciphers("ALL:@SECLEVEL=0")
    far_context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    far_end = FarEnd(far_context, True, None)
    for _ in range(3):
        end.shake()
        far_end.take(end.drain())
        end.take(far_end.step())
    assert (end.up, end.version) == (True, expected)


@pytest.mark.parametrize(("days", "accepted"), [(0, True), (9, False)])
def test_time_is_set_for_all_connections(days: int, accepted: bool) -> None:
    """Certificates are judged by the time that was set last, not by the computer's clock."""
    contexts = Contexts(BridgePolicy(server=ServerLegPolicy(trust=papers().root.chain)), papers().authority)
    far_end = FarEnd(server(), True, None)
    end = contexts.server_leg(Notes(None), None, None, [])
    contexts.set_time(datetime.now(UTC) + timedelta(days=days))
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
