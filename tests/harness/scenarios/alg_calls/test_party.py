"""An endpoint of a scenario, against another one and without an ALG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.alg_calls.party import NO_ROUTE, REFUSED, Answer, Party, Traits
from harness.scenarios.stage import Network
from tests.harness.peers.turning import Turned


@dataclass
class Pair:
    """Two parties that reach each other directly."""

    turned: Turned
    network: Network
    caller: Party
    callee: Party

    def ask(self, method: str, *fields: tuple[str, str]) -> Answer:
        """A request of the caller's."""
        return self.result(self.caller.ask(self.caller.compose(method, self.callee.own, fields)))

    def call(self, *fields: tuple[str, str]) -> Answer:
        """An INVITE of the caller's."""
        body = self.caller.description()
        return self.result(self.caller.call(self.caller.compose("INVITE", self.callee.own, fields, body)))

    def result(self, what: Any) -> Any:
        """What comes of a coroutine."""
        return self.turned.result(Deferred.fromCoroutine(what))


@pytest.fixture
def traits() -> Traits:
    """The callee's."""
    return Traits(judge=lambda request: (603, "Decline") if request.first("Subject") else None, max_message=3000)


@pytest.fixture
def pair(turned: Turned, traits: Traits) -> Iterator[Pair]:
    """Both listen."""
    with Network() as network:
        hosts = network.host(2), network.host(3)
        everybody = frozenset(hosts)
        caller = Party(turned.reactor, "caller", hosts[0], hosts[0], everybody, Traits())
        callee = Party(turned.reactor, "callee", hosts[1], hosts[1], everybody, traits)
        for party in (caller, callee):
            party.listen(0)
        pair = Pair(turned, network, caller, callee)
        yield pair
        closing = [Deferred.fromCoroutine(party.close()) for party in (caller, callee)]
        for each in closing:
            turned.result(each)


def test_a_call(pair: Pair) -> None:
    """Is answered, acknowledged, and ended by whoever wants."""
    assert pair.call().text == "200 OK"
    session = pair.result(pair.callee.wait("ACK", 5.0))
    assert session is not None
    assert pair.result(pair.callee.hang_up(session)).text == "200 OK"
    assert pair.caller.notes["BYE"] == 1
    assert pair.callee.notes["200 again"] == 0


def test_a_registration(pair: Pair) -> None:
    """Its binding is confirmed (RFC 3261 10.3); other requests are taken without one."""
    answer = pair.ask("REGISTER", ("Expires", "60"))
    assert (answer.text, answer.response.all("Contact")) == ("200 OK", [pair.caller.contact[1]])
    assert pair.ask("OPTIONS").response.all("Contact") == []


def test_a_call_that_is_changed(pair: Pair) -> None:
    """As real phones do in the middle of one: it is the same call, whose 200 comes again until it is acknowledged."""
    pair.call()
    session = next(iter(pair.caller.sessions.values()))
    again = session.dialog.request("INVITE", [pair.caller.contact]).with_body(pair.caller.description())
    answer = pair.result(pair.caller.ask(again))
    assert (answer.text, answer.response.to.tag) == ("200 OK", session.dialog.remote.tag)
    assert answer.response.body == pair.callee.description()
    pair.turned.until("the 200 comes again", lambda: pair.callee.notes["200 again"] > 0)
    assert len(pair.callee.sessions) == 1
    assert pair.result(pair.caller.hang_up(session)).text == "200 OK"
    late = session.dialog.request("INVITE", [pair.caller.contact])
    assert pair.result(pair.caller.ask(late)).text == "481 Call/Transaction Does Not Exist"


def test_a_call_that_is_refused(pair: Pair) -> None:
    """As its traits have it, or as a Replaces finds nothing."""
    assert pair.call(("Subject", "no")).text == "603 Decline"
    assert pair.call(("Replaces", "1@x;to-tag=1;from-tag=2")).text == "481 Call/Transaction Does Not Exist"
    assert not pair.caller.sessions
    assert not pair.callee.sessions


def test_an_ack_for_somebody_else(pair: Pair) -> None:
    """Does not count: the 200 comes again."""
    invite = pair.caller.compose("INVITE", pair.callee.own, (), pair.caller.description())
    answer = pair.result(pair.caller.ask(invite))
    assert answer.text == "200 OK"
    pair.turned.until("the 200 comes again", lambda: pair.callee.notes["200 again"] > 0)
    assert pair.callee.notes["ACK"] == 0
    assert pair.result(pair.caller.wait("BYE", 0.01)) is None


def test_a_message_that_is_too_large(pair: Pair) -> None:
    """Costs the connection, and the CUCM's trace says why; there is no SIP answer."""
    assert pair.ask("MESSAGE", ("X-Padding", "x" * 3000)).text == "connection lost"
    assert pair.callee.notes["message too large"] == 1
    assert "Only allow up to 3000 bytes. Resetting connection." in pair.callee.trace.getvalue()


def test_from_beyond_the_alg(pair: Pair) -> None:
    """Nobody gets through, although the address answers."""
    pair.callee.beyond = frozenset((pair.caller.called,))
    assert pair.ask("OPTIONS").text == "connection lost"
    assert pair.callee.callers == []


def test_where_nothing_can_be_sent(pair: Pair) -> None:
    """No route, or nobody who listens; both are told, and neither raises."""
    away = pair.caller.compose("OPTIONS", ("192.0.2.1", 5060))
    assert pair.result(pair.caller.ask(away)).text == NO_ROUTE
    nobody = pair.caller.compose("OPTIONS", (pair.network.host(3), 1))
    assert pair.result(pair.caller.ask(nobody)).text == REFUSED
    assert 'Detail="TCP Connection Failed"' in pair.caller.log.getvalue()
