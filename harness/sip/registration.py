"""Registering an address, and keeping it registered (RFC 3261 10.2).

Strategy: one Call-ID and a growing CSeq for all REGISTERs of a registration. What the registrar grants decides when the
next one is due; what fails is tried again after a while.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from alg.errors import SipSyntaxError
from harness.sip.element import Where
from harness.sip.exchange import Exchange, Means, Outcome
from harness.sip.message import CSeq, Request, Response
from harness.sip.uri import NameAddr

_DUE = 0.8
"""Part of what was granted after which it is refreshed."""


class Registration:
    """One address at one registrar."""

    def __init__(self, means: Means, request: Request, expires: int, where: Where | None) -> None:
        self.registered = False
        """As far as is known."""
        self.granted = 0
        """seconds"""
        self.outcome: Outcome | None = None
        """Of the last REGISTER."""
        self.first: Deferred[Outcome] = Deferred()
        """Fires with what came of the first one."""
        self.on_outcome: Callable[[Outcome], None] = lambda outcome: None
        """Hears what came of each."""
        self._means = means
        self._request = request
        self._expires = expires
        self._where = where
        self._alarms = means.element.alarms()
        self._sequence = request.cseq.number
        self._stopped = False
        self._send(expires).addCallback(self.first.callback)

    def stop(self) -> Deferred[Outcome]:
        """Register no more, and take the registration back."""
        self._stopped = True
        self._alarms.stop_all()
        return self._send(0)

    def abandon(self) -> None:
        """Register no more, and say nothing."""
        self._stopped = True
        self._alarms.stop_all()

    def _refresh(self) -> None:
        self._send(self._expires)

    def _send(self, expires: int) -> Deferred[Outcome]:
        request = self._request.put("Expires", str(expires)).put("CSeq", str(CSeq(self._count(), "REGISTER")))
        exchange = Exchange(self._means, request, self._where, next_sequence=self._count)
        return exchange.done.addCallback(self._concluded, expires)

    def _count(self) -> int:
        self._sequence += 1
        return self._sequence

    def _concluded(self, outcome: Outcome, expires: int) -> Outcome:
        self.outcome = outcome
        self.registered = isinstance(outcome, Response) and outcome.success and expires > 0
        due: float = self._expires
        if isinstance(outcome, Response):
            if self.registered:
                self.granted = _granted(outcome, expires)
                due = self.granted * _DUE
            elif outcome.status == 423:
                self._expires = _number(outcome, "Min-Expires", self._expires)
                due = 0
        if not self._stopped:
            self._alarms.set("refresh", due, self._refresh)
        self.on_outcome(outcome)
        return outcome


def _granted(response: Response, asked: int) -> int:
    """The shortest time that any of its Contacts has, or its Expires says (10.2.4)."""
    times = []
    try:
        for value in response.values("Contact"):
            said = NameAddr.parse(value).params.get("expires") or ""
            if said.isdigit():
                times.append(int(said))
    except SipSyntaxError:
        times.clear()
    return max(1, min(times, default=_number(response, "Expires", asked)))


def _number(response: Response, name: str, otherwise: int) -> int:
    try:
        found = response.number(name)
    except SipSyntaxError:
        return otherwise
    return otherwise if found is None else found
