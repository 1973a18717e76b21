"""Addresses and ports changed in a packet: what layer 3 and layer 4 translation does to it.

Strategy: a copy of the packet, the words replaced, the checksums updated by what changed (RFC 1624; RFC 5508 4 for
what an ICMP error quotes). A UDP checksum of zero says that there is none, and stays; one that comes out as zero is
sent as ffff (RFC 768).
"""

from __future__ import annotations

from typing import NamedTuple

from alg.tcp.checksum import internet_checksum, updated_checksum
from alg.tcp.datagram import IcmpMessage
from alg.tcp.packet import ICMP, TCP, UDP, Ipv4Packet

_CHECKSUM_AT = {TCP: 16, UDP: 6}
"""Bytes into the transport header."""


class Address(NamedTuple):
    """An address of four bytes, and the port there; of an ICMP query the port is its identifier."""

    address: bytes
    port: int


class _Transport(NamedTuple):
    """A TCP or UDP header."""

    protocol: int
    at: int
    """Where it starts, in bytes."""

    def checksum_at(self, data: bytearray) -> int | None:
        """Where its checksum stands; None if it is cut off or not in use."""
        position = self.at + _CHECKSUM_AT[self.protocol]
        if len(data) < position + 2 or (self.protocol == UDP and data[position : position + 2] == b"\0\0"):
            return None
        return position


def readdress(packet: Ipv4Packet, source: Address | None = None, destination: Address | None = None) -> bytes:
    """The packet from another source, to another destination, or both; ports only where the protocol has them.

    Of a fragment only the addresses change; the checksum in the first one is not touched.
    """
    data = bytearray(packet.data)
    at = packet.payload_at
    ported = not packet.fragment and packet.protocol in _CHECKSUM_AT
    _replace_endpoints(data, 0, _Transport(packet.protocol, at) if ported else None, source, destination)
    if isinstance(packet, IcmpMessage):
        if packet.identifier is not None and (source or destination):
            port = (source or destination or Address(b"", 0)).port
            data[at + 4 : at + 6] = port.to_bytes(2, "big")
        _redo_icmp_checksum(data, at)
    return bytes(data)


def readdress_quoted(
    packet: IcmpMessage, source: Address | None = None, destination: Address | None = None, seq: int | None = None
) -> bytes:
    """The ICMP error with other addresses, ports and TCP sequence number in the packet that it quotes."""
    quoted = packet.quoted
    assert quoted is not None, "only an ICMP error quotes a packet"
    data = bytearray(packet.data)
    at = quoted.payload_at
    if quoted.seq is not None and seq is not None:
        _replace(data, at + 4, seq.to_bytes(4, "big"), _Transport(quoted.protocol, at).checksum_at(data))
    ported = quoted.protocol in _CHECKSUM_AT
    _replace_endpoints(data, quoted.at, _Transport(quoted.protocol, at) if ported else None, source, destination)
    of_query = source or destination
    if quoted.protocol == ICMP and quoted.source_port is not None and of_query is not None:
        _replace(data, at + 4, of_query.port.to_bytes(2, "big"), at + 2)
    _redo_icmp_checksum(data, packet.payload_at)
    return bytes(data)


def _replace_endpoints(
    data: bytearray, ip_at: int, transport: _Transport | None, source: Address | None, destination: Address | None
) -> None:
    checksum_at = transport.checksum_at(data) if transport else None
    for index, endpoint in enumerate((source, destination)):
        if endpoint is None:
            continue
        _replace(data, ip_at + 12 + 4 * index, endpoint.address, ip_at + 10, checksum_at)
        if transport is not None:
            _replace(data, transport.at + 2 * index, endpoint.port.to_bytes(2, "big"), checksum_at)
    if transport is not None and transport.protocol == UDP and checksum_at is not None:
        data[checksum_at : checksum_at + 2] = data[checksum_at : checksum_at + 2].replace(b"\0\0", b"\xff\xff")


def _replace(data: bytearray, at: int, new: bytes, *checksums: int | None) -> None:
    """Replace bytes and update the checksums that cover them."""
    old = bytes(data[at : at + len(new)])
    data[at : at + len(new)] = new
    for position in checksums:
        if position is not None:
            checksum = updated_checksum(int.from_bytes(data[position : position + 2], "big"), old, new)
            data[position : position + 2] = checksum.to_bytes(2, "big")


def _redo_icmp_checksum(data: bytearray, at: int) -> None:
    data[at + 2 : at + 4] = b"\0\0"
    data[at + 2 : at + 4] = internet_checksum(memoryview(data)[at:]).to_bytes(2, "big")
