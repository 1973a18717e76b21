"""An endpoint of a scenario: a user agent that does what the RFCs say, notes what happens, and writes a log.

Strategy: it stands on `harness.sip.Element`; what it wants is told by its `Traits`. What it waits for in vain is a
value, never an exception. It sends only to addresses that it has a route to, nobody reaches it from beyond the ALG, and
requests in a dialog count only if their Request-URI is one of its own: an element that routes would send others
elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

from twisted.internet import defer

from alg.edge.entrance import Address
from alg.errors import SipSyntaxError
from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.sdl import LargeMessage, SdlTrace
from harness.scenarios.alg_calls.seen import LOST, NO_ANSWER, told
from harness.scenarios.alg_calls.sound import Sound
from harness.sip.client import Failure
from harness.sip.connection import Connection
from harness.sip.dialog import Dialog, DialogId, dialog_id
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.message import Request, Response
from harness.sip.server import ServerTransaction
from harness.sip.stream import KeepAlive, Oversize
from harness.sip.timers import Alarms, Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import SipUri

TIMERS: Final = Timers.scaled(0.05)
"""Ten times as fast as the RFC's: what takes 32 s takes 3.2 s."""
_MOST: Final = 1024 * 1024
NO_ROUTE: Final = "no route to that address"
REFUSED: Final = f"connection {Loss.REFUSED.value}"

Refusal = tuple[int, str]
"""Status and reason phrase."""


def _takes(request: Request) -> Refusal | None:
    return None


@dataclass(frozen=True, slots=True)
class Traits:
    """How an endpoint is."""

    static_nat: bool = False
    """It calls itself what it is called on the other side, as an Expressway in static NAT mode."""
    kinds: tuple[str, ...] = ("audio",)
    """Media lines."""
    own_connections: bool = False
    rtcp: bool = False
    """As `Sound.description` has them."""
    judge: Callable[[Request], Refusal | None] = _takes
    """Whether it refuses an INVITE."""
    max_message: int = _MOST
    """Bytes of a message; a larger one costs the connection."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    text: str
    """`200 OK`, or why there is no answer."""
    response: Response | None = None


@dataclass(slots=True)
class Session:
    """A call that stands."""

    dialog: Dialog
    remote: Request | Response
    """Whose body is the other one's session description."""


