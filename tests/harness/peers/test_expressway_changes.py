"""What an Expressway changes in a request, field by field."""

from __future__ import annotations

import pytest

from harness.expressway.settings import (
    DefaultZone,
    DnsZone,
    LocalZone,
    NeighborZone,
    OnOff,
    TraversalServerZone,
    Zone,
)
from harness.peers import expressway_changes as changes
from tests.harness.sip.samples import request

SPACED = TraversalServerZone(name="Hybrid Call Service Traversal", hop_count=15)


def test_zones_in_vias() -> None:
    """Without their spaces; the order is the product's, `rport` comes last."""
    come = changes.marked_as_come(request(), SPACED)
    assert come.values("Via") == [
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;ingress-zone=HybridCallServiceTraversal",
    ]
    leaving = changes.marked_as_leaving(
        request().push("Via", "SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bKy;rport"), SPACED, "number"
    )
    assert leaving.values("Via") == [
        "SIP/2.0/TLS 192.0.2.9:5061;egress-zone=HybridCallServiceTraversal;branch=z9hG4bKy;proxy-call-id=number;rport",
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx",
    ]


def test_two_record_routes() -> None:
    """The one that it leaves from on top, above those that were there."""
    routed = changes.record_routed(
        request(Record_Route="<sip:192.0.2.7;lr>"), "n", ("TLS", ("192.0.2.9", 5062)), ("TCP", ("192.0.2.8", 5060))
    )
    assert routed.values("Record-Route") == [
        "<sip:proxy-call-id=n@192.0.2.8:5060;transport=tcp;lr>",
        "<sip:proxy-call-id=n@192.0.2.9:5062;transport=tls;lr>",
        "<sip:192.0.2.7;lr>",
    ]


@pytest.mark.parametrize(
    ("zone", "left"), [(SPACED, "15"), (TraversalServerZone(name="far", hop_count=100), "70"), (DefaultZone(), "70")]
)
def test_hops(zone: Zone, left: str) -> None:
    """No more than the zone allows."""
    assert changes.limited(request(), zone).first("Max-Forwards") == left


ON = NeighborZone(name="on", parameter_preservation=OnOff.ON)
OFF = NeighborZone(name="off", parameter_preservation=OnOff.OFF)


@pytest.mark.parametrize(
    ("source", "target", "kept"),
    [
        (ON, ON, True),
        (ON, OFF, False),
        (OFF, ON, False),
        (DnsZone(name="dns"), ON, True),
        (ON, DnsZone(name="dns"), True),
        (DefaultZone(), OFF, False),
        (LocalZone(), ON, True),
    ],
)
def test_parameters_survive(source: Zone, target: Zone, kept: bool) -> None:
    """Where every traversal and neighbor zone on the way has the mode on."""
    assert changes.preserves_parameters(source, target) is kept


def test_what_the_b2bua_removes() -> None:
    """Contact parameters that RFC 3261 does not know; a Contact without any, and none at all, stay."""
    contact = '"l2sip-UA" <sip:l2sip-UA@192.0.2.4:5062;transport=tls>;call-type=squared;expires=60'
    changed = changes.without_parameters(request(Contact=contact))
    assert changed.values("Contact") == ["<sip:l2sip-UA@192.0.2.4:5062;transport=tls>;expires=60"]
    assert changes.without_parameters(request()) == request()
