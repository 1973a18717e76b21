"""The ends of a hybrid call that are ours: Webex's server on mutual TLS, and CUCM at the end of a trunk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from OpenSSL import SSL

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki
from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import ControlHub, WebexTrust
from harness.peers.webex import Webex, WebexSettings
from harness.scenarios.hybrid.connectivity import Report
from harness.scenarios.hybrid.parties import Played, Until
from harness.sip.flow import Target
from harness.sip.security import Layer, Secure, Tls
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings

_CONTEXT_VERIFY: Final = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT


def play_webex(
    reactor: Any,
    settings: WebexSettings,
    timers: Timers,
    transport: TransportSettings,
    find: Callable[[Webex], Awaitable[Report]],
    until: Until,
) -> Played[Webex]:
    """Webex's server, at the source of its connections."""
    webex = Webex(reactor, settings, transport.source, timers, transport)
    return Played(webex, lambda: find(webex), lambda call, to: webex.call(call.uri, to, call.routes), until)


def play_cucm(
    reactor: Any, settings: CucmSettings, host: str, timers: Timers, trace: TextIO, trunk: Target, until: Until
) -> Played[Cucm]:
    """CUCM, which sends calls over its trunk."""

    async def find() -> Report:
        return Report({}, (trunk,))

    cucm = Cucm(reactor, settings, host, trace, timers=timers)
    return Played(cucm, find, lambda call, to: cucm.call(call.uri, to), until)


def webex_tls(pki: Pki, key_log: Callable[[bytes], None] | None = None) -> Secure:
    """TLS of Webex's server: it shows its certificate, and asks for one that a public CA has signed.

    `key_log` gets lines of the SSLKEYLOGFILE format.
    """
    shown = pki["webex"]
    trust = WebexTrust((pki.certificate("expressway-e-root"),), ControlHub((), ("example.com",)))
    identity = Identity(shown.chain, shown.key)
    contexts = PeerContexts(identity, trust, TlsVersion.TLS_1_2, lambda: datetime.now(UTC))

    def secure(serves: bool, name: str) -> Layer:
        context = contexts.new()
        context.set_verify(_CONTEXT_VERIFY, lambda connection, certificate, error, depth, ok: bool(ok))
        if key_log is not None:
            context.set_keylog_callback(lambda connection, line: key_log(line))
        return Tls(context, serves, name)

    return secure
