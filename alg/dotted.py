"""IPv4 addresses in their two forms: four bytes in a packet, dotted decimal in messages and in the NAT's table.

The conversions are remembered, as every packet asks for those of its two ends.
"""

from __future__ import annotations

from functools import lru_cache

from alg.nat.table import Endpoint
from alg.tcp.readdress import Address


@lru_cache(4096)
def dotted(address: bytes) -> bytes:
    """Four bytes as dotted decimal."""
    return b"%d.%d.%d.%d" % tuple(address)


@lru_cache(4096)
def octets(address: bytes) -> bytes:
    """Dotted decimal as four bytes."""
    return bytes(map(int, address.split(b".")))


def in_packet(endpoint: Endpoint) -> Address:
    """An end as it stands in a packet."""
    return Address(octets(endpoint.address), endpoint.port)
