"""Route sets, loose and strict (RFC 3261 12.2.1.1), and the next hop."""

from __future__ import annotations

import pytest

from alg.errors import SipSyntaxError
from harness.sip.routing import next_hop, with_routes
from tests.harness.sip.samples import request


def test_loose() -> None:
    """The Request-URI stays; the first Route is the next hop."""
    routed = with_routes(request(), ["<sip:p1:5070;lr>", "<sip:p2;lr>"])
    assert (routed.uri, routed.values("Route")) == ("sip:bob@192.0.2.2", ["<sip:p1:5070;lr>", "<sip:p2;lr>"])
    assert next_hop(routed).address == ("p1", 5070)


def test_strict() -> None:
    """The first Route becomes the Request-URI, which goes to the end; it is the next hop."""
    routed = with_routes(request(), ["<sip:p1>", "<sip:p2;lr>"])
    assert (routed.uri, routed.values("Route")) == ("sip:p1", ["<sip:p2;lr>", "<sip:bob@192.0.2.2>"])
    assert next_hop(routed).host == "p1"


def test_none() -> None:
    """Without a route set, the Request-URI is the next hop, if it is one."""
    routed = with_routes(request(Route="<sip:old;lr>"), [])
    assert (routed.values("Route"), next_hop(routed).host) == ([], "192.0.2.2")
    with pytest.raises(SipSyntaxError):
        next_hop(routed.with_uri("tel:+1"))
