"""The ends of a hybrid call: Webex's server on mutual TLS, and CUCM at the end of a trunk, each a user agent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from OpenSSL import SSL

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import ControlHub, WebexTrust
from harness.scenarios.traversal.messages import Messages
from harness.sip.agent import Agent, AgentSettings
from harness.sip.capabilities import WEBEX_AUDIO, audio_phone
from harness.sip.element import Element, ElementSettings
from harness.sip.security import Layer, Secure, Tls
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings

SQUARED = "call-type"
"""Contact parameter by which Webex knows its own calls (seed 003, inbound problem 5)."""
_CONTEXT_VERIFY = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
_AUDIO_PORT = 16384


class EndpointAgent:
    """One of them."""

    def __init__(
        self, reactor: Any, host: str, settings: AgentSettings, timers: Timers, timeout: float, secure: Secure | None
    ) -> None:
        """`timeout` is that of connections, in seconds."""
        transport = TransportSettings(source=host, connect_timeout=timeout, secure=secure)
        self.element = Element(reactor, ElementSettings(timers, transport))
        self.agent = Agent(self.element, settings)
        self.element.core = self.agent
        self.messages = Messages()
        self.element.transport.taps.append(self.messages)

    async def close(self) -> None:
        """End everything."""
        for call in self.agent.calls:
            call.hang_up()
        await self.element.close()


def webex_settings(user: str, host: str) -> AgentSettings:
    """Who Webex's server is."""
    return AgentSettings(
        f"sip:{user}",
        audio_phone(host, _AUDIO_PORT, WEBEX_AUDIO),
        product="Cisco-L2SIP",
        contact_user="l2sip-UA",
        contact_params=((SQUARED, "squared"),),
        fields=(("Accept", "application/sdp"), ("Allow-Events", "kpml"), ("Locus-Type", "CALL")),
    )


def cucm_settings(user: str, host: str) -> AgentSettings:
    """Who CUCM is."""
    return AgentSettings(
        f"sip:{user}",
        audio_phone(host, _AUDIO_PORT, ("G722", "PCMU", "PCMA", "DTMF")),
        product="Cisco-CUCM11.5",
        fields=(("Allow-Events", "presence"), ("Min-SE", "1800")),
    )


def webex_tls(pki: Pki, wrap: Callable[[Layer], Layer]) -> Secure:
    """TLS of Webex's server: it shows its certificate, and asks for one that a public CA has signed."""
    shown = pki["webex"]
    trust = WebexTrust((pki["expressway-e-root"].certificate,), ControlHub((), ("example.com",)))
    identity = Identity(shown.chain, shown.key)
    contexts = PeerContexts(identity, trust, TlsVersion.TLS_1_2, lambda: datetime.now(UTC))

    def secure(serves: bool, name: str) -> Layer:
        context = contexts.new()
        context.set_verify(_CONTEXT_VERIFY, lambda connection, certificate, error, depth, ok: bool(ok))
        return wrap(Tls(context, serves, name))

    return secure
