"""A stateful proxy (RFC 3261 16): what becomes of a request that is not ours, and of its responses.

Strategy: a request is validated (16.3), its own Routes are taken out (16.4), and `route` says what happens to it: a
list of branches that are tried one after the other, or a response. A branch is tried when the one before it has failed
in a way that lets others be asked; the best failure goes back (16.7). Requests within a dialog go where they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure as TwistedFailure

from alg.errors import SipSyntaxError
from harness.sip.client import Failure
from harness.sip.element import Element, Sending, Where
from harness.sip.flow import Flow, FlowFailed
from harness.sip.message import Request, Response
from harness.sip.resolve import Locate, NotFound
from harness.sip.routing import next_hop, with_routes
from harness.sip.server import ServerTransaction
from harness.sip.uri import NameAddr, Params, SipUri


@dataclass(frozen=True, slots=True)
class Branch:
    """One attempt."""

    request: Request
    """As it is to be forwarded: Request-URI and Routes are decided."""
    where: Where | None = None
    """None for where its Route or Request-URI says."""
    record_route: bool = True
    finish: Callable[[Request, Flow], Request] | None = None
    """Further changes, once the flow is known that it leaves by."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """A request is answered here."""

    status: int
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()


Plan = Sequence[Branch] | Refuse | None
"""None: somebody else answers."""
Trouble = Failure | FlowFailed | NotFound
Route = Callable[[Request, ServerTransaction], "Plan | Deferred[Plan]"]
"""Decides about a new request, whose own Routes are gone; in a Deferred if it takes time."""


def failure_status(trouble: Trouble) -> int:
    """What the caller is told when a branch gets no response (16.9, 16.7, RFC 3263 4.3)."""
    if isinstance(trouble, NotFound):
        return 404
    return 503 if isinstance(trouble, FlowFailed) else 408


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What a proxy is like."""

    locate: Locate
    route: Route
    max_forwards: int = 70
    """Of a request that has none."""
    double_record_route: bool = True
    """Two Record-Routes where a request leaves by another transport or address than it came (RFC 5658 5)."""
    route_params: tuple[tuple[str, str | None], ...] = (("lr", None),)
    """Of its Record-Routes."""
    route_user: str | None = None
    is_own: Callable[[SipUri], bool] | None = None
    """Which Routes are ours; without it, those with an address that we listen on."""
    continue_on: Callable[[Response], bool] = lambda response: response.status < 600
    """Behind which failures the next branch is tried."""
    status_of: Callable[[Trouble], int] = failure_status
    """What a branch without a response counts as; an Expressway says 408 whatever it is."""
    warning: str = ""
    """Host of Warning 399 in responses that are made here; empty for none."""


