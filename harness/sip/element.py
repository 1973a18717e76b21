"""A SIP element without an opinion: its transport and its transactions; a core is put on it, a user agent or a proxy.

Strategy: `send` takes a request without a Via and the targets that are to be tried in turn (RFC 3263 4.3); each attempt
is a transaction of its own. A response goes back on the connection its request came on, or where the Via says if that
is gone (RFC 3261 18.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure as TwistedFailure

from alg.errors import SipSyntaxError
from harness.sip.client import ClientTransaction, Failure, OnResponse, State, follow_up
from harness.sip.flow import Flow, FlowFailed, Loss, Target
from harness.sip.message import Message, Request, Response
from harness.sip.timers import Alarms, Timers
from harness.sip.tokens import Tokens
from harness.sip.transactions import Core, Transactions
from harness.sip.transport import Transport, TransportSettings
from harness.sip.uri import Address, Params
from harness.sip.via import Via


@dataclass(frozen=True, slots=True)
class ElementSettings:
    """What an element is, whatever its core."""

    timers: Timers = field(default_factory=Timers)
    transport: TransportSettings = field(default_factory=TransportSettings)
    advertised: Callable[[Flow], Address] | None = None
    """What it calls itself on a flow, in Via and Contact; without it, where it listens."""
    via_params: tuple[tuple[str, str | None], ...] = ()
    """What it adds to its Via behind branch and rport, such as an Expressway's `egress-zone`."""


OnFailed = Callable[[Failure | FlowFailed], None]
"""Hears why no final response comes: FlowFailed if no target could be reached."""

Where = Flow | Sequence[Target]
"""A flow, or targets that are tried in turn."""
Finish = Callable[[Request, Flow], Request]
"""Gives a request what depends on the flow that it leaves by, such as its Contact."""


def unchanged(request: Request, flow: Flow) -> Request:
    """As it is."""
    return request


class Element:
    """One SIP element."""

    def __init__(self, reactor: Any, settings: ElementSettings | None = None, tokens: Tokens | None = None) -> None:
        """`reactor` has the time too; `tokens` are by chance if they are not given."""
        self.settings = settings or ElementSettings()
        self.tokens = tokens or Tokens()
        self.clock = reactor
        self.transport = Transport(reactor, self, self.settings.transport)
        self.transactions = Transactions(reactor, self.settings.timers, self._reply, self._malformed)
        self._alarms: WeakSet[Alarms] = WeakSet()

    @property
    def core(self) -> Core | None:
        """Who decides about requests that come; without one they get 503."""
        return self.transactions.core

    @core.setter
    def core(self, core: Core | None) -> None:
        self.transactions.core = core

    def send(
        self,
        request: Request,
        where: Where,
        on_response: OnResponse,
        on_failed: OnFailed,
        finish: Finish = unchanged,
    ) -> Sending:
        """Send a request and hear of its responses. It gets a Via of ours, and what `finish` gives it."""
        return Sending(self, request, where, on_response, on_failed, finish)

    def send_once(self, request: Request, where: Where, finish: Finish = unchanged) -> None:
        """Send a request that has no transaction, if it can be sent: the ACK of a 2xx (RFC 3261 13.2.2.4)."""

        def send(flow: Flow) -> None:
            flow.send(finish(self.with_via(request, flow), flow))

        self.flow(where, 0).addCallbacks(send, lambda failure: None)

    def alarms(self) -> Alarms:
        """Timers for one who uses the element: a call, a registration; none of them outlives it."""
        alarms = Alarms(self.clock)
        self._alarms.add(alarms)
        return alarms

    def flow(self, where: Where, place: int) -> Deferred[Flow]:
        """The flow to one of several targets, or the flow that it is already."""
        if isinstance(where, Sequence):
            return self.transport.flow_to(where[place])
        ready: Deferred[Flow] = Deferred()
        ready.callback(where)
        return ready

    def with_via(self, request: Request, flow: Flow, branch: str = "") -> Request:
        """With a Via of ours on top."""
        host, port = self.address_on(flow)
        params = (("branch", branch or self.tokens.branch()), ("rport", None), *self.settings.via_params)
        return request.push("Via", str(Via(flow.kind, host, port, Params(params))))

    def address_on(self, flow: Flow) -> Address:
        """What we call ourselves on a flow."""
        if self.settings.advertised is not None:
            return self.settings.advertised(flow)
        return self.transport.listening(flow.kind, flow.local[0]) or flow.local

    def is_own(self, host: str, port: int) -> bool:
        """Whether an address is where we listen."""
        return any((host.lower(), port) == address for _, address in self.transport.addresses)

    def receive(self, message: Request | Response, flow: Flow) -> None:
        """A message came."""
        self.transactions.receive(message, flow)

    def flow_lost(self, flow: Flow, loss: Loss) -> None:
        """A connection is gone."""
        self.transactions.flow_lost(flow, loss)

    async def close(self) -> None:
        """Forget all transactions, stop all timers, end all connections."""
        self.core = None
        self.transactions.abandon()
        for alarms in list(self._alarms):
            alarms.close()
        await self.transport.close()

    def _reply(self, flow: Flow, response: Response) -> bool:
        if flow.kind == "UDP":
            host, port = response.via.response_address
            target = Target("UDP", host, port)
            if target.address == flow.remote:
                return flow.send(response)
            self.transport.flow_to(target, flow.local[0]).addCallbacks(*_sending(response))
            return True
        if flow.open:
            return flow.send(response)
        target = Target(flow.kind, *response.via.response_address)
        self.transport.flow_to(target).addCallbacks(*_sending(response))
        return True

    def _malformed(self, message: Message, flow: Flow, error: SipSyntaxError) -> None:
        for tap in self.transport.taps:
            tap.malformed(flow, message.to_bytes(), error)


