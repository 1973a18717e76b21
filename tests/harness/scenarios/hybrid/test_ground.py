"""Configurations of both Expressways: right by default, and wrong where a dial says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.expressway.search import Request, plan
from harness.expressway.settings import DnsZone, Expressway, OnOff, TraversalClientZone, TraversalServerZone
from harness.scenarios.hybrid.ground import (
    ALICE,
    BOB,
    CLUSTER,
    CUCM_ZONE,
    HYBRID_DNS,
    TRAVERSAL,
    Dial,
    Ground,
)
from harness.scenarios.hybrid.legs import Leg
from harness.scenarios.stage import Network


def configured(dial: Dial) -> tuple[Expressway, Expressway]:
    """Expressway-E and Expressway-C."""
    with Network() as network:
        ground = Ground(network)
        return ground.parse(ground.configurations(dial))


def zone(expressway: Expressway, name: str) -> Any:
    """By its name."""
    return expressway.zone(name)


def first_target(expressway: Expressway, request: Request) -> str:
    """The zone of the first rule that is no local one; the status if there is none."""
    found = plan(expressway, request)
    if found.rejection is not None:
        return str(found.rejection.status)
    targets = [candidate.rule.target for group in found.attempts() for candidate in group]
    return next((target for target in targets if target != "LocalZone"), "none")


INWARDS = Request(BOB, HYBRID_DNS, source_alias=ALICE, route=f"sip:{CLUSTER};lr")
OUTWARDS = Request(ALICE, TRAVERSAL, authenticated=False, source_alias=BOB)


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        (Dial(), (TRAVERSAL, CUCM_ZONE, HYBRID_DNS)),
        (Dial(preloaded=False), (TRAVERSAL, "404", HYBRID_DNS)),
        (Dial(priority=101), (TRAVERSAL, CUCM_ZONE, "DNS")),
        (Dial(policy=(".*", r".*@sub\.call\.ciscospark\.com.*")), (TRAVERSAL, CUCM_ZONE, "403")),
    ],
)
def test_where_calls_go(dial: Dial, expected: tuple[str, str, str]) -> None:
    """Inwards on both, outwards on Expressway-E; and only where the dial is wrong they go elsewhere."""
    expe, expc = configured(dial)
    inside = replace(INWARDS, source=TRAVERSAL, authenticated=False)
    found = first_target(expe, INWARDS), first_target(expc, inside), first_target(expe, OUTWARDS)
    assert found == expected
    assert first_target(expc, replace(OUTWARDS, source=CUCM_ZONE)) == TRAVERSAL


def test_a_stranger_under_the_name_of_webex() -> None:
    """Is what the call policy rule is for."""
    expe, _ = configured(Dial())
    stranger = Request(BOB, "DefaultZone", authenticated=False, source_alias=ALICE)
    assert first_target(expe, stranger) == "403"


def test_switches() -> None:
    """Each where the product has it."""
    expe, expc = configured(Dial(mtls=False, preservation=False, override=False, static_nat=True))
    assert (expe.system.mtls_mode, expe.system.static_nat_mode) == (OnOff.OFF, OnOff.ON)
    assert isinstance(zone(expe, TRAVERSAL), TraversalServerZone)
    assert zone(expe, TRAVERSAL).parameter_preservation is OnOff.OFF
    assert isinstance(zone(expe, HYBRID_DNS), DnsZone)
    assert zone(expe, HYBRID_DNS).dns_override is OnOff.OFF
    assert isinstance(zone(expc, TRAVERSAL), TraversalClientZone)
    assert zone(expc, TRAVERSAL).parameter_preservation is OnOff.ON


def test_where_everybody_is() -> None:
    """In the network of the run, or where a real one is."""
    with Network() as network:
        ours, host = Ground(network), network.host
        names = ("cucm", "expressway-c", "expressway-e", "webex")
        theirs = Ground(network, {name: ("127.0.0.9", 5000 + number) for number, name in enumerate(names)})
    assert (ours.cucm, ours.trunk, ours.zone) == ((host(21), 5065), (host(2), 5060), (host(3), 7003))
    assert (ours.webex, ours.expc, ours.expe) == ((host(70), 5062), host(2), host(3))
    found = theirs.cucm, theirs.trunk, theirs.zone, theirs.webex
    assert found == tuple(("127.0.0.9", port) for port in (5000, 5001, 5002, 5003))


@pytest.mark.parametrize(
    ("stranger", "kinds"),
    [
        ("cucm", {Leg.INSIDE: "TCP", Leg.ZONE: "TLS", Leg.OUTSIDE: "TLS"}),
        ("expressway-c", {Leg.INSIDE: "TCP", Leg.ZONE: "TCP", Leg.OUTSIDE: "TLS"}),
        ("expressway-e", {Leg.INSIDE: "TCP", Leg.ZONE: "TCP", Leg.OUTSIDE: "TCP"}),
        ("webex", {Leg.INSIDE: "TCP", Leg.ZONE: "TLS", Leg.OUTSIDE: "TCP"}),
    ],
)
def test_tls_needs_certificates_that_both_know(stranger: str, kinds: dict[Leg, str]) -> None:
    """Without them a stranger is talked to over TCP; so are its zones."""
    with Network() as network:
        ground = Ground(network, {stranger: ("127.0.0.9", 5060)})
        expe, expc = ground.parse(ground.configurations(Dial()))
        certified = Ground(network, {stranger: ("127.0.0.9", 5060)}, certified=True)
    assert {leg: ground.kind(leg) for leg in Leg} == kinds
    assert zone(expe, HYBRID_DNS).default_transport.value == kinds[Leg.OUTSIDE]
    assert zone(expe, TRAVERSAL).transport.value == zone(expc, TRAVERSAL).transport.value == kinds[Leg.ZONE]
    assert {certified.kind(leg) for leg in (Leg.ZONE, Leg.OUTSIDE)} == {"TLS"}


def test_silent_ports_stand_for_a_real_webex() -> None:
    """What blocks or misleads Expressway-E is the same for any Webex."""
    with Network() as network:
        ground = Ground(network, {"webex": ("127.0.0.9", 5060)})
    assert [ground.outside_kind(dial) for dial in (Dial(), Dial(override=False), Dial(blocked_outbound=True))] == [
        *("TCP", "TLS", "TLS")
    ]


def test_which_leg_a_connection_is_on() -> None:
    """By its ends, as each of us has them; the zone is what the Expressway-C has connected."""
    with Network() as network:
        ground = Ground(network, {"expressway-e": ("127.0.0.9", 7001)})
    one, other = (network.host(3), 41000), ("127.0.0.9", 41001)
    assert ground.leg("expressway-e", (network.host(3), 7003), other) is Leg.ZONE
    assert ground.leg("expressway-e", (network.host(3), 5062), other) is Leg.OUTSIDE
    assert ground.leg("expressway-e", one, other) is Leg.OUTSIDE
    assert ground.leg("expressway-c", one, ("127.0.0.9", 7001)) is Leg.ZONE
    assert ground.leg("expressway-c", one, other) is Leg.INSIDE
    assert (ground.leg("webex", one, other), ground.leg("cucm", one, other)) == (Leg.OUTSIDE, Leg.INSIDE)
