"""A firewall that reflects: what the other side sees connections come from, and what an ALG makes of messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.peers.reflection import Reflection
from harness.peers.traversal_service import apparent_route
from harness.sip.flow import Flow, Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import OTHER, Opponent, close
from tests.harness.peers.turning import Turned

PUBLIC = "127.0.45.10"


@pytest.fixture
def ends(turned: Turned) -> Iterator[tuple[Opponent, Opponent]]:
    """Who connects, and to whom."""
    ends = Opponent.make(turned), Opponent.make(turned)
    yield ends
    for each in ends:
        each.close(turned)


def reflected(turned: Turned, ends: tuple[Opponent, Opponent], firewall: Reflection) -> tuple[Flow, Flow]:
    """A connection through it: the client's end and the server's."""
    address = firewall.open(ends[1].at)
    here = turned.result(ends[0].agent.element.transport.flow_to(Target("TCP", *address)))
    turned.until("it stands", lambda: bool(ends[1].agent.element.transport.connections))
    return here, ends[1].agent.element.transport.connections[0]


@pytest.mark.parametrize("alg", [False, True])
def test_route(turned: Turned, ends: tuple[Opponent, Opponent], alg: bool) -> None:
    """The source has the public address, and another port than the client; with an ALG, a Route to it arrives as one to
    the client.
    """
    firewall = Reflection(turned.reactor, OTHER, PUBLIC, free_port_pair(PUBLIC), alg)
    here, there = reflected(turned, ends, firewall)
    assert there.remote[0] == PUBLIC
    assert there.remote[1] != here.local[1]
    route = apparent_route(there.remote, "TCP")
    turned.result(ends[1].agent.ask("OPTIONS", "sip:a@example.com", [("Route", route)], where=there))
    expected = apparent_route(here.local if alg else there.remote, "TCP")
    assert ends[0].tap.last("OPTIONS").values("Route") == [expected]
    close(turned, firewall)


def test_somebody_who_is_not_inside(turned: Turned, ends: tuple[Opponent, Opponent]) -> None:
    """There is no translation for him, and so no connection."""
    firewall = Reflection(turned.reactor, "127.0.45.99", PUBLIC, free_port_pair(PUBLIC), alg=False)
    address = firewall.open(ends[1].at)
    turned.result(ends[0].agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", *address)]))
    assert ends[1].agent.element.transport.connections == []
    assert ends[1].tap.came == []
    close(turned, firewall)
