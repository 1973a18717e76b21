"""A phone or an app outside: it registers with digest through whatever stands between, calls, and is called.

Strategy: a user agent with the headers of Jabber over Mobile and Remote Access; what comes is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.sip.agent import Agent, AgentSettings
from harness.sip.call import Call
from harness.sip.capabilities import audio_phone
from harness.sip.digest import Credentials
from harness.sip.element import Element, ElementSettings, Where
from harness.sip.registration import Registration
from harness.sip.security import Secure
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """One device of one person."""

    user: str = "5011"
    """Its line."""
    domain: str = "cucm02.example.local"
    """Of the CUCM that it registers at."""
    username: str = "phone.user"
    password: str = "phone-secret"
    """Of the person."""
    device: str = "CSFPHONEUSER"
    """`Device Name`"""
    model: int = 503
    """503 is Cisco Unified Client Services Framework."""
    expires: int = 3600
    """seconds"""

    @property
    def registrar(self) -> str:
        """Where it registers."""
        return f"sip:{self.domain}"


class Phone:
    """One device."""

    def __init__(
        self,
        reactor: Any,
        settings: PhoneSettings,
        host: str,
        timers: Timers | None = None,
        secure: Secure | None = None,
    ) -> None:
        """`host` is its address; `secure` is the TLS of the connections that it makes."""
        self.settings = settings
        transport = TransportSettings(source=host, secure=secure)
        self.element = Element(reactor, ElementSettings(timers or Timers(), transport))
        self.agent = Agent(self.element, _agent_settings(settings, host))
        self.element.core = self.agent
        self.registration: Registration | None = None

    def listen(self, address: Address, kind: str = "TCP") -> Address:
        """Open a port; who is registered over a connection is reached by that. Raises CannotListenError."""
        return self.element.transport.listen(kind, address)

    def register(self, where: Where) -> Registration:
        """Register through an edge, and stay registered."""
        self.registration = self.agent.register(self.settings.registrar, self.settings.expires, where)
        return self.registration

    def call(self, uri: str, where: Where | None = None) -> Call:
        """Place a call."""
        return self.agent.call(uri, where=where)

    async def close(self) -> None:
        """End everything; the registration is left to expire."""
        if self.registration is not None:
            self.registration.abandon()
        for call in self.agent.calls:
            call.hang_up()
        await self.element.close()


def _agent_settings(settings: PhoneSettings, host: str) -> AgentSettings:
    contact = (
        ("+sip.instance", '"<urn:uuid:00000000-0000-0000-0000-00505680a1b2>"'),
        ("+u.sip!devicename.ccm.cisco.com", f'"{settings.device}"'),
        ("+u.sip!model.ccm.cisco.com", f'"{settings.model}"'),
        ("video", None),
    )
    extensions = (
        "replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,X-cisco-serviceuri"
    )
    return AgentSettings(
        f"sip:{settings.user}@{settings.domain}",
        audio_phone(host),
        product="Cisco-CSF",
        contact_params=contact,
        credentials=Credentials(settings.username, settings.password),
        fields=(("Supported", extensions), ("Allow-Events", "kpml,dialog,refer")),
        allow=("ACK", "BYE", "CANCEL", "INVITE", "NOTIFY", "OPTIONS", "REFER", "REGISTER", "UPDATE", "SUBSCRIBE"),
    )
