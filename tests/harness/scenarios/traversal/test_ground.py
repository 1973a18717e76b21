"""Configurations of both Expressways: right by default, and wrong where a dial says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.expressway.search import Request, plan
from harness.expressway.settings import DnsZone, Expressway, OnOff, TraversalClientZone, TraversalServerZone
from harness.scenarios.stage import Network
from harness.scenarios.traversal.ground import (
    ALICE,
    BOB,
    CLUSTER,
    CUCM_ZONE,
    HYBRID_DNS,
    TRAVERSAL,
    Dial,
    Ground,
    number,
)


def configured(dial: Dial) -> tuple[Expressway, Expressway]:
    """Expressway-E and Expressway-C."""
    with Network() as network:
        ground = Ground(network, (network.host(21), 5065))
        assert number(ground.expe) == 3
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


def test_a_real_webex_speaks_tcp() -> None:
    """Its zone looks up what it is asked by."""
    with Network() as network:
        ground = Ground(network, (network.host(21), 5065), ("127.0.0.9", 5060))
        expe, _ = ground.parse(ground.configurations(Dial()))
    assert zone(expe, HYBRID_DNS).default_transport.value == "TCP"
