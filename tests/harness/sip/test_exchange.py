"""A request and what comes of it: one outcome, whatever happens."""

from __future__ import annotations

import pytest

from harness.sip.client import Failure
from harness.sip.digest import Challenge, Credentials, proves
from harness.sip.exchange import Exchange, NoResponse, send_ack
from harness.sip.message import Response
from harness.sip.resolve import NotFound
from tests.harness.sip.network import Network

A, B = "192.0.2.1", "192.0.2.2"


def test_name_without_an_address(network: Network) -> None:
    """Is an outcome, and says which name."""
    asked = network.agent(A).ask("OPTIONS", "sip:nowhere.example.com")
    assert isinstance(asked.result, NoResponse)
    assert isinstance(asked.result.reason, NotFound)
    assert "nowhere.example.com" in asked.result.detail


def test_uri_that_is_none(network: Network) -> None:
    """So is this."""
    asked = network.agent(A).ask("OPTIONS", "tel:+1")
    assert isinstance(asked.result, NoResponse)
    assert "tel:+1" in asked.result.detail


def test_silence(network: Network) -> None:
    """And this."""
    asked = network.agent(A).ask("OPTIONS", f"sip:{B}")
    network.run(33)
    assert asked.result == NoResponse(Failure.TIMEOUT)
    assert asked.result.detail == "no response in time"


@pytest.mark.parametrize(
    ("status", "challenge", "proof"),
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_challenged(network: Network, status: int, challenge: str, proof: str) -> None:
    """Whoever asks, server or proxy, is answered in its own field."""
    who = Credentials("a", "b")
    alice, bob = network.agent(A, credentials=who), network.agent(B)
    asked = Challenge("r", "n", "SHA-256")
    bob.on_call = lambda call: (
        call.answer() if call.request.first(proof) else call.reject(status, "", [(challenge, str(asked))])
    )
    call = alice.call(f"sip:{B}")
    network.run()
    assert call.established.result is True
    ack = network.last("ACK")
    assert proves(ack.first(proof), asked, who, "INVITE"), "an ACK has the proof of its INVITE (22.1)"
    assert [response.status for response in call.responses] == [180, 200][-1:]


def test_without_credentials(network: Network) -> None:
    """A challenge is the outcome."""
    alice, bob = network.agent(A), network.agent(B)
    bob.handlers["OPTIONS"] = lambda request, transaction: transaction.respond(
        Response.to_request(request, 401, "", [("WWW-Authenticate", str(Challenge("r", "n")))], "t")
    )
    asked = alice.ask("OPTIONS", f"sip:{B}")
    network.run()
    assert isinstance(asked.result, Response)
    assert asked.result.status == 401


def test_abandoned(network: Network) -> None:
    """Nobody hears of it."""
    alice = network.agent(A)
    exchange = Exchange(alice.means, alice.request("OPTIONS", f"sip:{B}"))
    exchange.abandon()
    network.run(40)
    assert not exchange.done.called
    assert not network.clock.getDelayedCalls()


def test_ack_that_has_no_way(network: Network) -> None:
    """Is not sent, and that is all."""
    alice = network.agent(A)
    for uri in ("tel:+1", "sip:nowhere.example.com"):
        send_ack(alice.means, alice.request("ACK", uri), None)
    assert network.log == []
