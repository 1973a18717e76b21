"""An element: targets in turn, the way back, CANCEL at the right time."""

from __future__ import annotations

import pytest

from harness.sip.client import Failure
from harness.sip.element import Element
from harness.sip.flow import FlowFailed, Target
from harness.sip.message import Request, Response
from harness.sip.server import ServerTransaction
from tests.harness.sip.network import PORT, Network, seconds_of
from tests.harness.sip.samples import request

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"


class Answering:
    """A core that answers with a status, or not at all."""

    def __init__(self, element: Element, *statuses: int) -> None:
        self.asked: list[ServerTransaction] = []
        self.statuses = statuses
        element.core = self

    def request_came(self, asked: Request, transaction: ServerTransaction) -> None:
        """As Core has it."""
        self.asked.append(transaction)
        for status in self.statuses:
            transaction.respond(Response.to_request(asked, status, tag="b"))

    def ack_came(self, asked: Request, flow: object) -> None:
        """As Core has it."""


class Asking:
    """A request on its way, and what comes of it."""

    def __init__(self, element: Element, method: str, *targets: Target) -> None:
        self.responses: list[int] = []
        self.failures: list[Failure | FlowFailed] = []
        asked = request(method).drop("Via")
        self.sending = element.send(
            asked, targets, lambda each: self.responses.append(each.status), self.failures.append
        )


def at(host: str, kind: str = "UDP") -> Target:
    """A target."""
    return Target(kind, host, PORT)


def test_request_and_response(network: Network) -> None:
    """With a Via of ours, by which the response finds its way."""
    alice, bob = network.element(A), network.element(B)
    core = Answering(bob, 200)
    asked = Asking(alice, "OPTIONS", at(B))
    network.run()
    assert asked.responses == [200]
    via = core.asked[0].request.via
    assert (via.sent_by, via.params.get("rport"), via.branch[:7]) == ((A, PORT), str(PORT), "z9hG4bK")


def test_targets_in_turn(network: Network) -> None:
    """Refused, silent, 503: each time the next one is asked (RFC 3263 4.3), with another branch."""
    alice, bob, carol = network.element(A, "UDP", "TCP"), network.element(B), network.element(C)
    Answering(bob, 503)
    core = Answering(carol, 200)
    asked = Asking(alice, "OPTIONS", at("192.0.2.99", "TCP"), at("192.0.2.98"), at(B), at(C))
    network.run(40)
    assert (asked.responses, asked.failures, len(core.asked)) == ([200], [], 1)
    branches = {message.via.branch for message in network.messages if isinstance(message, Request)}
    assert len(branches) == 3


@pytest.mark.parametrize("kind", ["TCP", "UDP"])
def test_nobody_answers(network: Network, kind: str) -> None:
    """One failure, of the last target."""
    asked = Asking(network.element(A, kind), "OPTIONS", at("192.0.2.98", kind), at("192.0.2.99", kind))
    network.run(70)
    (failure,) = asked.failures
    if kind == "UDP":
        assert failure is Failure.TIMEOUT
    else:
        assert isinstance(failure, FlowFailed)
        assert failure.target.host == "192.0.2.99"


def test_no_target_at_all(network: Network) -> None:
    """Is a failure too."""
    (failure,) = Asking(network.element(A), "OPTIONS").failures
    assert "nowhere" in str(failure)


def test_lost_messages(network: Network) -> None:
    """Half of them may get lost: the request is asked once, and answered."""
    alice, bob = network.element(A), network.element(B)
    core = Answering(bob, 200)
    fates = iter([True, False, True, False, False])
    network.lost = lambda message: next(fates)
    asked = Asking(alice, "OPTIONS", at(B))
    network.run(10)
    assert (asked.responses, len(core.asked)) == ([200], 1)
    assert network.count(f"{A} > {B}: OPTIONS") == 3
    assert network.count(f"{B} > {A}: 200 OPTIONS") == 2


def test_response_on_a_new_connection(network: Network) -> None:
    """If the one that its request came on is gone (RFC 3261 18.2.2)."""
    alice, bob = network.element(A, "TCP"), network.element(B, "TCP")
    core = Answering(bob)
    asked = Asking(alice, "OPTIONS", at(B, "TCP"))
    network.run()
    network.cut(B)
    assert asked.failures == [Failure.LOST]
    core.asked[0].respond(Response.to_request(core.asked[0].request, 200, tag="b"))
    network.run()
    assert network.log[-1] == f"{B} > {A}: 200 OPTIONS"


def test_cancel(network: Network) -> None:
    """Not before a provisional response has come (9.1); then at once."""
    alice, bob = network.element(A), network.element(B)
    core = Answering(bob)
    asked = Asking(alice, "INVITE", at(B))
    network.run(0.1)
    asked.sending.cancel()
    network.run(0.05)
    assert "CANCEL" not in "".join(network.log)
    core.asked[0].on_cancel = lambda: core.asked[0].respond(Response.to_request(core.asked[0].request, 487, tag="b"))
    network.run(0.2)
    assert asked.responses == [100, 487]
    assert network.count(f"{A} > {B}: CANCEL") == 1


def test_cancel_without_effect(network: Network) -> None:
    """Nobody waits for ever for the final response."""
    alice, bob = network.element(A), network.element(B)
    Answering(bob, 180)
    asked = Asking(alice, "INVITE", at(B))
    network.run(0.1)
    asked.sending.cancel()
    network.run(31)
    assert asked.failures == []
    network.run(2)
    assert asked.failures == [Failure.TIMEOUT]


def test_closed_behind_a_cancel(network: Network) -> None:
    """Nobody waits any more, nor is a timer set behind the end."""
    alice, bob = network.element(A), network.element(B)
    Answering(bob, 180)
    asked = Asking(alice, "INVITE", at(B))
    used = alice.alarms()
    network.run(0.1)
    asked.sending.cancel()
    assert network.close() == []
    used.set("late", 1, pytest.fail)
    assert network.close() == []


def test_cancelled_before_it_was_sent(network: Network) -> None:
    """Then there is nothing to be cancelled, and nothing is tried any more."""
    alice = network.element(A)
    asked = Asking(alice, "INVITE", at("192.0.2.98"), at("192.0.2.99"))
    asked.sending.cancel()
    network.run(40)
    assert asked.failures == [Failure.TIMEOUT]
    assert not any("192.0.2.99" in entry for entry in network.log)


def test_retransmission_times(network: Network) -> None:
    """The clock of the network shows what RFC 3261 17.1.1.2 says."""
    alice = network.element(A)
    Asking(alice, "INVITE", at("192.0.2.98"))
    assert seconds_of(network, "INVITE", 8) == pytest.approx([0.5, 1.5, 3.5, 7.5], abs=0.03)


def test_own_addresses(network: Network) -> None:
    """Where it listens is its own."""
    alice = network.element(A)
    assert alice.is_own(A, PORT)
    assert not alice.is_own(A, 5070)
    assert not alice.is_own(B, PORT)


def test_advertised(network: Network) -> None:
    """An element behind a static NAT calls itself by what it is told."""
    alice = network.element(A, advertised=lambda flow: ("64.100.0.10", 7003), via_params=(("egress-zone", "Z"),))
    Asking(alice, "OPTIONS", at(B))
    via = network.messages[0].via
    assert (via.sent_by, via.params.get("egress-zone")) == (("64.100.0.10", 7003), "Z")
