"""A request of a user agent's on its way to its final response: found a target for, and authenticated if asked to be.

Strategy: whatever happens, `done` fires once, with a `Response` or with a `NoResponse`; it does not fail. A challenge
is answered once with the credentials at hand (RFC 3261 22.2), and again if the nonce was stale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure as TwistedFailure

from alg.errors import SipSyntaxError
from harness.sip.client import Failure
from harness.sip.digest import Challenge, Credentials, answer, choose
from harness.sip.element import Element, Finish, Sending, Where
from harness.sip.flow import FlowFailed
from harness.sip.message import CSeq, Request, Response
from harness.sip.resolve import Locate, NotFound
from harness.sip.routing import next_hop

_CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class NoResponse:
    """Why there is no final response."""

    reason: Failure | FlowFailed | NotFound | SipSyntaxError

    @property
    def detail(self) -> str:
        """For a person."""
        return self.reason.value if isinstance(self.reason, Failure) else str(self.reason)


Outcome = Response | NoResponse


@dataclass(frozen=True, slots=True)
class Means:
    """What a user agent sends with."""

    element: Element
    locate: Locate
    finish: Finish
    credentials: Credentials | None = None


class Exchange:
    """One."""

    def __init__(
        self,
        means: Means,
        request: Request,
        where: Where | None = None,
        on_response: Callable[[Response], None] = lambda response: None,
        next_sequence: Callable[[], int] | None = None,
    ) -> None:
        """`where` goes before what the request says; `on_response` hears of every response but a challenge that is
        answered, 2xx that come again among them; `next_sequence` counts the CSeq of a dialog.
        """
        self.request = request
        """As it was sent last, without Via and Contact."""
        self.done: Deferred[Outcome] = Deferred()
        self._means = means
        self._where = where
        self._on_response = on_response
        self._next_sequence = next_sequence
        self._attempts = 0
        self._sending: Sending | None = None
        self._over = False
        self._cancelled = False
        self._begin()

    def cancel(self) -> None:
        """Cancel an INVITE."""
        self._cancelled = True
        if self._sending is not None:
            self._sending.cancel()

    def abandon(self) -> None:
        """Hear no more of it; `done` does not fire."""
        self._over = True
        if self._sending is not None:
            self._sending.abandon()

    def _begin(self) -> None:
        if self._where is not None:
            self._send(self._where)
            return
        try:
            found = self._means.locate(next_hop(self.request))
        except SipSyntaxError as error:
            self._finish(NoResponse(error))
            return
        found.addCallbacks(self._send, self._not_found)

    def _send(self, where: Any) -> None:
        if self._over:
            return
        if self._cancelled:
            self._finish(NoResponse(Failure.LOST))
            return
        self._attempts += 1
        means = self._means
        self._sending = means.element.send(self.request, where, self._response, self._failed, means.finish)

    def _not_found(self, reason: TwistedFailure) -> None:
        assert isinstance(reason.value, NotFound | FlowFailed), reason.getTraceback()
        self._finish(NoResponse(reason.value))

    def _failed(self, reason: Failure | FlowFailed) -> None:
        self._finish(NoResponse(reason))

    def _response(self, response: Response) -> None:
        challenge = self._challenge(response)
        if challenge is not None:
            self._authenticate(response.status, challenge)
            return
        self._on_response(response)
        if not response.provisional:
            self._finish(response)

    def _challenge(self, response: Response) -> Challenge | None:
        """One that can be answered, and was not yet."""
        if response.status not in _CHALLENGES or self._means.credentials is None or self._cancelled or self._over:
            return None
        asked, answered = _CHALLENGES[response.status]
        challenge = choose(response.all(asked))
        again = self.request.first(answered) is not None
        if challenge is None or self._attempts >= _MOST_ATTEMPTS or (again and not challenge.stale):
            return None
        return challenge

    def _authenticate(self, status: int, challenge: Challenge) -> None:
        means, request = self._means, self.request
        assert means.credentials is not None, "was asked before"
        cnonce = means.element.tokens.nonce()
        proof = answer(challenge, means.credentials, request.method, request.uri, cnonce)
        number = self._next_sequence() if self._next_sequence else request.cseq.number + 1
        self.request = request.put(_CHALLENGES[status][1], proof).put("CSeq", str(CSeq(number, request.method)))
        self._sending = None
        self._begin()

    def _finish(self, outcome: Outcome) -> None:
        if not self._over:
            self._over = True
            self.done.callback(outcome)


def send_ack(means: Means, ack: Request, where: Where | None) -> None:
    """Send the ACK of a 2xx, if there is a way for it."""
    if where is not None:
        means.element.send_once(ack, where, means.finish)
        return
    try:
        found = means.locate(next_hop(ack))
    except SipSyntaxError:
        return
    found.addCallbacks(lambda targets: means.element.send_once(ack, targets, means.finish), lambda failure: None)
