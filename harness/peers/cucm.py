"""A CUCM at the end of a SIP trunk: a user agent with lines behind it, a region's codecs, and a limit to what it reads.

Strategy: what is larger than `SIP Max Incoming Message Size` is read up to that size and costs the connection, without
any SIP answer; the SDL trace tells it (seed 003, both directions, problem 2). A call whose audio cannot be agreed on
ends where that becomes known: an offer that came is answered with 488, an answer or an offer that came in a 200 is
acknowledged and followed by BYE with cause 47 (problem 1).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TextIO

from harness.expressway.log.sdl import LargeMessage, SdlTrace
from harness.peers.cucm_settings import CucmSettings, EarlyOffer
from harness.sip.agent import Agent, AgentSettings
from harness.sip.call import Call
from harness.sip.call_states import CallState
from harness.sip.capabilities import crypto_lines, video_endpoint
from harness.sip.element import Element, ElementSettings, Where
from harness.sip.flow import Flow, Tap
from harness.sip.message import Request, Response
from harness.sip.offer_answer import Capabilities, agreed, make_answer
from harness.sip.server import ServerTransaction
from harness.sip.stream import Oversize
from harness.sip.timers import Alarms, Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address, NameAddr

NO_RESOURCE: Final = ("Reason", "Q.850;cause=47")
"""Resource unavailable (Q.850): no codec that both regions allow."""
_KEYS: Final = ("d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj")
"""Of no real call."""
_EXPIRES: Final = 3600
"""Seconds for which a phone is registered that asks for none."""


class Cucm:
    """One node; the core of its element."""

    def __init__(
        self,
        reactor: Any,
        settings: CucmSettings,
        host: str,
        trace: TextIO,
        clock: Callable[[], datetime] = datetime.now,
        timers: Timers | None = None,
    ) -> None:
        """`host` is its address, which media is received at too; `trace` gets its SDL lines, `clock` has their time."""
        self.settings = settings
        self.registrations: dict[str, str] = {}
        """Contacts of phones, by their addresses of record."""
        size = settings.sip_max_incoming_message_size
        transport = TransportSettings(max_message=size, reads_to_limit=True, source=host)
        self.element = Element(reactor, ElementSettings(timers or Timers(), transport))
        self.element.transport.taps.append(_Sdl(SdlTrace(trace, clock), size))
        self.agent = Agent(self.element, _agent_settings(settings, host))
        self.agent.on_call = self._came
        self.agent.handlers["REGISTER"] = self._register
        self.element.core = self
        self._alarms = Alarms(reactor)
        """Lines that are to be picked up, by Call-ID."""

    def listen(self, address: Address, kind: str = "TCP") -> Address:
        """Open a port. Raises CannotListenError."""
        return self.element.transport.listen(kind, address)

    def call(self, uri: str, where: Where | None = None) -> Call:
        """Place a call over the trunk, with an early or a delayed offer, as its SIP profile has it."""
        early = self.settings.early_offer is not EarlyOffer.DISABLED
        call = self.agent.call(uri, early=early, where=where)
        call.established.addCallback(self._check, call)
        return call

    async def close(self) -> None:
        """End everything."""
        self._alarms.stop_all()
        for call in self.agent.calls:
            call.hang_up()
        await self.element.close()

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """`Core.request_came`."""
        self.agent.request_came(request, transaction)

    def ack_came(self, request: Request, flow: Flow) -> None:
        """`Core.ack_came`; the ACK may have had the answer."""
        self.agent.ack_came(request, flow)
        for call in self.agent.calls:
            if call.incoming and call.acknowledged:
                self._check(True, call)

    def _came(self, call: Call) -> None:
        """An INVITE over the trunk."""
        numbers = self.settings.directory_numbers
        if numbers and dialled(call.request.uri) not in numbers:
            call.reject(404)
        elif call.remote is not None and not agreed(make_answer(call.remote, self.agent.capabilities)):
            host = call.transaction.flow.local[0] if call.transaction is not None else ""
            warning = ("Warning", f'304 {host} "Media Type(s) Unavailable"')
            call.reject(488, "Not Acceptable Media", (warning, NO_RESOURCE))
        else:
            call.ring()
            self._alarms.set(call.request.call_id, self.settings.ring, call.answer)

    def _check(self, stands: bool, call: Call) -> bool:
        """Hang up if there is no audio."""
        theirs, ours = call.remote, call.local
        silent = any(said is not None and not agreed(said) for said in (theirs, ours))
        if stands and silent and call.state is CallState.ESTABLISHED:
            call.hang_up([NO_RESOURCE])
        return stands

    def _register(self, request: Request, transaction: ServerTransaction) -> None:
        """A phone; who it is was asked where it came in (RFC 3261 10.3)."""
        contact = request.contact
        asked = request.number("Expires")
        expires = _EXPIRES if asked is None else asked
        who = request.to.uri
        if contact is None or not expires:
            self.registrations.pop(who, None)
            fields = []
        else:
            self.registrations[who] = contact.uri
            value = NameAddr(contact.uri, contact.params.put("expires", str(expires)))
            fields = [("Contact", str(value))]
        tag = self.element.tokens.tag()
        transaction.respond(Response.to_request(request, 200, fields=[*fields, ("Expires", str(expires))], tag=tag))


class _Sdl(Tap):
    """Traces what is too large."""

    def __init__(self, trace: SdlTrace, limit: int) -> None:
        self._trace = trace
        self._limit = limit

    def oversized(self, flow: Flow, message: Oversize) -> None:
        """As `Tap` has it; of datagrams nothing is told. A header that is longer than what is read has no end."""
        header = len(message.header)
        if flow.reliable:
            length = message.content_length if header <= self._limit else None
            host, port = flow.remote
            self._trace.ignored(LargeMessage(host, header, length, self._limit, port))


def dialled(uri: str) -> str:
    """The user part of a SIP URI, or the number of a tel URI."""
    return uri.partition(":")[2].partition("@")[0].partition(";")[0]


def capabilities(settings: CucmSettings, host: str) -> Capabilities:
    """What a line can do in its region; tones are always among it."""
    crypto = crypto_lines(_KEYS) if settings.srtp_allowed else ()
    able = video_endpoint(host, 16384, (*settings.region.codecs, "DTMF"), crypto)
    streams = able.streams if settings.allow_presentation_sharing_using_bfcp else able.streams[:2]
    return Capabilities(host, streams, "CiscoSystemsCCM-SIP", "SIP Call")


def _agent_settings(settings: CucmSettings, host: str) -> AgentSettings:
    fields = (
        ("Supported", "timer,resource-priority,replaces"),
        ("Min-SE", "1800"),
        ("Allow-Events", "presence"),
        ("Call-Info", f'<sip:{host}:5060>;method="NOTIFY;Event=telephone-event;Duration=500"'),
        ("Call-Info", "<urn:x-cisco-remotecc:callinfo>;x-cisco-video-traffic-class=DESKTOP"),
        ("Cisco-Guid", "2654388224-0000065536-0000000014-0352427200"),
    )
    return AgentSettings(
        f"sip:{settings.line}@{settings.domain}",
        capabilities(settings, host),
        display=f'"Line {settings.line}"',
        product=f"Cisco-CUCM{settings.release}",
        fields=fields,
        allow=("INVITE", "OPTIONS", "INFO", "BYE", "CANCEL", "ACK", "PRACK", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"),
        supported=("timer", "resource-priority", "replaces", "path", "X-cisco-srtp-fallback"),
    )
