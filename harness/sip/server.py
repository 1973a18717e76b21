"""Server transactions: INVITE (RFC 3261 17.2.1, RFC 6026) and the others (17.2.2).

Strategy: a request came, the core responds. Retransmissions of the request are answered or absorbed here; a failure
is retransmitted until its ACK comes. A 2xx to an INVITE is retransmitted by who made it (13.3.1.4), and its ACK goes
there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from harness.sip.client import Failure, State
from harness.sip.flow import Flow
from harness.sip.message import Request, Response
from harness.sip.timers import Alarms, Timers

Reply = Callable[[Flow, Response], bool]
"""Sends a response where it has to go, over the flow its request came on if that still stands; False if it could not
be sent."""


class ServerTransaction(ABC):
    """What both kinds share."""

    def __init__(self, request: Request, flow: Flow, clock: Any, timers: Timers, reply: Reply) -> None:
        self.request = request
        self.flow = flow
        self.state = State.TRYING
        self.last: Response | None = None
        """What was answered last."""
        self.on_end: Callable[[], None] = lambda: None
        """Called once when it is over."""
        self.on_cancel: Callable[[], None] = lambda: None
        """Called when a CANCEL for it came, and it has no final response yet (an INVITE's)."""
        self.on_failure: Callable[[Failure], None] = lambda failure: None
        """Called if no ACK comes for a failure, or if a response cannot be sent."""
        self._timers = timers
        self._alarms = Alarms(clock)
        self._reply = reply

    @property
    def answered(self) -> bool:
        """It has its final response."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    @abstractmethod
    def receive(self, request: Request) -> bool:
        """Its request came again, or the ACK of a failure; False if that is not for the transaction."""

    @abstractmethod
    def respond(self, response: Response) -> None:
        """Send a response. One behind a final one is not sent, but for an INVITE's 2xx."""

    def abandon(self) -> None:
        """Forget it; nobody is told."""
        if self.state is not State.TERMINATED:
            self._end()

    def _send(self) -> None:
        assert self.last is not None, "something was answered"
        if not self._reply(self.flow, self.last):
            self.on_failure(Failure.LOST)

    def _end(self) -> None:
        self.state = State.TERMINATED
        self._alarms.stop_all()
        self.on_end()


class InviteServer(ServerTransaction):
    """An INVITE; says 100 by itself if nothing else is said in time."""

    def __init__(self, request: Request, flow: Flow, clock: Any, timers: Timers, reply: Reply) -> None:
        super().__init__(request, flow, clock, timers, reply)
        self.state = State.PROCEEDING
        self._alarms.set("100", timers.trying, lambda: self.respond(Response.to_request(request, 100)))

    def receive(self, request: Request) -> bool:
        """17.2.1, and RFC 6026 7.1: an ACK in ACCEPTED is the core's."""
        if request.method == "ACK":
            if self.state is State.COMPLETED:
                self.state = State.CONFIRMED
                self._alarms.stop_all()
                self._alarms.set("I", 0 if self.flow.reliable else self._timers.t4, self._end)
            return self.state is not State.ACCEPTED
        if self.state in (State.PROCEEDING, State.COMPLETED) and self.last is not None:
            self._send()
        return True

    def respond(self, response: Response) -> None:
        """Timers G and H for a failure, L for a 2xx."""
        timers = self._timers
        if self.state is State.ACCEPTED and response.success:
            self.last = response
            self._send()
        if self.state is not State.PROCEEDING:
            return
        self._alarms.stop("100")
        self.last = response
        if response.success:
            self.state = State.ACCEPTED
            self._alarms.set("L", timers.timeout, self._end)
        elif not response.provisional:
            self.state = State.COMPLETED
            self._alarms.set("H", timers.timeout, self._unacknowledged)
            if not self.flow.reliable:
                self._alarms.repeat("G", timers.t1, timers.t2, self._send)
        self._send()

    def _unacknowledged(self) -> None:
        self._end()
        self.on_failure(Failure.TIMEOUT)


class NonInviteServer(ServerTransaction):
    """Any other request."""

    def receive(self, request: Request) -> bool:
        """17.2.2."""
        if self.last is not None and self.state is not State.TERMINATED:
            self._send()
        return True

    def respond(self, response: Response) -> None:
        """Timer J behind a final response."""
        if self.answered:
            return
        self.last = response
        if response.provisional:
            self.state = State.PROCEEDING
        else:
            self.state = State.COMPLETED
            self._alarms.set("J", 0 if self.flow.reliable else self._timers.timeout, self._end)
        self._send()
