"""A user agent: places and takes calls, registers, asks and answers anything else (RFC 3261 8, 10, 11, 13).

Strategy: the agent is the core of an element, or a part of one whose core passes it what is addressed to it. What comes
of a request is a value that a Deferred brings. What it does with a call that comes is a function, `on_call`, and with
any other request one of `handlers`, by method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from twisted.internet.defer import Deferred

from harness.sip.call import Call
from harness.sip.dialog import DialogId, dialog_id
from harness.sip.digest import Credentials
from harness.sip.element import Element, Where
from harness.sip.exchange import Exchange, Means, Outcome
from harness.sip.flow import Flow
from harness.sip.message import Request, Response
from harness.sip.offer_answer import Capabilities, agreed, make_answer, make_offer
from harness.sip.registration import Registration
from harness.sip.resolve import Locate, locate_literal
from harness.sip.server import ServerTransaction
from harness.sip.uri import NameAddr, Params, SipUri

_CONTACT_METHODS = frozenset(("INVITE", "REGISTER", "SUBSCRIBE", "REFER", "UPDATE", "NOTIFY", "OPTIONS"))
"""Whose requests say where we are."""

Handler = Callable[[Request, ServerTransaction], None]
"""Answers a request."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Who a user agent is."""

    address: str
    """Its address of record, such as `sip:alice@example.com`."""
    capabilities: Capabilities
    display: str = ""
    """As written, quotes included."""
    product: str = ""
    """User-Agent and Server; empty for none."""
    contact_user: str | None = None
    """In Contact; None for the one of the address."""
    contact_params: tuple[tuple[str, str | None], ...] = ()
    """Of the Contact header, such as `+sip.instance`."""
    credentials: Credentials | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Further header fields of requests and of responses to INVITE, such as Supported and Allow-Events."""
    allow: tuple[str, ...] = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "NOTIFY", "MESSAGE")
    supported: tuple[str, ...] = ("replaces", "timer", "path", "gruu", "outbound")
    """Extensions that are not refused where a request requires them."""
    max_forwards: int = 70


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """What is done with calls that come."""

    ring: float = 0.0
    """Seconds of ringing; 180 is sent in any case."""
    status: int = 200
    """What the call is answered with then: 200, or a failure."""
    without_media: bool = False
    """Take a call whose audio cannot be agreed on; otherwise it is refused with 488."""


@dataclass(slots=True)
class _Recent:
    """Calls by their dialogs, and INVITEs by what tells copies of one (8.2.2.2)."""

    calls: dict[DialogId, Call] = field(default_factory=dict)
    invites: dict[tuple[str, str, int], Call] = field(default_factory=dict)


class Agent:
    """One user agent."""

    def __init__(self, element: Element, settings: AgentSettings, locate: Locate | None = None) -> None:
        """`locate` finds the targets of URIs; without it only addresses are found."""
        self.settings = settings
        self.element = element
        self.capabilities = settings.capabilities
        """May change; calls that come or are placed later go by it."""
        self.means = Means(element, locate or locate_literal(), self._finish, settings.credentials)
        self.on_call: Callable[[Call], None] = self.policy(AnswerPolicy())
        """Hears of each call that comes; it rings, answers or rejects it, at once or later."""
        self.handlers: dict[str, Handler] = {}
        """Of requests other than those of calls, in a dialog or not."""
        self._known = _Recent()

    @property
    def calls(self) -> list[Call]:
        """Those that have a dialog and are not over."""
        return list(self._known.calls.values())

    def call(
        self,
        uri: str,
        *,
        early: bool = True,
        where: Where | None = None,
        fields: Iterable[tuple[str, str]] = (),
        routes: Iterable[str] = (),
    ) -> Call:
        """Place a call: with an early offer, or without one. `routes` are a preloaded Route."""
        number = self.element.tokens.number()
        body = make_offer(self.capabilities, number, number).to_bytes() if early else b""
        preloaded = [("Route", route) for route in routes]
        request = self.request("INVITE", uri, [*preloaded, *fields]).with_body(body)
        call = Call(self, request, None)
        call.start(where)
        return call

    def ask(
        self,
        method: str,
        uri: str,
        fields: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "text/plain",
        where: Where | None = None,
    ) -> Deferred[Outcome]:
        """Any request outside of calls: OPTIONS, MESSAGE, SERVICE."""
        request = self.request(method, uri, fields).with_body(body, content_type)
        return Exchange(self.means, request, where).done

    def register(self, registrar: str, expires: int = 3600, where: Where | None = None) -> Registration:
        """Register the address at a registrar's URI for so many seconds, again and again until it is stopped."""
        request = self.request("REGISTER", registrar).put("To", str(self._identity))
        return Registration(self.means, request, expires, where)

    @property
    def _identity(self) -> NameAddr:
        return NameAddr(self.settings.address, display=self.settings.display)

    def request(self, method: str, uri: str, fields: Iterable[tuple[str, str]] = ()) -> Request:
        """A request outside of any dialog, without Via and Contact (8.1.1)."""
        tokens = self.element.tokens
        first = (
            ("Max-Forwards", str(self.settings.max_forwards)),
            ("From", str(self._identity.with_tag(tokens.tag()))),
            ("To", f"<{uri}>"),
            ("Call-ID", tokens.call_id(SipUri.parse(self.settings.address).host)),
            ("CSeq", f"{tokens.number(2**15)} {method}"),
        )
        return Request.make(method, uri, (*first, *self.common_fields(), *fields))

    def policy(self, policy: AnswerPolicy) -> Callable[[Call], None]:
        """An `on_call`."""
        return partial(self._take, policy)

    def common_fields(self) -> list[tuple[str, str]]:
        """What every request has."""
        product = [("User-Agent", self.settings.product)] if self.settings.product else []
        return [*product, ("Allow", ", ".join(self.settings.allow)), *self.settings.fields]

    def contact(self, flow: Flow) -> str:
        """Our Contact on a flow."""
        host, port = self.element.address_on(flow)
        params = Params() if flow.kind == "UDP" else Params((("transport", flow.kind.lower()),))
        own = self.settings.contact_user
        user = SipUri.parse(self.settings.address).user if own is None else own or None
        return str(NameAddr(str(SipUri(host, user, port, params)), Params(self.settings.contact_params)))

    def joined(self, call: Call) -> None:
        """A call has its dialog."""
        assert call.dialog is not None, "has one"
        self._known.calls[call.dialog.id] = call

    def left(self, call: Call) -> None:
        """A call is over."""
        if call.dialog is not None:
            self._known.calls.pop(call.dialog.id, None)
        if call.incoming:
            self._known.invites.pop(_copies(call.request), None)

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """`Core.request_came`."""
        tag = "" if request.to.tag else self.element.tokens.tag()
        refusal = self._refusal(request)
        if refusal is not None:
            status, fields = refusal
            transaction.respond(Response.to_request(request, status, "", fields, tag))
        elif request.to.tag:
            self._in_dialog(request, transaction)
        elif request.method == "INVITE":
            self._invited(request, transaction, tag)
        else:
            self._outside(request, transaction, tag)

    def ack_came(self, request: Request, flow: Flow) -> None:
        """`Core.ack_came`."""
        call = self._known.calls.get(dialog_id(request))
        if call is not None:
            call.receive_ack(request)

    def _finish(self, request: Request, flow: Flow) -> Request:
        if request.method not in _CONTACT_METHODS or request.first("Contact") is not None:
            return request
        return request.put("Contact", self.contact(flow))

    def _refusal(self, request: Request) -> tuple[int, list[tuple[str, str]]] | None:
        """Status and fields for a request that cannot be understood (8.2)."""
        if request.method not in self.settings.allow and request.method not in self.handlers:
            return 405, [("Allow", ", ".join(self.settings.allow))]
        if not request.uri.lower().startswith(("sip:", "sips:", "tel:")):
            return 416, []
        known = {name.lower() for name in self.settings.supported}
        strange = [name for name in request.values("Require") if name.lower() not in known]
        return (420, [("Unsupported", ", ".join(strange))]) if strange else None

    def _in_dialog(self, request: Request, transaction: ServerTransaction) -> None:
        call = self._known.calls.get(dialog_id(request))
        if call is not None:
            if not call.receive(request, transaction):
                self._outside(request, transaction, "")
        elif request.method in self.handlers:
            self.handlers[request.method](request, transaction)
        else:
            transaction.respond(Response.to_request(request, 481))

    def _invited(self, request: Request, transaction: ServerTransaction, tag: str) -> None:
        if _copies(request) in self._known.invites:
            transaction.respond(Response.to_request(request, 482, tag=tag))
            return
        call = Call(self, request, transaction, tag)
        self._known.invites[_copies(request)] = call
        self.joined(call)
        self.on_call(call)

    def _outside(self, request: Request, transaction: ServerTransaction, tag: str) -> None:
        handler = self.handlers.get(request.method)
        if handler is not None:
            handler(request, transaction)
            return
        fields = [("Accept", "application/sdp"), ("Supported", ", ".join(self.settings.supported))]
        more = [*fields, *self.common_fields()] if request.method == "OPTIONS" else []
        transaction.respond(Response.to_request(request, 200, "", more, tag))

    def _take(self, policy: AnswerPolicy, call: Call) -> None:
        call.ring()
        if policy.ring:
            call.after(policy.ring, partial(self._decide, policy, call))
        else:
            self._decide(policy, call)

    def _decide(self, policy: AnswerPolicy, call: Call) -> None:
        if policy.status >= 300:
            call.reject(policy.status)
        elif policy.without_media or self._can_hear(call):
            call.answer()
        else:
            call.reject(488)

    def _can_hear(self, call: Call) -> bool:
        return call.remote is None or agreed(make_answer(call.remote, self.capabilities))


def _copies(request: Request) -> tuple[str, str, int]:
    """What is the same in copies of a request that came over several ways."""
    return request.call_id, request.sender.tag, request.cseq.number
