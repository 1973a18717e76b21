"""Client transactions: INVITE (RFC 3261 17.1.1, RFC 6026) and the others (17.1.2).

Strategy: a flow that can send, a clock and two functions come in. Responses go to one of them, at most one `Failure`
to the other; what the transaction itself owes (retransmissions, the ACK of a failure) goes to the flow. A failure that
is a lost connection is told at once, one that is silence after 64 T1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any

from harness.sip.flow import Flow, Loss
from harness.sip.message import CSeq, Request, Response
from harness.sip.timers import Alarms, Timers


class State(Enum):
    """Of a transaction."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Failure(Enum):
    """Why no final response comes."""

    TIMEOUT = "no response in time"
    LOST = "the connection was lost"


OnResponse = Callable[[Response], None]
OnFailure = Callable[[Failure], None]


class ClientTransaction(ABC):
    """What both kinds share."""

    def __init__(
        self, request: Request, flow: Flow, clock: Any, timers: Timers, on_response: OnResponse, on_failure: OnFailure
    ) -> None:
        """The request has its Via."""
        self.request = request
        self.flow = flow
        self.state = State.TERMINATED
        self.on_end: Callable[[], None] = lambda: None
        """Called once when it is over."""
        self._timers = timers
        self._alarms = Alarms(clock)
        self._on_response = on_response
        self._on_failure = on_failure

    @abstractmethod
    def start(self) -> None:
        """Send the request."""

    @abstractmethod
    def receive(self, response: Response) -> None:
        """A response to it came."""

    def flow_lost(self, loss: Loss) -> None:
        """Its connection is gone."""
        if self.state in (State.CALLING, State.TRYING, State.PROCEEDING):
            self._fail(Failure.LOST)
        elif self.state is not State.TERMINATED:
            self._end()

    def abandon(self) -> None:
        """Forget it; nobody is told."""
        if self.state is not State.TERMINATED:
            self._end()

    def _begin(self, state: State, retransmission: str, expiry: str, most: float) -> None:
        """Timers A or E, B or F."""
        self.state = state
        timers = self._timers
        self._alarms.set(expiry, timers.timeout, lambda: self._fail(Failure.TIMEOUT))
        if not self.flow.reliable:
            self._alarms.repeat(retransmission, timers.t1, most, self._send)
        self._send()

    def _send(self) -> None:
        if not self.flow.send(self.request):
            self._alarms.set("lost", 0, lambda: self.flow_lost(Loss.RESET))

    def _fail(self, failure: Failure) -> None:
        self._end()
        self._on_failure(failure)

    def _end(self) -> None:
        self.state = State.TERMINATED
        self._alarms.stop_all()
        self.on_end()


class InviteClient(ClientTransaction):
    """An INVITE."""

    def start(self) -> None:
        """Send it; timers A and B."""
        self._begin(State.CALLING, "A", "B", self._timers.timeout)

    def receive(self, response: Response) -> None:
        """1xx and 2xx go up, each of them; a failure once, and it is acknowledged each time."""
        if self.state is State.TERMINATED:
            return
        if response.success:
            if self.state in (State.CALLING, State.PROCEEDING):
                self.state = State.ACCEPTED
                self._alarms.stop_all()
                self._alarms.set("M", self._timers.timeout, self._end)
            if self.state is State.ACCEPTED:
                self._on_response(response)
        elif response.provisional:
            if self.state in (State.CALLING, State.PROCEEDING):
                self.state = State.PROCEEDING
                self._alarms.stop("A", "B")
                self._on_response(response)
        elif self.state in (State.CALLING, State.PROCEEDING):
            self.state = State.COMPLETED
            self._alarms.stop_all()
            self._acknowledge(response)
            self._alarms.set("D", 0 if self.flow.reliable else self._timers.timeout, self._end)
            self._on_response(response)
        elif self.state is State.COMPLETED:
            self._acknowledge(response)

    def _acknowledge(self, response: Response) -> None:
        """17.1.1.3."""
        self.flow.send(follow_up(self.request, "ACK", response.first("To") or ""))


class NonInviteClient(ClientTransaction):
    """Any other request."""

    def start(self) -> None:
        """Send it; timers E and F."""
        self._begin(State.TRYING, "E", "F", self._timers.t2)

    def receive(self, response: Response) -> None:
        """1xx go up, and the first final one."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return
        if response.provisional:
            if self.state is State.TRYING and not self.flow.reliable:
                self._alarms.repeat("E", self._timers.t2, self._timers.t2, self._send)
            self.state = State.PROCEEDING
        else:
            self.state = State.COMPLETED
            self._alarms.stop_all()
            self._alarms.set("K", 0 if self.flow.reliable else self._timers.t4, self._end)
        self._on_response(response)


def follow_up(request: Request, method: str, to: str = "") -> Request:
    """ACK of a failure, or CANCEL: what an INVITE is followed by on its own way (RFC 3261 17.1.1.3, 9.1)."""
    kept = tuple(
        each
        for each in request.fields
        if any(each.is_named(name) for name in ("Route", "From", "To", "Call-ID", "Max-Forwards"))
    )
    follower = Request(kept, method=method, uri=request.uri).push("Via", request.values("Via")[0])
    if to:
        follower = follower.put("To", to)
    return follower.put("CSeq", str(CSeq(request.cseq.number, method))).put("Content-Length", "0")