class Proxy:
    """A core."""

    def __init__(self, element: Element, settings: ProxySettings) -> None:
        self.element = element
        self.settings = settings
        self.on_response: Callable[[Response, Flow], Response] = lambda response, flow: response
        """Changes a response before it goes back; gets the flow it goes back by."""
        self._forwardings: set[Forwarding] = set()

    @property
    def pending(self) -> int:
        """Requests without a final response."""
        return len(self._forwardings)

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """`Core.request_came`."""
        refusal = self._invalid(request)
        if refusal is not None:
            self.refuse(transaction, refusal)
            return
        stripped = self._without_own_routes(request)
        forwarding = Forwarding(self, stripped, transaction)
        if request.to.tag and not self._ends_here(stripped):
            forwarding.start([Branch(stripped)])
            return
        plan = self.settings.route(stripped, transaction)
        if isinstance(plan, Deferred):
            plan.addCallback(self._go, forwarding, transaction)
            plan.addErrback(self._bad, transaction)
        else:
            self._go(plan, forwarding, transaction)

    def ack_came(self, request: Request, flow: Flow) -> None:
        """The ACK of a 2xx: forwarded without a transaction (16.11)."""
        if self._invalid(request) is not None:
            return
        forwarded = self.prepared(self._without_own_routes(request))
        if self._ends_here(forwarded):
            return

        def send(targets: Where) -> None:
            self.element.send_once(forwarded, targets)

        self.settings.locate(next_hop(forwarded)).addCallbacks(send, lambda failure: None)

    def abandon(self) -> None:
        """Forget all requests; nobody is told."""
        for forwarding in list(self._forwardings):
            forwarding.abandon()

    def refuse(self, transaction: ServerTransaction, refusal: Refuse) -> None:
        """Answer here."""
        transaction.respond(self.on_response(self.made(transaction.request, refusal), transaction.flow))

    def made(self, request: Request, refusal: Refuse) -> Response:
        """A response of our own."""
        tag = self.element.tokens.tag()
        response = Response.to_request(request, refusal.status, refusal.reason, refusal.fields, tag)
        host = self.settings.warning
        if host and refusal.status >= 300 and response.first("Warning") is None:
            response = response.put("Warning", f'399 {host} "{response.reason}"')
        return response.with_body(b"")

    def prepared(self, request: Request) -> Request:
        """With one hop less to go, and as a strict router wants it, if one is next (16.6 steps 3 and 6)."""
        left = request.number("Max-Forwards")
        request = with_routes(request, request.values("Route"))
        return request.put("Max-Forwards", str(self.settings.max_forwards if left is None else max(0, left - 1)))

    def record_routed(self, request: Request, came: Flow, leaves: Flow) -> Request:
        """With Record-Routes of ours (16.6 step 4, RFC 5658)."""
        ours = [self._record_route(came)]
        if self.settings.double_record_route and (came.kind, came.local[0]) != (leaves.kind, leaves.local[0]):
            ours.append(self._record_route(leaves))
        for value in ours:
            request = request.push("Record-Route", value)
        return request

    def is_own(self, uri: SipUri) -> bool:
        """Whether a Route names us."""
        if self.settings.is_own is not None:
            return self.settings.is_own(uri)
        return self.element.is_own(*uri.address)

    def began(self, forwarding: Forwarding) -> None:
        """One more request is on its way."""
        self._forwardings.add(forwarding)

    def ended(self, forwarding: Forwarding) -> None:
        """One less is."""
        self._forwardings.discard(forwarding)

    def _go(self, plan: Plan, forwarding: Forwarding, transaction: ServerTransaction) -> None:
        if isinstance(plan, Refuse):
            self.refuse(transaction, plan)
        elif plan is not None:
            forwarding.start(plan)

    def _bad(self, reason: TwistedFailure, transaction: ServerTransaction) -> None:
        if not isinstance(reason.value, SipSyntaxError):
            reason.raiseException()
        self.refuse(transaction, Refuse(400))

    def _ends_here(self, request: Request) -> bool:
        """It names no next hop but us: who sent it knows no route set, and no Contact."""
        return not request.values("Route") and request.uri.lower().startswith("sip") and self.is_own(next_hop(request))

    def _invalid(self, request: Request) -> Refuse | None:
        """16.3."""
        if request.number("Max-Forwards") == 0:
            return Refuse(483)
        if self._looped(request):
            return Refuse(482)
        required = request.values("Proxy-Require")
        return Refuse(420, fields=(("Unsupported", ", ".join(required)),)) if required else None

    def _looped(self, request: Request) -> bool:
        """It was here before, and nothing that decides where it goes has changed since (16.3 step 4)."""
        mark = self.mark(request)
        return any(self.element.is_own(*via.sent_by) and via.branch.endswith(mark) for via in request.vias)

    def mark(self, request: Request) -> str:
        """What a branch of ours ends in, by which loops are told from spirals (16.6 step 8)."""
        said = (request.uri, request.to.uri, request.sender.tag, request.call_id, str(request.cseq.number))
        text = "\n".join((*said, *request.values("Route"), *request.values("Proxy-Require")))
        return f"-{crc32(text.encode('utf-8', 'surrogateescape')):08x}"

    def _without_own_routes(self, request: Request) -> Request:
        """16.4: the Request-URI may be ours where the one before routed strictly; the first Routes may be."""
        uri = SipUri.parse(request.uri) if request.uri.lower().startswith("sip") else None
        routes = request.values("Route")
        if uri is not None and routes and uri.loose and self.is_own(uri):
            last = NameAddr.parse(routes.pop())
            request = request.with_uri(last.uri).put("Route", *routes)
        while routes and self.is_own(NameAddr.parse(routes[0]).sip):
            del routes[0]
        return request.put("Route", *routes)

    def _record_route(self, flow: Flow) -> str:
        host, port = self.element.address_on(flow)
        settings = self.settings
        transport = () if flow.kind == "UDP" else (("transport", flow.kind.lower()),)
        uri = SipUri(host, settings.route_user, port, Params((*transport, *settings.route_params)))
        return str(NameAddr(str(uri)))


