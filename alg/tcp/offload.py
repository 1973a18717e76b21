"""Checksums that the sender of a packet left to its network device.

Strategy: a capture on the sending machine shows packets before the device has finished them. What stands there then is
the sum of the pseudo-header alone (Linux, Windows) or zero; the IP header's checksum, and of a packet that the device
will cut into segments even its length, may be zero too. The packet on the wire had them, and so does what comes out
here. Any other checksum stays as it is, right or wrong.
"""

from __future__ import annotations

from alg.tcp.checksum import internet_checksum, pseudo_header_sum
from alg.tcp.packet import TCP, UDP, Ipv4Packet

_CHECKSUM_AT = {TCP: 16, UDP: 6}
"""Bytes into the transport header."""


def with_length(data: bytes) -> bytes:
    """An IPv4 packet that says no length, as long as it is; any other as it came."""
    if len(data) < 20 or data[2:4] != b"\0\0" or len(data) > 0xFFFF:
        return data
    return b"".join((data[:2], len(data).to_bytes(2, "big"), data[4:10], b"\0\0", data[12:]))


def completed(packet: Ipv4Packet) -> bytes:
    """The packet with the checksums that were left to the device."""
    data, at = packet.data, packet.payload_at
    if data[10:12] == b"\0\0":
        data = _with_checksum(data, 10, internet_checksum(data[:at]))
    place = _CHECKSUM_AT.get(packet.protocol)
    if place is None or packet.fragment or len(data) < at + place + 2:
        return data
    field = int.from_bytes(data[at + place : at + place + 2], "big")
    initial = pseudo_header_sum(packet.source, packet.destination, packet.protocol, len(data) - at)
    if (field - initial) % 0xFFFF if field else packet.protocol == UDP:
        return data
    blank = _with_checksum(data, at + place, 0)
    checksum = internet_checksum(memoryview(blank)[at:], initial)
    return _with_checksum(data, at + place, checksum or (0xFFFF if packet.protocol == UDP else 0))


def _with_checksum(data: bytes, at: int, checksum: int) -> bytes:
    return b"".join((data[:at], checksum.to_bytes(2, "big"), data[at + 2 :]))
