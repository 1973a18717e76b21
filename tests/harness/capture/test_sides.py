"""The addresses of a capture tell where it was taken."""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, NatConfig
from alg.direction import Direction
from harness.capture.pcapng import Interface
from harness.capture.reader import CapturedPacket
from harness.capture.sides import Evidence, Side, captured_side
from tests.edge.messages import INSIDE, MAP, OUTSIDE
from tests.helpers.ipv4 import udp

REMOTE, POOL = "192.0.2.1", "192.168.7.10"
MAPPED = NatConfig((AddressMap.parse(MAP),))
POOLED = NatConfig((), (IPAddress(POOL),), (IPNetwork("10.0.0.0/8"), IPNetwork("192.168.0.0/16")))
BOTH = NatConfig(MAPPED.maps, POOLED.pool, POOLED.inside)


def captured(*data: bytes, link_type: int = 101) -> list[CapturedPacket]:
    """Packets with nothing but their bytes."""
    return [CapturedPacket(Interface(link_type=link_type), 0, each, len(each)) for each in data]


def between(source: str, destination: str) -> bytes:
    """A packet."""
    return udp((source, 9), (destination, 9))


@pytest.mark.parametrize(
    ("nat", "ends", "expected"),
    [
        (MAPPED, (INSIDE, REMOTE), Evidence(Side.INSIDE, INSIDE)),
        (MAPPED, (REMOTE, INSIDE), Evidence(Side.INSIDE, INSIDE)),
        (MAPPED, (REMOTE, OUTSIDE), Evidence(Side.OUTSIDE, OUTSIDE)),
        (MAPPED, (INSIDE, OUTSIDE), Evidence(Side.INSIDE, INSIDE)),
        (POOLED, ("10.0.40.9", REMOTE), Evidence(Side.INSIDE, "10.0.40.9")),
        (POOLED, (POOL, REMOTE), Evidence(Side.OUTSIDE, POOL)),
        (POOLED, ("192.168.7.20", POOL), Evidence(Side.OUTSIDE, POOL)),
        (BOTH, (INSIDE, POOL), Evidence(Side.INSIDE, INSIDE)),
        (NatConfig((AddressMap.parse("10.0.30.2:1=64.100.0.10:2"),)), (INSIDE, REMOTE), Evidence(Side.INSIDE, INSIDE)),
        (MAPPED, (REMOTE, "10.0.30.3"), None),
        (NatConfig(), (INSIDE, REMOTE), None),
    ],
)
def test_what_addresses_tell(nat: NatConfig, ends: tuple[str, str], expected: Evidence | None) -> None:
    """A map's inside address, or an outside one, or one that the pool translates."""
    assert captured_side(captured(between(*ends)), nat) == expected


def test_the_first_packet_that_tells_counts() -> None:
    """What goes between others, and what is no packet, tells nothing; what follows is not read."""
    packets = iter(
        captured(between(REMOTE, "192.0.2.2"), b"", b"\x45", between(REMOTE, OUTSIDE), between(INSIDE, REMOTE))
    )
    assert captured_side(packets, MAPPED) == Evidence(Side.OUTSIDE, OUTSIDE)
    assert len(list(packets)) == 1


def test_link_layers() -> None:
    """They are taken off, those that are not understood tell nothing."""
    frame = bytes(12) + b"\x08\x00" + between(INSIDE, REMOTE)
    assert captured_side(captured(frame, link_type=1), MAPPED) == Evidence(Side.INSIDE, INSIDE)
    assert captured_side(captured(frame, link_type=195), MAPPED) is None


def test_sides() -> None:
    """What is captured inside is translated outward, and is then what the outside sees."""
    assert (Side.INSIDE.other, Side.OUTSIDE.other) == (Side.OUTSIDE, Side.INSIDE)
    assert (Side.INSIDE.way, Side.OUTSIDE.way) == (Direction.OUTWARD, Direction.INWARD)
