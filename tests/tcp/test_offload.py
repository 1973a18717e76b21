"""What a sender left to its network device is done; what is wrong otherwise stays wrong."""

from __future__ import annotations

import pytest

from alg.tcp.offload import completed, with_length
from alg.tcp.packet import Ipv4Packet
from tests.helpers.ipv4 import TCP, icmp, judged, packet, raw, tcp, udp
from tests.tcp.endpoint import ACK, reference_checksum

A, B = ("10.0.30.2", 40000), ("192.0.2.1", 5060)
SEGMENT = tcp(A, B, 1, 2, ACK, b"payload")
DATAGRAM = udp(A, B, b"payload")


def put(data: bytes, at: int, value: int) -> bytes:
    """A packet with another word."""
    return data[:at] + value.to_bytes(2, "big") + data[at + 2 :]


def pseudo_sum(data: bytes) -> int:
    """What the kernel leaves in the checksum field: the sum of the pseudo-header, folded, not inverted."""
    pseudo = data[12:20] + bytes((0, data[9])) + (len(data) - 20).to_bytes(2, "big")
    return 0xFFFF - reference_checksum(pseudo)


@pytest.mark.parametrize(("whole", "at"), [(SEGMENT, 36), (DATAGRAM, 26)])
def test_the_sum_of_the_pseudo_header(whole: bytes, at: int) -> None:
    """TCP and UDP get the checksum that the wire had."""
    assert completed(Ipv4Packet(put(whole, at, pseudo_sum(whole)))) == whole


def test_zero() -> None:
    """TCP's and the IP header's are made; UDP's says that there is none."""
    assert completed(Ipv4Packet(put(put(SEGMENT, 36, 0), 10, 0))) == SEGMENT
    bare = put(DATAGRAM, 26, 0)
    assert completed(Ipv4Packet(bare)) == bare


def test_a_datagram_whose_checksum_is_zero() -> None:
    """It is sent as ffff (RFC 768)."""
    empty = udp(A, B, b"\0\0")
    word = int.from_bytes(empty[26:28], "big")
    zero = udp(A, B, word.to_bytes(2, "big"))
    assert zero[26:28] == b"\xff\xff"
    assert completed(Ipv4Packet(put(zero, 26, pseudo_sum(zero)))) == zero


@pytest.mark.parametrize(
    "data",
    [
        SEGMENT,
        put(SEGMENT, 36, 0x1234),
        put(SEGMENT, 10, 0x1234),
        DATAGRAM,
        put(DATAGRAM, 26, 0x1234),
        icmp("10.0.30.2", "192.0.2.1", 8, 0, b"\0\1\0\1"),
        packet("10.0.30.2", "192.0.2.1", 47, b""),
        packet("10.0.30.2", "192.0.2.1", TCP, bytes(16)),
        packet("10.0.30.2", "192.0.2.1", TCP, bytes(24), word=0x2000),
    ],
)
def test_all_others(data: bytes) -> None:
    """Right, wrong, without a checksum, or a fragment: they stay as they are."""
    assert completed(Ipv4Packet(data)) == data


def test_no_length() -> None:
    """A packet that the device was to cut into segments is as long as it is."""
    large = tcp(A, B, 1, 2, ACK, bytes(40_000))
    blank = put(large, 2, 0)
    assert completed(Ipv4Packet(with_length(blank))) == large
    assert judged(large).payload == bytes(40_000)


@pytest.mark.parametrize(
    "data", [SEGMENT, b"", raw("10.0.30.2"), put(tcp(A, B, 1, 2, ACK, b""), 2, 0) + bytes(0x10000)]
)
def test_lengths_that_stay(data: bytes) -> None:
    """One that is there, and what cannot have one."""
    assert with_length(data) == data
