"""Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3, 9.2), and what is answered without asking anybody.

Strategy: messages come in from the transport. Responses go to their client transaction, or nowhere (RFC 6026 8.7);
requests to their server transaction, or to the core as new ones. What the core cannot handle because it is malformed is
answered with 400, never raised.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol, TypeVar

from alg.errors import SipSyntaxError
from harness.sip.client import ClientTransaction, InviteClient, NonInviteClient, OnFailure, OnResponse
from harness.sip.flow import Flow, Loss
from harness.sip.message import Request, Response, complete
from harness.sip.server import InviteServer, NonInviteServer, Reply, ServerTransaction
from harness.sip.timers import Timers
from harness.sip.via import MAGIC_COOKIE

K = TypeVar("K")
V = TypeVar("V")

_MOST_REASON = 120
"""Characters of what is wrong with a request, in the reason phrase of its response."""


class Core(Protocol):
    """Who decides: a user agent, a proxy."""

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """A new request, neither ACK nor CANCEL of a transaction that is known."""

    def ack_came(self, request: Request, flow: Flow) -> None:
        """An ACK that is not one of a failure."""


class Transactions:
    """All of an element's."""

    def __init__(self, clock: Any, timers: Timers, reply: Reply, on_malformed: Any) -> None:
        """`on_malformed(message, flow, error)` hears of messages that cannot be handled."""
        self.core: Core | None = None
        self.timers = timers
        self._clock = clock
        self._reply = reply
        self._on_malformed = on_malformed
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[object, ...], ServerTransaction] = {}

    @property
    def count(self) -> int:
        """Transactions that are not over."""
        return len(self._clients) + len(self._servers)

    def client(self, request: Request, flow: Flow, on_response: OnResponse, on_failure: OnFailure) -> ClientTransaction:
        """Send a request that has its Via."""
        kind = InviteClient if request.method == "INVITE" else NonInviteClient
        transaction = kind(request, flow, self._clock, self.timers, on_response, on_failure)
        key = (request.via.branch, request.method)
        assert key not in self._clients, f"branch {key[0]} is used twice"
        self._clients[key] = transaction
        transaction.on_end = partial(_forget, self._clients, key)
        transaction.start()
        return transaction

    def receive(self, message: Request | Response, flow: Flow) -> None:
        """A message came."""
        try:
            complete(message)
        except SipSyntaxError as error:
            self._refuse(message, flow, error)
            return
        if isinstance(message, Request):
            self._request(message, flow)
        else:
            self._response(message, flow)

    def flow_lost(self, flow: Flow, loss: Loss) -> None:
        """A connection is gone."""
        for transaction in [each for each in self._clients.values() if each.flow is flow]:
            transaction.flow_lost(loss)

    def abandon(self) -> None:
        """Forget everything."""
        for client in list(self._clients.values()):
            client.abandon()
        for server in list(self._servers.values()):
            server.abandon()

    def _response(self, response: Response, flow: Flow) -> None:
        transaction = self._clients.get((response.via.branch, response.cseq.method))
        if transaction is None:
            return
        try:
            transaction.receive(response)
        except SipSyntaxError as error:
            self._on_malformed(response, flow, error)

    def _request(self, request: Request, flow: Flow) -> None:
        request = request.with_first("Via", str(request.via.came_from(flow.remote)))
        known = self._servers.get(_key(request))
        if known is not None and known.receive(request):
            return
        if request.method == "ACK":
            self._ask_ack(request, flow)
            return
        if request.method == "CANCEL":
            self._cancel(request, flow)
            return
        self._ask(request, self._serve(request, flow))

    def _serve(self, request: Request, flow: Flow) -> ServerTransaction:
        kind = InviteServer if request.method == "INVITE" else NonInviteServer
        transaction = kind(request, flow, self._clock, self.timers, self._reply)
        key = _key(request)
        self._servers[key] = transaction
        transaction.on_end = partial(_forget, self._servers, key)
        return transaction

    def _cancel(self, request: Request, flow: Flow) -> None:
        """9.2: it is answered here, and what it cancels is told."""
        cancelled = self._servers.get(_key(request, "INVITE"))
        transaction = self._serve(request, flow)
        if cancelled is None:
            transaction.respond(Response.to_request(request, 481, tag="none"))
            return
        tag = cancelled.last.to.tag if cancelled.last is not None else ""
        transaction.respond(Response.to_request(request, 200, tag=tag or "none"))
        if not cancelled.answered:
            cancelled.on_cancel()

    def _ask(self, request: Request, transaction: ServerTransaction) -> None:
        try:
            if self.core is None:
                transaction.respond(Response.to_request(request, 503, tag="none"))
            else:
                self.core.request_came(request, transaction)
        except SipSyntaxError as error:
            self._on_malformed(request, transaction.flow, error)
            transaction.respond(_bad_request(request, error))

    def _ask_ack(self, request: Request, flow: Flow) -> None:
        try:
            if self.core is not None:
                self.core.ack_came(request, flow)
        except SipSyntaxError as error:
            self._on_malformed(request, flow, error)

    def _refuse(self, message: Request | Response, flow: Flow, error: SipSyntaxError) -> None:
        """400 without a transaction, to a request of which it is known where its response goes."""
        self._on_malformed(message, flow, error)
        if isinstance(message, Response) or message.method == "ACK":
            return
        try:
            response = _bad_request(message.with_first("Via", str(message.via.came_from(flow.remote))), error)
            _ = response.vias
        except SipSyntaxError:
            return
        self._reply(flow, response)


def _bad_request(request: Request, error: SipSyntaxError) -> Response:
    reason = error.reason.encode("ascii", "replace").decode()[:_MOST_REASON]
    words = "".join(each if each.isprintable() else "?" for each in reason)
    return Response.to_request(request, 505 if error.rule == "version" else 400, words)


def _key(request: Request, method: str = "") -> tuple[object, ...]:
    """By branch, sent-by and method; without the magic cookie, by what RFC 2543 knew a request by (17.2.3)."""
    via = request.via
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    if via.branch.startswith(MAGIC_COOKIE):
        return via.branch, via.sent_by, method
    return str(via), request.uri, request.call_id, request.cseq.number, request.sender.tag, method


def _forget(known: dict[K, V], key: K) -> None:
    known.pop(key, None)
