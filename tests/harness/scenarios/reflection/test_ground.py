"""Where everybody is, in every way to connect, with ours and with others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.scenarios.reflection.ground import Ground, Setting, Way
from harness.scenarios.stage import Network

FAR = ("192.0.2.7", 17003)


@pytest.fixture
def network() -> Iterator[Network]:
    """Of its own."""
    with Network() as network:
        yield network


@pytest.mark.parametrize(
    ("way", "zone", "reflected", "access"),
    [
        (Way.TRANSLATED, 10, 20, 20),
        (Way.UNTRANSLATED, 10, 10, 10),
        (Way.DUAL_NIC, 21, 21, 20),
    ],
)
def test_our_expressway(network: Network, way: Way, zone: int, reflected: int, access: int) -> None:
    """The public address is a firewall's, or its own, or nobody needs it."""
    ground = Ground(network, {}, Setting(way, "TCP"))
    assert (ground.zone.transport, ground.zone.address) == ("TCP", (network.host(zone), 7003))
    assert ground.reflected == (network.host(reflected), 7003)
    assert ground.access.address == (network.host(access), 5061)
    assert (ground.core, ground.cucm, ground.unseen) == (network.host(2), (network.host(3), 5060), ())


@pytest.mark.parametrize("way", Way)
def test_somebody_elses_expressway(network: Network, way: Way) -> None:
    """Behind the firewall if that translates, else as it is; phones know its other port."""
    ground = Ground(network, {"expressway-e": FAR}, Setting(way))
    assert ground.reflected == FAR
    assert ground.zone.address == ((network.host(10), 7003) if way is Way.TRANSLATED else FAR)
    assert ground.access.address == (FAR[0], 5061)


@pytest.mark.parametrize(
    ("others", "unseen"),
    [
        (("phone", "expressway-c", "cucm"), ()),
        (("expressway-e",), ()),
        (("expressway-e", "expressway-c"), ("traversal zone",)),
        (("expressway-e", "phone"), ("phone's connection",)),
    ],
)
def test_wires_that_nobody_sees(network: Network, others: tuple[str, ...], unseen: tuple[str, ...]) -> None:
    """Those with two ends that are not ours."""
    ground = Ground(network, dict.fromkeys(others, FAR), Setting())
    assert ground.unseen == unseen
    assert ground.core == (FAR[0] if "expressway-c" in others else network.host(2))
    assert ground.cucm == (FAR if "cucm" in others else (network.host(3), 5060))
