"""An Expressway-C: which Routes are its own, what it answers, where it tries to connect."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from functools import partial

import pytest

from harness.peers.traversal_service import apparent_route
from harness.sip.exchange import NoResponse
from harness.sip.flow import Flow, FlowFailed
from harness.sip.message import Request, Response
from tests.edge.sockets import free_port_pair
from tests.harness.peers.mra import CORE, EDGE, Mra
from tests.harness.peers.sparring import abuse, close
from tests.harness.peers.turning import Turned


@pytest.fixture
def mra(turned: Turned) -> Iterator[Mra]:
    """Connected."""
    mra = Mra(turned)
    yield mra
    mra.close()


def ask(turned: Turned, mra: Mra, request: Request) -> Response:
    """What the Expressway-C answers to a request on the zone's connection."""
    answers: list[Response] = []
    zone = mra.edge.zone
    assert zone is not None
    mra.edge.element.send(request, zone, answers.append, lambda failure: None)
    turned.until("an answer", lambda: bool(answers) and not answers[-1].provisional)
    return answers[-1]


def message(mra: Mra, *routes: str) -> Request:
    """A MESSAGE with these Routes."""
    fields = (
        ("Max-Forwards", "70"),
        ("From", "<sip:a@example.com>;tag=1"),
        ("To", "<sip:5010@example.local>"),
        ("Call-ID", mra.edge.element.tokens.call_id("a")),
        ("CSeq", "1 MESSAGE"),
        *(("Route", route) for route in routes),
    )
    return Request.make("MESSAGE", "sip:5010@example.local", fields)


def test_knows_itself(turned: Turned, mra: Mra) -> None:
    """By its own end of the connection: the request goes on to CUCM, without that Route."""
    zone = mra.edge.zone
    assert zone is not None
    response = ask(turned, mra, message(mra, apparent_route(zone.remote, "TCP")))
    assert response.status in (200, 405)
    assert response.first("Warning") is None


def test_does_not_know_itself(turned: Turned, mra: Mra) -> None:
    """By an address that somebody made of it: it tries four times to connect there, and says 408 with its own name."""
    port = free_port_pair(EDGE)
    response = ask(turned, mra, message(mra, apparent_route((EDGE, port), "TCP")))
    assert (response.status, response.reason) == (408, "Request Timeout")
    assert response.first("Warning") == f'399 {CORE}:5061 "Request Timeout"'
    assert str(response.first("Server")).startswith("TANDBERG/")
    log = mra.core.log.getvalue()
    assert log.count(f'Dst-ip="{EDGE}" Dst-port="{port}" Detail="TCP Connecting"') == 4
    assert log.count(f'Dst-ip="{EDGE}" Dst-port="{port}" Detail="TCP Connection Failed"') == 4


def test_service_without_question(turned: Turned, mra: Mra) -> None:
    """A SERVICE that asks nothing is a bad request."""
    asked = message(mra, "<sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>")
    request = Request(asked.fields, b"", method="SERVICE", uri=asked.uri).put("CSeq", "1 SERVICE")
    assert ask(turned, mra, request).status == 400


def test_nobody_to_connect_to(turned: Turned) -> None:
    """An Expressway-E that is not there is told as such."""
    mra = Mra(turned, connects=False)
    close(turned, mra.edge)
    with pytest.raises(FlowFailed, match="could not be made"):
        turned.result(mra.core.connect())
    mra.close()


@pytest.mark.parametrize("end", ["answer", "close"])
def test_a_zone_stands_when_it_is_answered(turned: Turned, end: str) -> None:
    """Not before: an Expressway-E has to know it by then. One that goes instead is waited for no longer."""
    mra = Mra(turned, connects=False)
    close(turned, mra.edge)
    with socket.create_server(mra.core.settings.zone.address) as server:
        zones: list[Flow] = []
        mra.core.connect().addCallback(zones.append)
        told, _ = turned.meanwhile(server.accept)
        with told:
            asked = turned.meanwhile(partial(told.recv, 4096))
            assert asked.startswith(b"OPTIONS ")
            start_line = asked.split(b"\r\n")[0]
            told.sendall(asked.replace(start_line, b"SIP/2.0 100 Trying", 1))
            turned.meanwhile(partial(time.sleep, 0.1))
            assert not zones
            if end == "answer":
                told.sendall(asked.replace(start_line, b"SIP/2.0 405 Method Not Allowed", 1))
            else:
                told.shutdown(socket.SHUT_RDWR)
            turned.until("the zone", lambda: bool(zones))
    mra.close()


def test_survives(turned: Turned, mra: Mra) -> None:
    """Torture, garbage, connections cut anywhere, on a port of its own: the zone still works."""
    at = mra.core.element.transport.listen("TCP", (CORE, 0))
    assert abuse(turned, at).startswith(b"SIP/2.0 ")
    outcome = turned.result(mra.phone.register(mra.where).first)
    assert not isinstance(outcome, NoResponse)
    assert outcome.status == 200
