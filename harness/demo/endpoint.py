"""One endpoint of the call: SIP over TCP, a flow of steps, media; it sends only where what arrived tells it to.

Strategy: a step that fails (nothing to send to, nothing came) is noted in the `Tally` and the flow goes on, as a real
endpoint would; what the notes amount to is judged elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from twisted.internet import defer, endpoints, error, protocol, task

from alg.config import Limits
from alg.sip.framing import Framed, MessageFramer
from alg.sip.message import field_value
from harness.demo import reading
from harness.demo.composing import Composer
from harness.demo.media import INTERVAL, KINDS, PACKETS, MediaLine, open_media_line, rtcp_packet, rtp_packet
from harness.demo.reading import Learnt, MediaTarget
from harness.demo.topology import CALLEE, CALLER, INSIDE, OUTSIDE, Hop, Side

ANSWER_PATIENCE = 5.0
"""Seconds: how long an endpoint waits for the INVITE and for responses."""


class Action(Enum):
    """What a step does."""

    SEND = "sends"
    EXPECT = "waits for"
    STREAM = "streams"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow."""

    action: Action
    what: str
    needs: str = ""
    """A message without which the step is skipped."""
    late: bool = False
    """It depends on the other endpoint's in-dialog requests, which may never come."""


CALLER_FLOW = (
    Step(Action.SEND, "INVITE"),
    Step(Action.EXPECT, "100 INVITE"),
    Step(Action.EXPECT, "180 INVITE"),
    Step(Action.EXPECT, "200 INVITE"),
    Step(Action.SEND, "ACK", needs="200 INVITE"),
    Step(Action.STREAM, "RTP and RTCP", needs="200 INVITE"),
    Step(Action.EXPECT, "BYE", needs="200 INVITE", late=True),
    Step(Action.SEND, "200 BYE", needs="BYE"),
)

CALLEE_FLOW = (
    Step(Action.EXPECT, "INVITE"),
    Step(Action.SEND, "100 INVITE", needs="INVITE"),
    Step(Action.SEND, "180 INVITE", needs="INVITE"),
    Step(Action.SEND, "200 INVITE", needs="INVITE"),
    Step(Action.EXPECT, "ACK", needs="INVITE", late=True),
    Step(Action.STREAM, "RTP and RTCP", needs="INVITE"),
    Step(Action.SEND, "BYE", needs="INVITE"),
    Step(Action.EXPECT, "200 BYE", needs="BYE"),
)


@dataclass(frozen=True, slots=True)
class Role:
    """Who an endpoint is, and what it does in the call."""

    name: str
    side: Side
    host: str
    flow: tuple[Step, ...]


CALLER_ROLE = Role("caller", INSIDE, CALLER, CALLER_FLOW)
CALLEE_ROLE = Role("callee", OUTSIDE, CALLEE, CALLEE_FLOW)


@dataclass(frozen=True, slots=True)
class Unsent:
    """Something that had nowhere to go."""

    what: str
    reason: str
    source: str
    """Message and line that named the address."""


@dataclass(slots=True)
class Tally:
    """What happened to one endpoint."""

    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    packets_sent: Counter[str] = field(default_factory=Counter)
    """`audio RTP`, `video RTCP` ..."""
    packets_heard: Counter[str] = field(default_factory=Counter)
    unsent: Counter[Unsent] = field(default_factory=Counter)
    misaddressed: list[Learnt] = field(default_factory=list)
    """Request-URIs of requests that arrived, but are for somewhere else."""
    missed: dict[str, float] = field(default_factory=dict)
    """Messages waited for in vain, with the seconds."""
    complaints: list[str] = field(default_factory=list)
    """What was wrong with what did arrive."""


