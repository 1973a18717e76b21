"""Client transactions, second by second (RFC 3261 17.1, RFC 6026)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from harness.sip.client import ClientTransaction, Failure, InviteClient, NonInviteClient, State, follow_up
from harness.sip.flow import Loss
from harness.sip.message import Request, Response
from harness.sip.timers import Timers
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response


class Sent:
    """A transaction that was begun, and what it tells."""

    def __init__(self, method: str, reliable: bool = False, **fields: str) -> None:
        self.clock = Clock()
        self.flow = FakeFlow(reliable)
        self.responses: list[int] = []
        self.failures: list[Failure] = []
        self.ended: list[float] = []
        self.request = request(method, **fields)
        kind: Any = InviteClient if method == "INVITE" else NonInviteClient
        self.transaction: ClientTransaction = kind(
            self.request, self.flow, self.clock, Timers(), self._response, self.failures.append
        )
        self.transaction.on_end = lambda: self.ended.append(self.clock.seconds())
        self.transaction.start()

    def _response(self, came: Response) -> None:
        self.responses.append(came.status)

    def get(self, *statuses: int) -> None:
        """Responses come."""
        for status in statuses:
            self.transaction.receive(response(self.request, status))

    def times(self, seconds: float) -> list[float]:
        """When something is sent in so many seconds, the first time counted from 0."""
        times = [0.0] * len(self.flow.sent)
        for _ in range(int(seconds * 2)):
            self.clock.advance(0.5)
            times += [self.clock.seconds()] * (len(self.flow.sent) - len(times))
        return times

    def rest(self) -> None:
        """Nothing is left."""
        assert self.transaction.state is State.TERMINATED
        assert not self.clock.getDelayedCalls()
        assert len(self.ended) == 1


def test_invite_is_retransmitted() -> None:
    """Timer A doubles without bound, timer B ends it after 64 T1."""
    sent = Sent("INVITE")
    assert sent.times(40) == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (sent.failures, sent.ended) == ([Failure.TIMEOUT], [32.0])
    sent.rest()


def test_others_are_retransmitted() -> None:
    """Timer E doubles up to T2; in PROCEEDING it is T2. Timer F ends it in either state."""
    sent = Sent("OPTIONS")
    assert sent.times(40) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert sent.failures == [Failure.TIMEOUT]
    sent.rest()
    sent = Sent("OPTIONS")
    sent.get(100)
    assert sent.times(10) == [0, 4, 8]
    sent.clock.advance(22)
    assert sent.failures == [Failure.TIMEOUT]
    sent.rest()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_nothing_is_retransmitted_over_a_connection(method: str) -> None:
    """Though it times out all the same."""
    sent = Sent(method, reliable=True)
    assert sent.times(31.5) == [0]
    assert not sent.failures
    sent.clock.advance(0.5)
    assert sent.failures == [Failure.TIMEOUT]
    sent.rest()


def test_provisional_response_ends_retransmissions() -> None:
    """An INVITE that was answered provisionally may wait for ever."""
    sent = Sent("INVITE")
    sent.get(100, 180)
    assert sent.times(300) == [0]
    assert (sent.responses, sent.failures) == ([100, 180], [])


def test_failure_is_acknowledged_each_time() -> None:
    """It is told once; timer D keeps the transaction for as long as it may come again."""
    sent = Sent("INVITE", Route="<sip:p;lr>")
    sent.get(404, 404, 180, 200)
    assert sent.responses == [404]
    assert sent.flow.titles == ["INVITE", "ACK", "ACK"]
    ack = sent.flow.sent[1]
    assert isinstance(ack, Request)
    assert (ack.uri, str(ack.via), ack.to.tag, str(ack.cseq)) == (sent.request.uri, str(sent.request.via), "b", "1 ACK")
    assert ack.values("Route") == ["<sip:p;lr>"]
    sent.clock.advance(31.9)
    assert not sent.ended
    sent.clock.advance(0.1)
    sent.rest()


def test_each_success_is_told() -> None:
    """RFC 6026: 2xx of other branches, or the same one again, are the core's to acknowledge, for 64 T1."""
    sent = Sent("INVITE")
    sent.get(180, 200, 200, 486)
    assert (sent.responses, sent.flow.titles) == ([180, 200, 200], ["INVITE"])
    sent.clock.advance(32)
    sent.rest()


@pytest.mark.parametrize(("reliable", "lasts"), [(False, 5.0), (True, 0.0)])
def test_final_response_of_others(reliable: bool, lasts: float) -> None:
    """Told once; timer K is T4, or nothing over a connection."""
    sent = Sent("OPTIONS", reliable)
    sent.get(200, 200)
    assert sent.responses == [200]
    sent.clock.advance(0)
    sent.clock.advance(lasts)
    sent.rest()
    assert sent.ended == [lasts]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("before", [(), (100,)])
def test_connection_is_lost(method: str, before: tuple[int, ...]) -> None:
    """That is told at once, and once."""
    sent = Sent(method, reliable=True)
    sent.get(*before)
    sent.transaction.flow_lost(Loss.RESET)
    sent.transaction.flow_lost(Loss.RESET)
    assert sent.failures == [Failure.LOST]
    sent.rest()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_connection_is_lost_behind_the_response(method: str) -> None:
    """Nobody has to know."""
    sent = Sent(method)
    sent.get(200)
    sent.transaction.flow_lost(Loss.RESET)
    assert not sent.failures
    sent.rest()


def test_request_cannot_be_sent() -> None:
    """That is told behind `start`."""
    sent = Sent("OPTIONS", reliable=True)
    sent.transaction.abandon()
    sent.flow.open = False
    sent.transaction.start()
    assert not sent.failures
    sent.clock.advance(0)
    assert sent.failures == [Failure.LOST]


def test_response_behind_the_end() -> None:
    """Is none."""
    sent = Sent("INVITE")
    sent.transaction.abandon()
    sent.get(180, 200, 404)
    assert not sent.responses
    sent.rest()


def test_cancel_goes_the_way_of_its_invite() -> None:
    """RFC 3261 9.1: the same Request-URI, Via, Route and number; no body, no Contact."""
    invite = request(Route="<sip:p;lr>", Contact="<sip:a>", Proxy_Require="x").with_body(b"v=0\r\n")
    cancel = follow_up(invite, "CANCEL")
    assert (cancel.uri, cancel.values("Via"), str(cancel.cseq)) == (invite.uri, invite.values("Via"), "1 CANCEL")
    assert (cancel.values("Route"), cancel.to.tag, cancel.body) == (["<sip:p;lr>"], "", b"")
    assert {each.name for each in cancel.fields} >= {"Max-Forwards", "From", "To", "Call-ID", "Content-Length"}
    assert not {"Contact", "Content-Type", "Proxy-Require"} & {each.name for each in cancel.fields}