class Party:
    """Caller or callee."""

    def __init__(
        self,
        reactor: Any,
        name: str,
        host: str,
        outside: str,
        routes: frozenset[str],
        traits: Traits,
        beyond: frozenset[str] = frozenset(),
    ) -> None:
        """`outside` is what it is called on the other side; `beyond` are addresses that do not exist on its own.
        Raises CannotListenError, as media sockets are opened.
        """
        self.name = name
        self.notes: Counter[str] = Counter()
        """What happened here, such as `INVITE`, `ACK for somebody else`, `BYE`."""
        self.sessions: dict[DialogId, Session] = {}
        self.came: dict[str, defer.Deferred[Session]] = {}
        """Fire once a call stands (`INVITE`), was acknowledged (`ACK`) or is over (`BYE`)."""
        self.called = host
        self.traits = traits
        self.beyond = beyond
        self.sound = Sound(reactor, host, routes, traits.kinds, beyond)
        self.log = StringIO()
        self.trace = StringIO()
        """A CUCM's, of messages that are too large."""
        self.callers: list[Address] = []
        """Where connections came from."""
        self._alias = outside if traits.static_nat else host
        self._routes = routes
        self._reactor = reactor
        self._port = 0
        self._alarms = Alarms(reactor)
        transport = TransportSettings(max_message=traits.max_message, source=host)
        advertised = (lambda flow: self.own) if traits.static_nat else None
        self.element = Element(reactor, ElementSettings(TIMERS, transport, advertised))
        self.element.core = self
        self.flows = _Flows(self, DiagnosticLog(self.log, name, lambda: datetime.now(UTC)))
        self.element.transport.taps.append(self.flows)

    def listen(self, port: int) -> None:
        """On TCP. Raises CannotListenError."""
        self._port = self.element.transport.listen("TCP", (self.called, port))[1]

    @property
    def own(self) -> Address:
        """What it calls itself."""
        return self._alias, self._port

    @property
    def contact(self) -> tuple[str, str]:
        """Its Contact."""
        return "Contact", f"<sip:{self.name}@{self.own[0]}:{self.own[1]};transport=tcp>"

    def description(self) -> bytes:
        """Offer or answer."""
        return self.sound.description(self.own[0], self.traits.own_connections, self.traits.rtcp)

    def compose(
        self, method: str, to: Address, fields: Iterable[tuple[str, str]] = (), body: bytes = b"", user: str = ""
    ) -> Request:
        """One outside of any dialog; a body is SDP. `user` is who is called there, if anybody in particular is."""
        tokens, host = self.element.tokens, self.own[0]
        uri = f"sip:{user}@{to[0]}:{to[1]}" if user else f"sip:{to[0]}:{to[1]}"
        head = (
            ("Max-Forwards", "70"),
            ("From", f'"{self.name.title()}" <sip:{self.name}@{host}>;tag={tokens.tag()}'),
            ("To", f"<{uri}>"),
            ("Call-ID", tokens.call_id(host)),
            ("CSeq", f"1 {method}"),
            self.contact,
            ("User-Agent", "TANDBERG/4137 (X14.0.8)"),
        )
        return Request.make(method, f"{uri};transport=tcp", (*head, *fields)).with_body(body)

    async def ask(self, request: Request, flow: Flow | None = None) -> Answer:
        """Send a request and wait for what comes of it."""
        target = self._target(request.uri)
        if target is None:
            return Answer(NO_ROUTE)
        done: defer.Deferred[Answer] = defer.Deferred()

        def heard(response: Response) -> None:
            if not response.provisional and not done.called:
                done.callback(Answer(told(response), response))

        def failed(failure: Failure | FlowFailed) -> None:
            if not done.called:
                lost = failure is Failure.LOST
                unreached = failure.loss.value if isinstance(failure, FlowFailed) else ""
                done.callback(Answer(f"connection {unreached}" if unreached else LOST if lost else NO_ANSWER))

        self.element.send(request, flow or [target], heard, failed)
        return await done

    async def call(self, invite: Request, flow: Flow | None = None) -> Answer:
        """Send an INVITE, acknowledge what comes of it; a 200 makes a session."""
        answer = await self.ask(invite, flow)
        if answer.response is not None and answer.response.success:
            dialog = Dialog.of_caller(invite, answer.response)
            session = self.sessions[dialog.id] = Session(dialog, answer.response)
            ack = dialog.request("ACK", [self.contact], number=invite.cseq.number)
            target = self._target(ack.uri)
            if target is None:
                self.notes["no route for ACK"] += 1
            else:
                self.element.send_once(ack, [target])
            self._tell("INVITE", session)
        return answer

    async def hang_up(self, session: Session) -> Answer:
        """Send a BYE."""
        self._alarms.stop_all()
        self.sessions.pop(session.dialog.id, None)
        return await self.ask(session.dialog.request("BYE", [self.contact]))

    async def wait(self, what: str, patience: float) -> Session | None:
        """Until something of `came` has happened; None if it does not in so many seconds."""
        waiting: defer.Deferred[Session] = self.came.setdefault(what, defer.Deferred())
        try:
            return await _branch(waiting).addTimeout(patience, self._reactor)
        except defer.TimeoutError:
            return None

    async def flow_to(self, address: Address) -> Flow:
        """A connection, made if there is none; raises FlowFailed."""
        return await self.element.transport.flow_to(Target("TCP", *address))

    def request_came(self, request: Request, transaction: ServerTransaction) -> None:
        """As `Core` has it: a request that came."""
        self.notes[f"{request.method} came"] += 1
        if request.method == "INVITE" and request.to.tag:
            self._reinvited(request, transaction)
        elif request.method == "INVITE":
            self._invited(request, transaction)
        elif request.method == "BYE":
            session = self.sessions.pop(dialog_id(request), None) if self._is_ours(request) else None
            transaction.respond(Response.to_request(request, 200 if session else 481))
            if session is not None:
                self._alarms.stop_all()
                self._tell("BYE", session)
        else:
            bindings = [("Contact", value) for value in request.all("Contact") if request.method == "REGISTER"]
            transaction.respond(Response.to_request(request, 200, fields=bindings, tag=self.element.tokens.tag()))

    def ack_came(self, request: Request, flow: Flow) -> None:
        """As `Core` has it: an ACK that came."""
        session = self.sessions.get(dialog_id(request))
        if session is None or not self._is_ours(request):
            self.notes["ACK for somebody else"] += 1
            return
        self._alarms.stop_all()
        self._tell("ACK", session)

    def _is_ours(self, request: Request) -> bool:
        try:
            return SipUri.parse(request.uri).address in (self.own, (self.called, self._port))
        except SipSyntaxError:
            return False

    def _invited(self, request: Request, transaction: ServerTransaction) -> None:
        tag = self.element.tokens.tag()
        refusal = self.traits.judge(request) or self._lacks(request)
        if refusal is not None:
            transaction.respond(Response.to_request(request, *refusal, tag=tag))
            return
        transaction.respond(Response.to_request(request, 180, fields=[self.contact], tag=tag))
        response = Response.to_request(request, 200, fields=[self.contact], tag=tag).with_body(self.description())
        dialog = Dialog.of_callee(request, tag)
        session = self.sessions[dialog.id] = Session(dialog, request)
        self._accept(session, transaction, response)
        self._tell("INVITE", session)

    def _reinvited(self, request: Request, transaction: ServerTransaction) -> None:
        """A change of a call, or its refreshment (RFC 3261 14.2): our side stays as it is."""
        session = self.sessions.get(dialog_id(request)) if self._is_ours(request) else None
        if session is None:
            transaction.respond(Response.to_request(request, 481))
            return
        response = Response.to_request(request, 200, fields=[self.contact]).with_body(self.description())
        self._accept(session, transaction, response)

    def _accept(self, session: Session, transaction: ServerTransaction, response: Response) -> None:
        """Send a 200 until its ACK comes (RFC 3261 13.3.1.4)."""
        transaction.respond(response)
        self._alarms.repeat("200", TIMERS.t1, TIMERS.t2, lambda: self._again(transaction, response))
        self._alarms.set("ACK", TIMERS.timeout, lambda: self._give_up(session))

    def _lacks(self, request: Request) -> Refusal | None:
        """481 for a Replaces of a call that there is not (RFC 3891 3)."""
        replaced = request.first("Replaces")
        if replaced is None:
            return None
        call_id, *params = (part.strip() for part in replaced.split(";"))
        named = dict(part.partition("=")[::2] for part in params)
        key = call_id, named.get("to-tag", ""), named.get("from-tag", "")
        return None if key in self.sessions else (481, "Call/Transaction Does Not Exist")

    def _again(self, transaction: ServerTransaction, response: Response) -> None:
        self.notes["200 again"] += 1
        transaction.respond(response)

    def _give_up(self, session: Session) -> None:
        """No ACK in 64 T1 (RFC 3261 13.3.1.4)."""
        self.notes["gave up waiting for ACK"] += 1
        defer.Deferred.fromCoroutine(self.hang_up(session))

    async def disconnect(self) -> None:
        """Reset all connections, and see them gone."""
        standing = self.element.transport.connections
        for connection in standing:
            connection.abort()
        await defer.gatherResults([connection.finished for connection in standing])

    async def close(self) -> None:
        """End everything."""
        self._alarms.stop_all()
        await self.element.close()
        await self.sound.close()

    def _target(self, uri: str) -> Target | None:
        host, port = SipUri.parse(uri).address
        return Target("TCP", host, port) if host in self._routes else None

    def _tell(self, what: str, session: Session) -> None:
        self.notes[what] += 1
        waiting = self.came.setdefault(what, defer.Deferred())
        if not waiting.called:
            waiting.callback(session)


