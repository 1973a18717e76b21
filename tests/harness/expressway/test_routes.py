"""What a Route header decides: preloaded Routes, and Routes that lead elsewhere."""

from __future__ import annotations

import pytest

from harness.expressway.routes import RouteDecision, Way, decide_route, route_target
from harness.expressway.settings import LocalZone, OnOff, TraversalClientZone

ON = TraversalClientZone(name="a", preloaded_routes=OnOff.ON)
OFF = TraversalClientZone(name="a")
CLUSTER = "<sip:cucm.rtp.example.net;lr>"
SERVICE_PROXY = "<sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>"
OWN = {("10.0.30.2", 27901), ("127.0.0.1", 22210), ("10.0.30.2", 5061)}


def is_own(host: str, port: int) -> bool:
    """Whether that is the Expressway-C."""
    return (host, port) in OWN


def test_a_preloaded_route_is_searched_for() -> None:
    """The cluster that the Route names takes the place of the request URI; the Route stays in the request."""
    decision = decide_route("INVITE", False, [CLUSTER], is_own, ON)
    assert decision == RouteDecision(Way.SEARCH, (CLUSTER,), "sip:cucm.rtp.example.net;lr")


def test_a_preloaded_route_is_rejected() -> None:
    """Where the zone does not accept it."""
    assert decide_route("INVITE", False, [CLUSTER], is_own, OFF).way is Way.REJECT
    assert decide_route("INVITE", False, [CLUSTER], is_own, LocalZone()).way is Way.SEARCH


def test_no_route() -> None:
    """The request URI decides."""
    assert decide_route("INVITE", False, [], is_own, OFF) == RouteDecision(Way.REQUEST_URI, ())


def test_our_own_routes_are_consumed() -> None:
    """All of them that stand in front; what follows is looked at as if they had not been there."""
    own = "<sip:proxy-call-id=1@10.0.30.2:5061;transport=tls;lr>"
    assert decide_route("BYE", True, [own, own], is_own, OFF) == RouteDecision(Way.REQUEST_URI, ())
    decision = decide_route("BYE", True, [own, "<sip:192.0.2.9:5062;lr>", own], is_own, OFF)
    assert decision == RouteDecision(
        Way.FORWARD, ("<sip:192.0.2.9:5062;lr>", own), "sip:192.0.2.9:5062;lr", ("192.0.2.9", 5062)
    )
    assert decide_route("INVITE", False, [own, CLUSTER], is_own, ON).way is Way.SEARCH


def test_a_request_of_a_dialog_follows_its_routes() -> None:
    """A re-INVITE has Routes because of Record-Route; they are not preloaded."""
    assert decide_route("INVITE", True, [CLUSTER], is_own, OFF).way is Way.FORWARD


def test_a_service_over_nat_reflection() -> None:
    """The Route has the translated address: the Expressway-C does not know itself, and goes there."""
    apparent = "<sip:64.100.0.10:4401;transport=tls;apparent;ds;lr>"
    decision = decide_route("SERVICE", False, [apparent, SERVICE_PROXY], is_own, ON)
    assert (decision.way, decision.target) == (Way.FORWARD, ("64.100.0.10", 4401))


def test_a_service_without_source_translation() -> None:
    """The Route has the Expressway-C's own address and port: it processes the request itself."""
    apparent = "<sip:10.0.30.2:27901;transport=tls;apparent;ds;lr>"
    assert decide_route("SERVICE", False, [apparent, SERVICE_PROXY], is_own, ON).way is Way.REQUEST_URI


@pytest.mark.parametrize(
    ("route", "target"),
    [
        ("<sip:example.com>", ("example.com", 5060)),
        ("sip:Example.com;lr", ("example.com", 5060)),
        ("<sips:example.com;lr>", ("example.com", 5061)),
        ("<sip:example.com;transport=TLS;lr>", ("example.com", 5061)),
        ('"A, B" <sip:bob@192.0.2.1:5070;lr>;x=1', ("192.0.2.1", 5070)),
        ("<sip:[2001:db8::1]:5070;lr>", ("[2001:db8::1]", 5070)),
        ("<tel:+15555>", None),
        ("", None),
    ],
)
def test_where_a_route_leads(route: str, target: tuple[str, int] | None) -> None:
    """Host and port, the default port if it says none."""
    assert route_target(route) == target


def test_a_route_that_leads_nowhere() -> None:
    """No SIP URI, no target; the caller has to refuse the request."""
    assert decide_route("BYE", True, ["<tel:+15555>"], is_own, ON).target is None
