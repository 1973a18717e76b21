"""Frames of every link type, by hand, and the IPv4 packet in them."""

from __future__ import annotations

import pytest

from harness.capture.link_layers import LINK_LAYERS, ipv4_packet

IPV4 = bytes.fromhex("4500001400000000400600007f0000017f000001")
IPV6 = b"\x60" + bytes(39)
MAC = bytes.fromhex("0200000000010200000000ff")
COOKED = bytes.fromhex("0000 0001 0006 020000000001 0000")
COOKED_2 = bytes.fromhex("0000 00000002 0001 00 06 020000000001 0000")

FRAMES = [
    ("raw", 101, IPV4),
    ("raw, the number of old files", 12, IPV4),
    ("raw IPv4", 228, IPV4),
    ("Ethernet", 1, MAC + b"\x08\x00" + IPV4),
    ("Ethernet, a VLAN tag", 1, MAC + b"\x81\x00\x00\x64\x08\x00" + IPV4),
    ("Ethernet, two tags", 1, MAC + b"\x88\xa8\x00\x64\x81\x00\x00\x65\x08\x00" + IPV4),
    ("Ethernet, padding", 1, MAC + b"\x08\x00" + IPV4 + bytes(26)),
    ("Linux cooked", 113, COOKED + b"\x08\x00" + IPV4),
    ("Linux cooked, a tag", 113, COOKED + b"\x81\x00\x00\x64\x08\x00" + IPV4),
    ("Linux cooked 2", 276, b"\x08\x00" + COOKED_2 + IPV4),
    ("null, little-endian", 0, b"\2\0\0\0" + IPV4),
    ("null, big-endian", 0, b"\0\0\0\2" + IPV4),
    ("loop", 108, b"\0\0\0\2" + IPV4),
]

OTHERS = [
    ("raw IPv6", 101, IPV6),
    ("raw IPv6, the number of old files", 12, IPV6),
    ("ARP", 1, MAC + b"\x08\x06" + bytes(28)),
    ("IPv6 over Ethernet", 1, MAC + b"\x86\xdd" + IPV6),
    ("EtherType IPv4, version 6", 1, MAC + b"\x08\x00" + IPV6),
    ("IPv6 over cooked", 113, COOKED + b"\x86\xdd" + IPV6),
    ("IPv6 over cooked 2", 276, b"\x86\xdd" + COOKED_2 + IPV6),
    ("AF_INET6 over null", 0, b"\x1e\0\0\0" + IPV6),
    ("loop, little-endian", 108, b"\2\0\0\0" + IPV4),
    ("a link type that is none of ours", 189, IPV4),
]


@pytest.mark.parametrize(("link_type", "frame"), [frame[1:] for frame in FRAMES], ids=[frame[0] for frame in FRAMES])
def test_the_packet_in_a_frame(link_type: int, frame: bytes) -> None:
    """The packet starts with its IP header; padding behind it may stay."""
    packet = ipv4_packet(link_type, frame)
    assert packet is not None
    assert packet.startswith(IPV4)
    assert frame.endswith(packet)


@pytest.mark.parametrize(("link_type", "frame"), [frame[1:] for frame in OTHERS], ids=[frame[0] for frame in OTHERS])
def test_frames_without_a_packet(link_type: int, frame: bytes) -> None:
    """What is no IPv4 packet is told apart."""
    assert ipv4_packet(link_type, frame) is None


@pytest.mark.parametrize("link_type", sorted(LINK_LAYERS))
def test_a_frame_that_is_cut(link_type: int) -> None:
    """A frame of any length, down to nothing, is a packet or none, and no error."""
    frame = next(frame for _, kind, frame in FRAMES if kind == link_type)
    start = frame.index(IPV4)
    for size in range(len(frame)):
        packet = ipv4_packet(link_type, frame[:size])
        assert packet == (frame[start:size] if size > start else None)