class Forwarding:
    """A request on its way, branch after branch, and its responses on their way back."""

    def __init__(self, proxy: Proxy, request: Request, transaction: ServerTransaction) -> None:
        """The request is without our own Routes; `transaction` has it as it came."""
        self.proxy = proxy
        self.request = request
        self.transaction = transaction
        self._left: list[Branch] = []
        self._best: Response | None = None
        self._sending: Sending | None = None
        self._cancelled = False
        self._final = False
        self._alarms = proxy.element.alarms()
        transaction.on_cancel = self._cancel

    def start(self, branches: Sequence[Branch]) -> None:
        """Try the first one."""
        if self._final:
            return
        self._left = list(branches)
        self.proxy.began(self)
        if self.request.method == "INVITE":
            self.transaction.respond(Response.to_request(self.transaction.request, 100))
        self._next()

    def abandon(self) -> None:
        """Forget it."""
        self._left.clear()
        if self._sending is not None:
            self._sending.abandon()
        self._end()

    def _next(self) -> None:
        if self._cancelled or not self._left:
            self._conclude()
            return
        branch = self._left.pop(0)
        if branch.where is not None:
            self._forward(branch.where, branch)
            return
        try:
            found = self.proxy.settings.locate(next_hop(branch.request))
        except SipSyntaxError as error:
            self._keep(self._made(416 if error.rule == "uri" else 400))
            self._next()
            return
        found.addCallbacks(self._forward, self._not_found, callbackArgs=(branch,))

    def _forward(self, where: Where, branch: Branch) -> None:
        if self._cancelled:
            self._conclude()
            return
        proxy, came = self.proxy, self.transaction.flow
        mark = proxy.mark(self.transaction.request)

        def finish(request: Request, leaves: Flow) -> Request:
            via = request.via
            request = request.with_first("Via", str(replace(via, params=via.params.put("branch", via.branch + mark))))
            if branch.record_route and request.method in ("INVITE", "SUBSCRIBE", "REFER"):
                request = proxy.record_routed(request, came, leaves)
            return branch.finish(request, leaves) if branch.finish is not None else request

        request = proxy.prepared(branch.request)
        if request.method == "INVITE":
            self._wait_for_final()
        self._sending = proxy.element.send(request, where, self._response, self._failed, finish)

    def _not_found(self, reason: TwistedFailure) -> None:
        assert isinstance(reason.value, NotFound | FlowFailed), reason.getTraceback()
        self._keep(self._made(self.proxy.settings.status_of(reason.value)))
        self._next()

    def _response(self, response: Response) -> None:
        """16.7."""
        response = response.pop("Via")
        if response.provisional:
            if response.status > 100:
                self._back(response)
            self._wait_for_final()
        elif response.success:
            self._alarms.stop_all()
            self._back(response)
            self._end()
        else:
            self._alarms.stop_all()
            self._keep(response)
            if not self.proxy.settings.continue_on(response):
                self._left.clear()
            self._next()

    def _failed(self, reason: Failure | FlowFailed) -> None:
        self._alarms.stop_all()
        self._keep(self._made(self.proxy.settings.status_of(reason)))
        self._next()

    def _wait_for_final(self) -> None:
        """Timer C (16.8)."""
        if self.request.method == "INVITE" and not self._final:
            self._alarms.set("C", self.proxy.element.settings.timers.timer_c, self._too_long)

    def _too_long(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    def _cancel(self) -> None:
        """The caller has given up (16.10)."""
        self._cancelled = True
        self._left.clear()
        if self._sending is not None and not self._sending.finished:
            self._sending.cancel()
        elif self._sending is None:
            self._keep(self._made(487))
            self._conclude()

    def _keep(self, response: Response) -> None:
        """The best failure so far: 6xx before all, then the lowest class (16.7 step 6)."""
        best = self._best
        if best is None or _rank(response) < _rank(best):
            self._best = response

    def _conclude(self) -> None:
        if not self._final:
            self._back(self._best or self._made(487 if self._cancelled else 404))
            self._end()

    def _made(self, status: int) -> Response:
        return self.proxy.made(self.transaction.request, Refuse(status))

    def _back(self, response: Response) -> None:
        self.transaction.respond(self.proxy.on_response(response, self.transaction.flow))

    def _end(self) -> None:
        self._final = True
        self._alarms.stop_all()
        self.proxy.ended(self)


def _rank(response: Response) -> tuple[int, int]:
    """Less is better: 6xx, then 3xx, 4xx, 5xx; within a class the ones that say how to go on."""
    telling = response.status in (401, 407, 415, 420, 484)
    return (0 if response.status >= 600 else response.status // 100, 0 if telling else 1)
