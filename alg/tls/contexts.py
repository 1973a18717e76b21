"""OpenSSL's contexts for the two legs, made once per policy and used by all of its connections.

Strategy: everything that does not change from connection to connection is set here, so that a value OpenSSL does not
like is a ConfigError at configuration time. No session is resumed, as a resumed session shows no certificates; nothing
is renegotiated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from cryptography import x509
from OpenSSL import SSL, crypto

from alg.errors import ConfigError
from alg.tls.bindings import expect_name, judge_at, require_certificate_callback
from alg.tls.endpoint import Endpoint, Notes, TlsFailure, watch, words_of
from alg.tls.policy import Ask, BridgePolicy, Identity, Present, TlsRange, TlsVersion

_VERSIONS: Final = {
    TlsVersion.TLS_1_0: SSL.TLS1_VERSION,
    TlsVersion.TLS_1_1: SSL.TLS1_1_VERSION,
    TlsVersion.TLS_1_2: SSL.TLS1_2_VERSION,
    TlsVersion.TLS_1_3: SSL.TLS1_3_VERSION,
}


class Contexts:
    """The contexts of one policy; `authority` re-signs. ConfigError for what OpenSSL does not accept."""

    def __init__(self, policy: BridgePolicy, authority: Identity) -> None:
        require_certificate_callback()
        self._policy = policy
        with _config_errors("client leg"):
            self._silent = _client_leg(policy, authority, asks=False)
            self._asking = _client_leg(policy, authority, asks=True)
            _try_out(self._silent)
        with _config_errors("server leg"):
            self._server = _server_leg(policy, authority)
            _try_out(self._server)

    def client_leg(self, notes: Notes, now: datetime, asks: bool) -> Endpoint:
        """A new endpoint towards a client, whose certificate must be valid now."""
        endpoint = Endpoint(self._asking if asks else self._silent, True, notes)
        judge_at(endpoint.connection, now)
        return endpoint

    def server_leg(
        self, notes: Notes, now: datetime, server_name: str | None, expected: str | None, protocols: list[bytes]
    ) -> Endpoint:
        """A new endpoint towards a server: the name it is asked for, the one its certificate must have, ALPN offers."""
        endpoint = Endpoint(self._server, False, notes)
        judge_at(endpoint.connection, now)
        endpoint.listen_for_question(self._policy.server.present is Present.RESIGNED)
        if server_name:
            endpoint.connection.set_tlsext_host_name(server_name.encode("ascii"))
        if protocols:
            endpoint.connection.set_alpn_protos(protocols)
        if expected:
            expect_name(endpoint.connection, expected)
        return endpoint


@contextmanager
def _config_errors(leg: str) -> Iterator[None]:
    """What OpenSSL says of a setting, such as `ee key too small`, as a ConfigError."""
    try:
        yield
    except SSL.Error as error:
        raise ConfigError(f"{leg}: {words_of(error)}") from None
    except TlsFailure as failure:
        raise ConfigError(f"{leg}: {failure}") from None


def _try_out(context: SSL.Context) -> None:
    """Make a ClientHello: the security level may leave no version or no cipher suite to offer."""
    Endpoint(context, serves=False, notes=Notes(None)).shake()


def _client_leg(policy: BridgePolicy, authority: Identity, asks: bool) -> SSL.Context:
    context = _context(policy.client.tls)
    _add_chain(context, authority.chain)
    context.set_alpn_select_callback(_select_protocol)
    if asks:
        mode = SSL.VERIFY_PEER
        if policy.client.ask is Ask.REQUIRE:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        _trust(context, policy.client.trust)
        context.set_verify(mode, _verify if policy.client.trust else _accept)
        for root in policy.client.trust:
            context.add_client_ca(root)
    return context


def _server_leg(policy: BridgePolicy, authority: Identity) -> SSL.Context:
    context = _context(policy.server.tls)
    _trust(context, policy.server.trust)
    context.set_verify(SSL.VERIFY_PEER if policy.server.trust else SSL.VERIFY_NONE, _verify)
    given = policy.server.given
    if given is not None:
        context.use_certificate(given.chain[0])
        context.use_privatekey(given.key)
        _add_chain(context, given.chain[1:])
    elif policy.server.present is Present.RESIGNED:
        _add_chain(context, authority.chain)
    return context


def _context(tls: TlsRange) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_min_proto_version(_VERSIONS[tls.lowest])
    context.set_max_proto_version(_VERSIONS[tls.highest])
    if tls.ciphers is not None:
        context.set_cipher_list(tls.ciphers.encode())
    watch(context)
    return context


def _add_chain(context: SSL.Context, certificates: tuple[x509.Certificate, ...]) -> None:
    for certificate in certificates:
        context.add_extra_chain_cert(certificate)


def _trust(context: SSL.Context, roots: tuple[x509.Certificate, ...]) -> None:
    store = context.get_cert_store()
    assert store is not None, "a context has one"
    for root in roots:
        store.add_cert(crypto.X509.from_cryptography(root))


def _verify(connection: SSL.Connection, certificate: crypto.X509, number: int, depth: int, accepted: int) -> bool:
    """OpenSSL's own verdict, noted."""
    if not accepted:
        notes: Notes = connection.get_app_data()
        notes.verify_error = number
    return bool(accepted)


def _accept(connection: SSL.Connection, certificate: crypto.X509, number: int, depth: int, accepted: int) -> bool:
    """Whatever is shown."""
    return True


def _select_protocol(connection: SSL.Connection, offers: list[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    """What the server selected on its leg."""
    notes: Notes = connection.get_app_data()
    return notes.protocol if notes.protocol is not None else SSL.NO_OVERLAPPING_PROTOCOLS
