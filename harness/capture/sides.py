"""Which side of the NAT a capture was taken on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from alg.config import NatConfig
from alg.direction import Direction
from alg.dotted import dotted
from alg.errors import SegmentError
from alg.nat.table import NatTable
from alg.retelling import Mapped
from alg.tcp.packet import Ipv4Packet
from harness.capture.link_layers import ipv4_packet
from harness.capture.reader import CapturedPacket


class Side(Enum):
    """One of the two."""

    INSIDE = "inside"
    OUTSIDE = "outside"

    @property
    def other(self) -> Side:
        """The far one."""
        return Side.OUTSIDE if self is Side.INSIDE else Side.INSIDE

    @property
    def way(self) -> Direction:
        """What the addresses in its captures are translated as, to become those of the other side."""
        return Direction.OUTWARD if self is Side.INSIDE else Direction.INWARD


class Evidence(NamedTuple):
    """What tells the side of a capture."""

    side: Side
    address: str
    """An address of that side."""


def captured_side(packets: Iterable[CapturedPacket], nat: NatConfig) -> Evidence | None:
    """What the first packet with an address of either side tells; None if there is none.

    An inside address that a map names tells most, then an outside one: where networks are private on both sides, the
    pool's inside says least.
    """
    table = NatTable(nat)
    inside, outside = (Mapped(table, side.way) for side in Side)
    for packet in packets:
        data = ipv4_packet(packet.interface.link_type, packet.data)
        addresses = _addresses(data) if data is not None else []
        for side, has in (
            (Side.INSIDE, inside.static.__contains__),
            (Side.OUTSIDE, outside.has),
            (Side.INSIDE, inside.has),
        ):
            for address in addresses:
                if has(address):
                    return Evidence(side, address.decode())
    return None


def _addresses(data: bytes) -> list[bytes]:
    """Source and destination, in dotted decimal; none of what is no packet, or not whole."""
    try:
        packet = Ipv4Packet(data)
    except SegmentError:
        return []
    return [dotted(address) for address in (packet.source, packet.destination)]
