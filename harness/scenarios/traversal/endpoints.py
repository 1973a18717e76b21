"""The ends of a hybrid call: Webex's server on mutual TLS, and CUCM at the end of a trunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final, Generic, TypeVar

from OpenSSL import SSL

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki
from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings, EarlyOffer
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import ControlHub, WebexTrust
from harness.peers.webex import Webex, WebexSettings
from harness.scenarios.traversal.messages import Messages
from harness.sip.agent import Agent
from harness.sip.security import Layer, Secure, Tls
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings

P = TypeVar("P", Webex, Cucm)
_CONTEXT_VERIFY: Final = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[P]):
    """One end of a call, and what crosses it."""

    peer: P
    messages: Messages = field(default_factory=Messages)

    def __post_init__(self) -> None:
        self.peer.element.transport.taps.append(self.messages)

    @property
    def agent(self) -> Agent:
        """That places and takes calls."""
        return self.peer.agent


def make_webex(reactor: Any, address: str, timers: Timers, transport: TransportSettings) -> Endpoint[Webex]:
    """Webex's server, for the organisation of a SIP address; it is at the source of its connections."""
    user, _, domain = address.partition("@")
    host = transport.source
    return Endpoint(Webex(reactor, WebexSettings(domain, user), host, timers, transport))


def make_cucm(reactor: Any, domain: str, host: str, timers: Timers) -> Endpoint[Cucm]:
    """CUCM, which offers early."""
    settings = CucmSettings(early_offer=EarlyOffer.BEST_EFFORT, domain=domain)
    return Endpoint(Cucm(reactor, settings, host, StringIO(), timers=timers))


def webex_tls(pki: Pki) -> Secure:
    """TLS of Webex's server: it shows its certificate, and asks for one that a public CA has signed."""
    shown = pki["webex"]
    trust = WebexTrust((pki["expressway-e-root"].certificate,), ControlHub((), ("example.com",)))
    identity = Identity(shown.chain, shown.key)
    contexts = PeerContexts(identity, trust, TlsVersion.TLS_1_2, lambda: datetime.now(UTC))

    def secure(serves: bool, name: str) -> Layer:
        context = contexts.new()
        context.set_verify(_CONTEXT_VERIFY, lambda connection, certificate, error, depth, ok: bool(ok))
        return Tls(context, serves, name)

    return secure