class Sending:
    """A request on its way, from one target to the next until one answers."""

    def __init__(
        self,
        element: Element,
        request: Request,
        where: Where,
        on_response: OnResponse,
        on_failed: OnFailed,
        finish: Finish,
    ) -> None:
        self.request = request
        self.transaction: ClientTransaction | None = None
        """Of the attempt that goes on; None while its connection is being made."""
        self.finished = False
        """A final response or a failure was told."""
        self._element = element
        self._where = where
        self._on_response = on_response
        self._on_failed = on_failed
        self._finish = finish
        self._place = 0
        self._cancelled = False
        self._proceeding = False
        self._alarms = element.alarms()
        self._attempt()

    def cancel(self) -> None:
        """Cancel an INVITE: at once if it was answered provisionally, or as soon as it is (RFC 3261 9.1)."""
        if self._cancelled or self.finished:
            return
        self._cancelled = True
        if self._proceeding:
            self._send_cancel()

    def abandon(self) -> None:
        """Hear no more of it."""
        self.finished = True
        self._alarms.stop_all()
        if self.transaction is not None:
            self.transaction.abandon()

    def _attempt(self) -> None:
        if isinstance(self._where, Sequence) and self._place >= len(self._where):
            self._fail(FlowFailed(Target("", "", 0), Loss.REFUSED, "nowhere to send it"))
            return
        found = self._element.flow(self._where, self._place)
        found.addCallbacks(self._reached, self._unreachable)
        found.addErrback(self._escaped)

    def _reached(self, flow: Flow) -> None:
        if self.finished:
            return
        if self._cancelled:
            self._fail(Failure.LOST)
            return
        request = self._finish(self._element.with_via(self.request, flow), flow)
        self.transaction = self._element.transactions.client(request, flow, self._response, self._failure)

    def _unreachable(self, reason: TwistedFailure) -> None:
        assert isinstance(reason.value, FlowFailed), reason.getTraceback()
        if not self._next():
            self._fail(reason.value)

    def _failure(self, failure: Failure) -> None:
        if self._proceeding or not self._next():
            self._fail(failure)

    def _next(self) -> bool:
        """Whether there is one more target to try."""
        self._place += 1
        if self.finished or self._cancelled or not isinstance(self._where, Sequence):
            return False
        if self._place >= len(self._where):
            return False
        self._attempt()
        return True

    def _response(self, response: Response) -> None:
        if response.provisional:
            first, self._proceeding = not self._proceeding, True
            if self._cancelled and first:
                self._send_cancel()
        elif response.status == 503 and not self.finished and self._next():
            return
        else:
            self.finished = True
            self._alarms.stop_all()
        self._on_response(response)

    def _send_cancel(self) -> None:
        transaction = self.transaction
        assert transaction is not None, "what was answered was sent"
        if transaction.state is State.PROCEEDING:
            request = follow_up(transaction.request, "CANCEL")
            self._element.transactions.client(request, transaction.flow, lambda response: None, lambda failure: None)
            self._alarms.set("cancelled", self._element.settings.timers.timeout, self._silent)

    def _silent(self) -> None:
        """Nothing came of the CANCEL either."""
        if self.transaction is not None:
            self.transaction.abandon()
        self._fail(Failure.TIMEOUT)

    def _fail(self, reason: Failure | FlowFailed) -> None:
        if not self.finished:
            self.finished = True
            self._alarms.stop_all()
            self._on_failed(reason)

    @staticmethod
    def _escaped(reason: TwistedFailure) -> None:
        raise AssertionError(f"our own code failed: {reason.getTraceback()}")


def _sending(response: Response) -> tuple[Callable[[Flow], None], Callable[[TwistedFailure], None]]:
    """What is done with the flow that a response goes out on, and without it."""

    def send(flow: Flow) -> None:
        flow.send(response)

    return send, lambda failure: None
