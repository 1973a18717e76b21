"""Which transaction a message belongs to, and what is answered without asking anybody."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from alg.errors import SipSyntaxError
from harness.sip.client import Failure
from harness.sip.flow import Flow, Loss
from harness.sip.message import Request, Response, parse
from harness.sip.server import ServerTransaction
from harness.sip.timers import Timers
from harness.sip.transactions import Transactions
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response


class Scene:
    """Transactions with a core that keeps what it is asked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.flow = FakeFlow(remote=("192.0.2.1", 5060))
        self.asked: list[ServerTransaction] = []
        self.acks: list[Request] = []
        self.malformed: list[str] = []
        self.raises = False
        self.transactions = Transactions(self.clock, Timers(), lambda flow, message: flow.send(message), self._note)
        self.transactions.core = self

    def _note(self, message: Any, flow: Flow, error: SipSyntaxError) -> None:
        self.malformed.append(error.reason)

    def request_came(self, asked: Request, transaction: ServerTransaction) -> None:
        """As Core has it."""
        if self.raises:
            raise SipSyntaxError("contact", "INVITE without a Contact", 0)
        self.asked.append(transaction)

    def ack_came(self, asked: Request, flow: Flow) -> None:
        """As Core has it."""
        if self.raises:
            raise SipSyntaxError("route", "no address", 0)
        self.acks.append(asked)

    def get(self, *messages: Request | Response) -> None:
        """Messages come."""
        for message in messages:
            self.transactions.receive(message, self.flow)


@pytest.fixture
def scene() -> Scene:
    """With nothing in it."""
    return Scene()


def test_request_is_told_once(scene: Scene) -> None:
    """What comes again is the transaction's."""
    scene.get(request("OPTIONS"), request("OPTIONS"), request("OPTIONS", branch="z9hG4bKother"))
    assert len(scene.asked) == 2


@pytest.mark.parametrize("other", [{"method": "OPTIONS"}, {"branch": "z9hG4bKy"}])
def test_what_makes_another_transaction(scene: Scene, other: dict[str, str]) -> None:
    """Another method or branch (17.2.3)."""
    scene.get(request("MESSAGE"), request(**({"method": "MESSAGE"} | other)))
    assert len(scene.asked) == 2


def test_another_sender_is_another_transaction(scene: Scene) -> None:
    """The same branch of another host is chance."""
    scene.get(request(), request().with_first("Via", "SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx"))
    assert len(scene.asked) == 2


def test_without_the_magic_cookie(scene: Scene) -> None:
    """As RFC 2543 has it, by everything else."""
    scene.get(request(branch="1"), request(branch="1"), request(branch="1", number=2))
    assert len(scene.asked) == 2


def test_source_is_noted(scene: Scene) -> None:
    """In the Via that the response will have."""
    scene.flow.remote = ("198.51.100.7", 4401)
    scene.get(request())
    assert scene.asked[0].request.via.params.get("received") == "198.51.100.7"


def test_ack_of_a_failure_and_of_a_success(scene: Scene) -> None:
    """The first is its transaction's, the second the core's, whatever its branch is."""
    scene.get(request())
    scene.asked[0].respond(response(request(), 486))
    scene.get(request("ACK"))
    assert not scene.acks
    scene.get(request(branch="z9hG4bKy"))
    scene.asked[1].respond(response(request(branch="z9hG4bKy"), 200))
    scene.get(request("ACK", branch="z9hG4bKy"), request("ACK", branch="z9hG4bKz"))
    assert len(scene.acks) == 2


def test_cancel(scene: Scene) -> None:
    """It is answered with the tag of its INVITE, and told as long as that has no final response (9.2)."""
    told: list[str] = []
    scene.get(request())
    scene.asked[0].on_cancel = lambda: told.append("cancelled")
    scene.asked[0].respond(response(request(), 180, tag="mine"))
    scene.get(request("CANCEL"), request("CANCEL"))
    assert told == ["cancelled"]
    assert scene.flow.titles == ["180", "200", "200"]
    ok = scene.flow.sent[1]
    assert isinstance(ok, Response)
    assert (ok.cseq.method, ok.to.tag) == ("CANCEL", "mine")


def test_cancel_too_late_and_of_nothing(scene: Scene) -> None:
    """The first one is answered and has no effect; the second is 481."""
    told: list[str] = []
    scene.get(request())
    scene.asked[0].on_cancel = lambda: told.append("cancelled")
    scene.asked[0].respond(response(request(), 200))
    scene.get(request("CANCEL"), request("CANCEL", branch="z9hG4bKnone"))
    assert (told, scene.flow.titles) == ([], ["200", "200", "481"])


def test_responses_find_their_transaction(scene: Scene) -> None:
    """By branch and method; what belongs to none is dropped."""
    got: list[int] = []
    scene.transactions.client(request(), scene.flow, lambda each: got.append(each.status), lambda failure: None)
    scene.get(response(request(branch="z9hG4bKelse"), 180), response(request("BYE"), 200), response(request(), 183))
    assert got == [183]


def test_lost_connection_is_told_to_its_transactions(scene: Scene) -> None:
    """And to no others; those of the server have nothing to lose."""
    told: list[Failure] = []
    other = FakeFlow()
    scene.transactions.client(request(), scene.flow, lambda each: None, told.append)
    scene.transactions.client(request(branch="z9hG4bKy"), other, lambda each: None, told.append)
    scene.get(request("OPTIONS"))
    scene.transactions.flow_lost(scene.flow, Loss.EOF)
    assert told == [Failure.LOST]
    assert scene.transactions.count == 2


def test_nothing_is_left(scene: Scene) -> None:
    """Neither of what ended by itself, nor of what was abandoned."""
    scene.transactions.client(request(), scene.flow, lambda each: None, lambda failure: None)
    scene.get(request("OPTIONS"), request(branch="z9hG4bKy"))
    assert scene.transactions.count == 3
    scene.transactions.abandon()
    assert scene.transactions.count == 0
    assert not scene.clock.getDelayedCalls()


@pytest.mark.parametrize(
    ("change", "answer"),
    [({"CSeq": "1 BYE"}, ["400"]), ({"Max-Forwards": "x"}, ["400"]), ({"Call-ID": ""}, ["400"]), ({"Via": "x"}, [])],
)
def test_malformed_request(scene: Scene, change: dict[str, str], answer: list[str]) -> None:
    """400 with the reason, if it is known where that goes; the core hears of none."""
    ((name, value),) = change.items()
    scene.get(request("OPTIONS").put(name, value))
    assert (scene.flow.titles, scene.asked, len(scene.malformed)) == (answer, [], 1)
    for message in scene.flow.sent:
        assert parse(message.to_bytes()).to_bytes() == message.to_bytes()


def test_malformed_ack_and_response(scene: Scene) -> None:
    """Neither is ever answered."""
    scene.get(request("ACK").put("CSeq", "x"), response(request(), 200).put("CSeq", "x"))
    assert (scene.flow.titles, len(scene.malformed)) == ([], 2)


def test_core_finds_something_malformed(scene: Scene) -> None:
    """That is 400 as well; nothing escapes."""
    scene.raises = True
    scene.get(request(), request("ACK", branch="z9hG4bKy"))
    assert scene.flow.titles == ["400"]
    refused = scene.flow.sent[0]
    assert isinstance(refused, Response)
    assert refused.reason == "INVITE without a Contact"


def test_without_a_core(scene: Scene) -> None:
    """Everything is 503."""
    scene.transactions.core = None
    scene.get(request("OPTIONS"))
    assert scene.flow.titles == ["503"]
