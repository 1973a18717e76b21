"""OpenSSL's contexts of a peer: its certificate, what it sends behind it, whom it trusts, and at which time.

Strategy: one context per connection, for either role, as the store of a context keeps the first time that it was given
(X509_VERIFY_PARAM_set1 does not overwrite it). Who is accepted is decided later (`harness.peers.tls_verdict`). No
session is resumed, as a resumed session shows no certificates.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from OpenSSL import SSL, crypto

from alg.errors import ConfigError
from alg.tls.endpoint import watch, words_of
from alg.tls.policy import Identity, TlsVersion
from harness.peers.tls_trust import Trust

_VERSIONS: Final = {TlsVersion.TLS_1_2: SSL.TLS1_2_VERSION, TlsVersion.TLS_1_3: SSL.TLS1_3_VERSION}


class PeerContexts:
    """What the connections of one peer have in common."""

    def __init__(self, identity: Identity, trust: Trust, version: TlsVersion, clock: Callable[[], datetime]) -> None:
        """ConfigError for what OpenSSL does not accept, such as a weak key, and for a version other than 1.2 and 1.3.

        Behind a certificate that comes alone goes what the trust's anchors have of its chain, as an Expressway does
        it: to have the chain sent, its CAs are added to the trusted CA certificate list (seed 003, problem 3).
        """
        if version not in _VERSIONS:
            raise ConfigError(f"TLS version: a peer speaks 1.2 or 1.3, not {version.value}")
        self._identity = identity
        self._trust = trust
        self._version = _VERSIONS[version]
        self._clock = clock
        try:
            self.new()
        except SSL.Error as error:
            raise ConfigError(f"certificate: {words_of(error)}") from None

    def new(self) -> SSL.Context:
        """For a connection that begins now: certificates are judged by the clock."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_min_proto_version(self._version)
        context.set_max_proto_version(self._version)
        context.use_certificate(self._identity.chain[0])
        context.use_privatekey(self._identity.key)
        for issuer in self._identity.chain[1:]:
            context.add_extra_chain_cert(issuer)
        store = context.get_cert_store()
        assert store is not None, "a context has one"
        for anchor in self._trust.anchors:
            store.add_cert(crypto.X509.from_cryptography(anchor))
        if self._trust.partial:
            store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(self._clock().astimezone(UTC))
        watch(context)
        return context
