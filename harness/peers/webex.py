"""Webex as a hybrid call meets it: an L2SIP server that calls and is called, with codecs and habits of its own.

Strategy: a user agent with the headers and the session descriptions that L2SIP has. An INVITE has the Contact parameter
`call-type=squared`, by which Webex knows its own calls when they come back (seed 003, inbound, problem 5). A call that
it answered and that nobody acknowledges it declines: a 603 behind its 200, as the guide shows it (both directions,
problem 2), though no transaction wants one any more (RFC 6026), and then a BYE (RFC 3261 13.3.1.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from harness.peers.webex_media import webex_capabilities
from harness.sip.agent import Agent, AgentSettings
from harness.sip.call import Call
from harness.sip.call_states import CallState
from harness.sip.element import Element, ElementSettings, Where
from harness.sip.message import Response
from harness.sip.timers import Alarms, Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address, NameAddr, Params, SipUri

CALL_TYPE: Final = ("call-type", "squared")
"""Contact parameter of Webex's own calls."""
_DISPLAY, _USER = '"l2sip-UA"', "l2sip-UA"
_LOCUS: Final = "4711a33f-9d49-11e7-9bf6-dea12d0f2127"
_SESSION: Final = "ed35426ed3ade6fdc3b058792333df2b"
_PATIENCE: Final = 42
"""T1s that a dialog may wait for its ACK: 21 s with the RFC's T1, as in the guide's logs."""


@dataclass(frozen=True, slots=True)
class WebexSettings:
    """One organisation, on one L2SIP server."""

    domain: str = "example.call.ciscospark.com"
    """Of its Webex SIP addresses."""
    user: str = "alice"
    locus_participants: int = 2
    """Whom a message tells about: each makes it longer by some 200 bytes."""
    ring: float = 0.0
    """Seconds until the app is picked up."""


class Webex:
    """One L2SIP server."""

    def __init__(
        self,
        reactor: Any,
        settings: WebexSettings,
        host: str,
        timers: Timers | None = None,
        transport: TransportSettings | None = None,
    ) -> None:
        """`host` is its address, which media is received at too; `transport` has TLS, where there is to be TLS."""
        self.settings = settings
        self.declined: list[Call] = []
        """Calls that were answered and never acknowledged."""
        self._timers = timers or Timers()
        self._alarms = Alarms(reactor)
        self.element = Element(reactor, ElementSettings(self._timers, transport or TransportSettings(source=host)))
        self.agent = Agent(self.element, _agent_settings(settings, host))
        self.agent.on_call = self._came
        self.element.core = self.agent
        self._host = host

    def listen(self, address: Address, kind: str = "TCP") -> Address:
        """Open a port. Raises CannotListenError."""
        return self.element.transport.listen(kind, address)

    def call(self, uri: str, where: Where | None = None, routes: Iterable[str] = ()) -> Call:
        """Place an inbound call, with an offer, to on-premises; `routes` name the cluster that it is for."""
        kind, (host, port) = (self.element.transport.addresses or [("TCP", (self._host, 5062))])[0]
        contact = SipUri(host, _USER, port, Params((("transport", kind.lower()),)))
        fields = [("Contact", str(NameAddr(str(contact), Params((CALL_TYPE,)), _DISPLAY))), *_per_call(self.settings)]
        return self.agent.call(uri, where=where, fields=fields, routes=routes)

    async def close(self) -> None:
        """End everything."""
        self._alarms.stop_all()
        for call in self.agent.calls:
            call.hang_up()
        await self.element.close()

    def _came(self, call: Call) -> None:
        """An outbound call, from on-premises; its audio may be refused, its video is taken all the same."""
        call.ring(fields=_per_call(self.settings))
        self._alarms.set(call.request.call_id, self.settings.ring, lambda: self._answer(call))

    def _answer(self, call: Call) -> None:
        if call.state is not CallState.RINGING:
            return
        call.answer(_per_call(self.settings))
        self._alarms.set(call.request.call_id, _PATIENCE * self._timers.t1, lambda: self._decline(call))

    def _decline(self, call: Call) -> None:
        """Whether an ACK came; if not, it is over."""
        if call.acknowledged or call.state is not CallState.ESTABLISHED:
            return
        self.declined.append(call)
        assert call.transaction is not None, "it came in"
        assert call.dialog is not None, "it was answered"
        call.transaction.flow.send(Response.to_request(call.request, 603, tag=call.dialog.local.tag))
        call.hang_up()


def _per_call(settings: WebexSettings) -> list[tuple[str, str]]:
    """What L2SIP tells about a call."""
    participants = [
        (
            "X-Cisco-Locus-Participant",
            f"https://locus-a.wbx2.com/locus/api/v1/loci/{_LOCUS}/participant/{number:08x}-77aa-4a0c-8d53-1b8f1e3a90c2;"
            f"state=joined;device=https://wdm-a.wbx2.com/wdm/api/v1/devices/{number:08x}-5c1e-4a10-9d2b-3f0a6e7c1d84",
        )
        for number in range(1, settings.locus_participants + 1)
    ]
    return [("Session-ID", f"{_SESSION};remote=00000000000000000000000000000000"), *participants]


def _agent_settings(settings: WebexSettings, host: str) -> AgentSettings:
    fields = (
        ("Supported", "replaces"),
        ("Accept", "application/sdp"),
        ("Allow-Events", "kpml"),
        ("Locus", _LOCUS),
        ("Locus-Type", "CALL"),
    )
    return AgentSettings(
        f"sip:{settings.user}@{settings.domain}",
        webex_capabilities(host),
        product="Cisco-L2SIP",
        contact_user=_USER,
        fields=fields,
        allow=("INVITE", "ACK", "CANCEL", "BYE", "REFER", "INFO", "OPTIONS", "NOTIFY", "SUBSCRIBE"),
        supported=("replaces", "timer"),
    )