class _Flows(Tap):
    """Writes what happens to connections, and what crosses them, into the log; counts keep-alives."""

    def __init__(self, party: Party, log: DiagnosticLog) -> None:
        self._party = party
        self._log = log

    def sent(self, flow: Flow, data: bytes) -> None:
        self._log.sent(flow.local, flow.remote, data)

    def received(self, flow: Flow, data: bytes) -> None:
        self._log.received(flow.local, flow.remote, data)

    def kept_alive(self, flow: Flow, what: KeepAlive) -> None:
        self._party.notes[what.value] += 1

    def connected(self, flow: Flow) -> None:
        if flow.remote[0] in self._party.beyond:
            assert isinstance(flow, Connection), "it speaks TCP alone"
            flow.abort()
            return
        if flow.serves:
            self._party.callers.append(flow.remote)
        self._log.write(network.tcp_established(flow.local, flow.remote))

    def connecting(self, local: Address, target: Target) -> None:
        self._log.write(network.tcp_connecting(local, target.address))

    def failed(self, local: Address, failure: FlowFailed) -> None:
        self._log.write(network.tcp_failed(local, failure.target.address))

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        self._party.notes[f"connection {loss.value}"] += 1
        reason = "Got EOF on socket" if loss is Loss.EOF else loss.value
        self._log.write(network.tcp_closed(flow.local, flow.remote, detail or reason))

    def oversized(self, flow: Flow, message: Oversize) -> None:
        self._party.notes["message too large"] += 1
        limit, length = self._party.traits.max_message, message.content_length
        if length is not None:
            large = LargeMessage(flow.remote[0], len(message.header), length, limit)
            SdlTrace(self._party.trace, datetime.now).ignored(large)

    def malformed(self, flow: Flow, data: bytes, error: SipSyntaxError) -> None:
        self._party.notes["malformed"] += 1


def _branch(waiting: defer.Deferred[Session]) -> defer.Deferred[Session]:
    """One that fires when another does, and may be given up alone."""
    own: defer.Deferred[Session] = defer.Deferred()

    def pass_on(session: Session) -> Session:
        if not own.called:
            own.callback(session)
        return session

    waiting.addCallback(pass_on)
    return own
