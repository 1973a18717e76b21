"""An element between two neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest

from harness.peers.cucm import Cucm
from harness.peers.cucm_settings import CucmSettings
from harness.peers.hop import Hop, HopSettings
from harness.peers.webex import Webex, WebexSettings
from harness.sip.call_states import End
from harness.sip.connection import Connection
from harness.sip.flow import Flow, Tap, Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import FAST, HOST, OTHER, SLOW, Opponent, abuse, close, srtp_phone
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


class Cutting(Tap):
    """Resets the connection of a hop that its n-th message crosses."""

    def __init__(self, turned: Turned, number: int) -> None:
        self._turned = turned
        self._left = number
        self.cut = False

    def sent(self, flow: Flow, data: bytes) -> None:
        """As Tap has it."""
        self._count(flow)

    def received(self, flow: Flow, data: bytes) -> None:
        """As Tap has it."""
        self._count(flow)

    def _count(self, flow: Flow) -> None:
        self._left -= 1
        if self._left == 0 and isinstance(flow, Connection):
            self.cut = True
            self._turned.reactor.callLater(0, flow.abort)


@pytest.mark.parametrize("number", range(1, 14))
def test_connection_is_reset_at_any_point(turned: Turned, number: int) -> None:
    """Of a call between CUCM and Webex: it comes to an end at both, and nothing is left behind."""
    webex = Webex(turned.reactor, WebexSettings(), HOST, FAST)
    cucm = Cucm(turned.reactor, CucmSettings(), OTHER, StringIO(), timers=FAST)
    inside, outside = Target("TCP", *cucm.listen((OTHER, 0))), Target("TCP", *webex.listen((HOST, 0)))
    settings = HopSettings("expc", (BETWEEN, free_port_pair(BETWEEN)), inside, outside)
    between = Hop(turned.reactor, settings, lambda: datetime.now(UTC), FAST)
    between.listen()
    cutting = Cutting(turned, number)
    between.element.transport.taps.append(cutting)
    call = cucm.call("sip:alice@example.com", [Target("TCP", *settings.address)])
    turned.until("it stands or is over", lambda: call.established.called)
    call.hang_up()
    turned.until("it is over", lambda: call.result is not None)
    close(turned, cucm, webex, between)
    assert cutting.cut
