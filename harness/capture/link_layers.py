"""From what an interface captured to the IPv4 packet in it (link types: draft-ietf-opsawg-pcaplinktype).

Strategy: one row for each link type that is understood. What a row's function returns starts with the IP header and
may end in the link layer's padding; None stands for a frame with something else in it, or one that is cut.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_IPV4: Final = 0x0800
"""EtherType."""
_VLAN_TAGS: Final = frozenset((0x8100, 0x88A8, 0x9100))
"""EtherTypes of a tag, four bytes with the type that follows (IEEE 802.1Q 9.6; the last is older practice)."""
_AF_INET: Final = 2
"""The same on every system that writes link type 0."""


def _raw(data: bytes) -> bytes | None:
    return data if data and data[0] >> 4 == 4 else None


def _typed(data: bytes, type_at: int, payload_at: int) -> bytes | None:
    """A frame that names its payload by an EtherType, with any number of VLAN tags before it."""
    kind = data[type_at : type_at + 2]
    while len(kind) == 2 and int.from_bytes(kind, "big") in _VLAN_TAGS:
        kind = data[payload_at + 2 : payload_at + 4]
        payload_at += 4
    return _raw(data[payload_at:]) if kind == struct.pack(">H", _IPV4) else None


def _ethernet(data: bytes) -> bytes | None:
    return _typed(data, 12, 14)


def _linux_cooked(data: bytes) -> bytes | None:
    return _typed(data, 14, 16)


def _linux_cooked_2(data: bytes) -> bytes | None:
    return _typed(data, 0, 20)


def _null(data: bytes) -> bytes | None:
    """The address family is in the byte order of the machine that captured, which the file does not tell."""
    return _raw(data[4:]) if data[:4] in (struct.pack("<I", _AF_INET), struct.pack(">I", _AF_INET)) else None


def _loop(data: bytes) -> bytes | None:
    return _raw(data[4:]) if data[:4] == struct.pack(">I", _AF_INET) else None


LINK_LAYERS: Final[dict[int, Callable[[bytes], bytes | None]]] = {
    0: _null,  # LINKTYPE_NULL: BSD loopback
    1: _ethernet,  # LINKTYPE_ETHERNET
    12: _raw,  # DLT_RAW of most systems, as files had it before LINKTYPE_RAW
    101: _raw,  # LINKTYPE_RAW: IPv4 or IPv6
    108: _loop,  # LINKTYPE_LOOP: OpenBSD loopback
    113: _linux_cooked,  # LINKTYPE_LINUX_SLL: the `any` device
    228: _raw,  # LINKTYPE_IPV4
    276: _linux_cooked_2,  # LINKTYPE_LINUX_SLL2
}
"""What each link type that is understood makes of a frame."""


def ipv4_packet(link_type: int, data: bytes) -> bytes | None:
    """The IPv4 packet in a frame; None if there is none, or the link type is none of `LINK_LAYERS`."""
    strip = LINK_LAYERS.get(link_type)
    return strip(data) if strip is not None else None