class Endpoint:
    """Caller or callee."""

    def __init__(self, reactor: Any, role: Role, patience: float) -> None:
        self.name = role.name
        self.tally = Tally()
        self.waiting: str | None = None
        """The step that is under way."""
        self.peer: Hop = ("", 0)
        """The caller's way out: where its INVITE goes."""
        self._reactor = reactor
        self._side = role.side
        self._host = role.host
        self._flow = role.flow
        self._patience = patience
        """Seconds: how long it waits for the other one's in-dialog requests and media."""
        self._done: dict[str, bytes] = {}
        self._inbox: dict[str, tuple[bytes, SipConnection]] = {}
        self._arrivals: dict[str, defer.Deferred[None]] = {}
        self._connections: dict[Hop, SipConnection] = {}
        self._open: set[SipConnection] = set()
        self._media: dict[str, MediaLine] = {}
        self._factory = protocol.Factory.forProtocol(lambda: SipConnection(self))
        self._factory.noisy = False
        self.port = 0
        """Where it listens."""
        self._listening: Any = None

    def open(self, call: str) -> Hop:
        """Listen, bind the media ports; where it listens. CannotListenError if an address cannot be used."""
        self._listening = self._reactor.listenTCP(0, self._factory, interface=self._host)
        for kind in (*KINDS, "bfcp"):
            self._media[kind] = open_media_line(self._reactor, self._host)
        self.port = int(self._listening.getHost().port)
        hop = self._host, self.port
        self._composer = Composer(call, self.name, hop, {kind: line.port for kind, line in self._media.items()})
        self._sent_by = f"SIP/2.0/TCP {hop[0]}:{hop[1]};".encode()
        return hop

    async def close(self) -> None:
        """Close every socket, and wait until they are gone."""
        closed = [connection.closed for connection in self._open]
        for connection in list(self._open):
            connection.transport.loseConnection()
        if self._listening is not None:
            closed.append(defer.maybeDeferred(self._listening.stopListening))
        await defer.gatherResults([*closed, *(line.close() for line in self._media.values())])

    async def run(self) -> None:
        """Go through the flow."""
        for step in self._flow:
            if step.needs and step.needs not in self._done:
                continue
            self.waiting = f"{step.action.value} {step.what}"
            if step.action is Action.SEND:
                await self._send(step.what)
            elif step.action is Action.EXPECT:
                await self._expect(step.what, self._patience if step.late else ANSWER_PATIENCE)
            else:
                await self._stream()
        self.waiting = None

    def opened(self, connection: SipConnection) -> None:
        """A TCP connection stands."""
        self._open.add(connection)

    def lost(self, connection: SipConnection) -> None:
        """A TCP connection is gone."""
        self._open.discard(connection)

    def arrived(self, message: bytes, connection: SipConnection) -> None:
        """A whole message."""
        self.tally.received.append(message)
        if message.startswith(b"SIP/") and not (field_value(message, b"via") or b"").startswith(self._sent_by):
            self.tally.complaints.append(f"{reading.title(message)}: topmost Via is not the one that was sent")
            return
        self.tally.complaints += reading.body_faults(message)
        if not message.startswith(b"SIP/") and reading.request_uri(message).hop != (self._host, self.port):
            self.tally.misaddressed.append(reading.request_uri(message))
        what = reading.title(message)
        self._inbox[what] = message, connection
        if what in self._arrivals:
            self._arrivals.pop(what).callback(None)

    async def _expect(self, what: str, patience: float) -> None:
        if what not in self._inbox:
            arrival = self._arrivals[what] = defer.Deferred()
            arrival.addTimeout(patience, self._reactor)
            try:
                await arrival
            except defer.TimeoutError:
                del self._arrivals[what]
        if what in self._inbox:
            self._done[what] = self._inbox[what][0]
        else:
            self.tally.missed[what] = patience

    async def _send(self, what: str) -> None:
        """Compose a message, send it to where it must go, or note why that cannot be."""
        status, _, method = what.rpartition(" ")
        if status:
            request, connection = self._inbox[method]
            self._write(what, self._composer.response(int(status), request, connection.source), connection)
            return
        if what == "INVITE":
            message = self._composer.invite(self.peer)
            next_hop = reading.request_uri(message)
        else:
            message, next_hop = self._in_dialog(what)
        connection_or_reason = await self._connect(next_hop)
        if isinstance(connection_or_reason, str):
            self.tally.unsent[Unsent(what, connection_or_reason, next_hop.source)] += 1
        else:
            self._write(what, message, connection_or_reason)

    def _write(self, what: str, message: bytes, connection: SipConnection) -> None:
        self._done[what] = message
        self.tally.sent.append(message)
        connection.transport.write(message)

    def _in_dialog(self, method: str) -> tuple[bytes, Learnt]:
        """A request within the dialog, and where its route set says it goes (RFC 3261 12.1, 12.2.1.1, 16.6)."""
        first = self._done["200 INVITE" if method == "ACK" else "INVITE"]
        target = reading.header_uris(first, b"contact")[0]
        routes = reading.header_uris(first, b"record-route")
        if method == "ACK":
            routes.reverse()
        while routes and routes[0].hop[0] == self._host:
            del routes[0]
        cseq = 100 if method == "ACK" else 1
        return self._composer.in_dialog(method, first, cseq, target, routes), routes[0] if routes else target

    async def _connect(self, target: Learnt) -> SipConnection | str:
        """The connection to a hop, made if there is none; or why there can be none."""
        refusal = self._side.refusal(target.hop[0])
        if refusal is not None:
            return refusal
        known = self._connections.get(target.hop)
        if known is not None and known in self._open:
            return known
        client = endpoints.TCP4ClientEndpoint(self._reactor, *target.hop, bindAddress=(self._host, 0))
        try:
            connection = await client.connect(self._factory)
        except error.ConnectError as failure:
            return f"cannot connect to {target.hop[0]}:{target.hop[1]}: {failure}"
        assert isinstance(connection, SipConnection), "the factory makes no other"
        self._connections[target.hop] = connection
        return connection

    async def _stream(self) -> None:
        """Send RTP and one RTCP packet per media line, then wait a while for what the other one sends."""
        offer_or_answer = self._done["INVITE" if "INVITE" in self._inbox else "200 INVITE"]
        targets = [target for target in reading.media_targets(offer_or_answer) if target.kind in KINDS]
        for number in range(PACKETS):
            for target in targets:
                self._send_packet(f"{target.kind} RTP", target, rtp_packet(target.kind, number))
                if number == PACKETS // 2:
                    self._send_packet(f"{target.kind} RTCP", target, rtcp_packet(target.kind, number + 1))
            await task.deferLater(self._reactor, INTERVAL)
        deadline = self._reactor.seconds() + self._patience
        while self._reactor.seconds() < deadline and any(
            self._media[kind].rtp.heard < PACKETS or not self._media[kind].rtcp.heard for kind in KINDS
        ):
            await task.deferLater(self._reactor, INTERVAL)
        self._count(targets)

    def _send_packet(self, what: str, target: MediaTarget, packet: bytes) -> None:
        rtcp = what.endswith("RTCP")
        learnt = target.rtcp if rtcp else target.rtp
        refusal = self._side.refusal(learnt.hop[0])
        if refusal is not None:
            self.tally.unsent[Unsent(what, refusal, learnt.source)] += 1
            return
        line = self._media[target.kind]
        (line.rtcp if rtcp else line.rtp).transport.write(packet, learnt.hop)
        self.tally.packets_sent[what] += 1

    def _count(self, targets: list[MediaTarget]) -> None:
        for target in targets:
            line = self._media[target.kind]
            for what, socket, learnt in (("RTP", line.rtp, target.rtp), ("RTCP", line.rtcp, target.rtcp)):
                self.tally.packets_heard[f"{target.kind} {what}"] += socket.heard
                if socket.malformed:
                    self.tally.complaints.append(f"{socket.malformed} {target.kind} {what} packets are none")
                if socket.sources - {learnt.hop}:
                    self.tally.complaints.append(f"{target.kind} {what} comes from elsewhere than its SDP says")


class SipConnection(protocol.Protocol):
    """One TCP connection of an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.transport: Any = None
        self.source: Hop = ("", 0)
        """The other end."""
        self.closed: defer.Deferred[None] = defer.Deferred()
        """Fires when the connection is gone."""
        self._endpoint = endpoint
        self._framer = MessageFramer(Limits())

    def connectionMade(self) -> None:
        """It stands."""
        peer = self.transport.getPeer()
        self.source = peer.host, peer.port
        self._endpoint.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Cut messages out of the stream."""
        for frame in self._framer.feed(data):
            if isinstance(frame, Framed):
                self._endpoint.arrived(frame.data, self)
            elif frame.error is not None:
                self._endpoint.tally.complaints.append(f"bytes that are no SIP arrived: {frame.error}")

    def connectionLost(self, reason: object = protocol.connectionDone) -> None:
        """It is gone."""
        self._endpoint.lost(self)
        self.closed.callback(None)
