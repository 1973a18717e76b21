"""An element between two neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from harness.peers.hop import Hop, HopSettings
from harness.peers.webex import Webex, WebexSettings
from harness.sip.call_states import End
from harness.sip.flow import Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import HOST, OTHER, SLOW, Opponent, abuse, close, srtp_phone
from tests.harness.peers.turning import Turned

BETWEEN = "127.0.43.4"


@pytest.fixture
def inner(turned: Turned) -> Iterator[Opponent]:
    """The neighbour inside."""
    opponent = Opponent.make(turned)
    yield opponent
    opponent.close(turned)


def hop(turned: Turned, inner: Opponent, outer: Target) -> Hop:
    """Between them, listening."""
    settings = HopSettings("expc", (BETWEEN, free_port_pair(BETWEEN)), Target("TCP", *inner.at), outer, "Zone")
    found = Hop(turned.reactor, settings, lambda: datetime.now(UTC), SLOW)
    found.listen()
    return found


def test_passes_calls_on(turned: Turned, inner: Opponent) -> None:
    """From inside to the outer neighbour, everything else inside; it stays on the way, and its log tells all of it."""
    webex = Webex(turned.reactor, WebexSettings(), HOST, SLOW)
    between = hop(turned, inner, Target("TCP", *webex.listen((HOST, 0))))
    where = [Target("TCP", *between.settings.address)]
    inner.agent.capabilities = srtp_phone("PCMU")
    call = inner.agent.call("sip:alice@example.call.ciscospark.com", where=where)
    assert turned.result(call.established)
    (route,) = inner.tap.last("200 INVITE").values("Record-Route")
    assert f"@{BETWEEN}:{between.settings.address[1]};transport=tcp;lr>" in route
    call.hang_up()
    assert turned.result(call.ended).end is End.HUNG_UP
    back = webex.call("sip:test@example.com", where)
    assert turned.result(back.established)
    vias = inner.tap.last("INVITE").vias
    assert [via.host for via in vias] == [BETWEEN, HOST]
    assert vias[0].params.get("egress-zone") == "Zone"
    back.hang_up()
    turned.result(back.ended)
    log = between.log.getvalue()
    assert 'Detail="Receive Request Method=INVITE' in log
    assert 'Detail="Sending Response Code=200, Method=BYE' in log
    close(turned, webex, between)


def test_nobody_outside(turned: Turned, inner: Opponent) -> None:
    """An outer neighbour that is not there is answered for."""
    between = hop(turned, inner, Target("TCP", HOST, free_port_pair(HOST)))
    call = inner.agent.call("sip:alice@example.com", where=[Target("TCP", *between.settings.address)])
    ended = turned.result(call.ended)
    assert ended.response is not None
    assert ended.response.status == 503
    assert 'Detail="TCP Connection Failed"' in between.log.getvalue()
    close(turned, between)


def test_survives(turned: Turned, inner: Opponent) -> None:
    """Torture, garbage, connections cut anywhere: an OPTIONS is passed on behind all of it."""
    between = hop(turned, inner, Target("TCP", OTHER, 1))
    assert abuse(turned, between.settings.address).startswith(b"SIP/2.0 200 ")
    close(turned, between)
