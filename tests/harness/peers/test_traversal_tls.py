"""TLS between a phone, an Expressway-E and an Expressway-C."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.ca import Pki, load_recipes, make
from harness.peers import traversal_tls
from harness.peers.traversal_tls import edge_server, phone_client, zone_client, zone_server
from harness.sip.security import Layer, Secure, Step

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ENDS = ("192.0.2.1", 1), ("192.0.2.2", 2)


@pytest.fixture(scope="module")
def pki() -> Pki:
    """Both Expressways'."""
    return make(load_recipes(), NOW, traversal_tls.RECIPES)


def meet(client: Secure, server: Secure) -> tuple[Layer, Layer, list[str]]:
    """Both sides, and what failed, when neither has anything more to say."""
    sides = client(False, ""), server(True, "")
    failures: list[str] = []

    def take(step: Step) -> bytes:
        failures.extend([step.failure] if step.failure else [])
        return step.send

    pending = [take(sides[0].opened(*ENDS)), take(sides[1].opened(*ENDS))]
    while any(pending):
        pending = [take(sides[0].feed(pending[1])), take(sides[1].feed(pending[0]))]
    return *sides, failures


def test_zone(pki: Pki) -> None:
    """The Expressway-C shows its certificate, and both trust each other."""
    client, server, failures = meet(zone_client(pki, NOW), zone_server(pki, NOW))
    assert (client.up, server.up, failures) == (True, True, [])


def test_phone(pki: Pki) -> None:
    """A phone shows none where phones come in, and is not let into the zone without."""
    client, server, failures = meet(phone_client(pki, NOW), edge_server(pki, NOW))
    assert (client.up, server.up, failures) == (True, True, [])
    *_, failures = meet(phone_client(pki, NOW), zone_server(pki, NOW))
    assert "peer did not return a certificate" in failures[0]


def test_strangers(pki: Pki) -> None:
    """A certificate of somebody else's CA is not accepted, nor one whose time has passed."""
    other = make(load_recipes(), NOW, traversal_tls.RECIPES)
    *_, failures = meet(zone_client(other, NOW), zone_server(pki, NOW))
    assert any("certificate verify failed" in each for each in failures)
    *_, failures = meet(zone_client(pki, NOW.replace(year=2040)), zone_server(pki, NOW))
    assert any("certificate verify failed" in each for each in failures)
