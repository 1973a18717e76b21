"""Captures written from captures: interfaces, times, comments, and what passes unseen."""

from __future__ import annotations

import io
import struct

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.retelling import Retelling
from harness.capture.other_side import OtherSide, interface
from harness.capture.pcapng import LINK_RAW, Interface, PcapngWriter
from harness.capture.reader import CapturedPacket, read_packets
from harness.capture.sides import Side
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.helpers.ipv4 import tcp, udp
from tests.tcp.endpoint import ACK, SYN

REMOTE = "192.0.2.1"
ETHERNET = Interface("eth0", "", 1)
IPV4_FRAME = bytes(12) + b"\x08\x00"
SECOND = 10**9


def other_side(*packets: CapturedPacket) -> tuple[OtherSide, list[CapturedPacket]]:
    """What is written for packets from the inside."""
    file = io.BytesIO()
    alg = Alg(AlgConfig(nat=NatConfig((AddressMap.parse(MAP),))))
    retelling = Retelling(alg, Side.INSIDE.way, lambda number: lambda record: None)
    other = OtherSide(retelling, PcapngWriter(file, "sipalg", [interface(Side.INSIDE)]))
    for packet in packets:
        other.take(packet)
    return other, list(read_packets(io.BytesIO(file.getvalue()), "out"))


def ethernet(data: bytes, time: int = 0, original: int | None = None, comments: tuple[str, ...] = ()) -> CapturedPacket:
    """A packet in a frame."""
    frame = IPV4_FRAME + data
    return CapturedPacket(ETHERNET, time, frame, original or len(frame), comments)


def test_a_packet() -> None:
    """It has the time of the one that it stands for, and no link layer, on an interface with the other side's name."""
    other, (out,) = other_side(ethernet(udp((INSIDE, 9), (REMOTE, 9)), 7 * SECOND + 1))
    assert out.interface == Interface("outside", "sipalg pcap: from a capture of the inside", LINK_RAW)
    assert (out.timestamp, out.data) == (7 * SECOND + 1, udp((OUTSIDE, 9), (REMOTE, 9)))
    assert (other.packets_in, other.packets_out, other.counters) == (1, 1, {"outward": 1})


def test_comments() -> None:
    """Those that were there, and one for each message that was rewritten; only where it is."""
    first = options(INSIDE) + options(REMOTE) + options(INSIDE, 2)
    _, packets = other_side(
        ethernet(tcp((INSIDE, 40000), (REMOTE, 5060), 9, 0, SYN), comments=("call begins",)),
        ethernet(tcp((INSIDE, 40000), (REMOTE, 5060), 10, 1, ACK, first[:-9]), comments=("here", "and here")),
        ethernet(tcp((INSIDE, 40000), (REMOTE, 5060), 10 + len(first) - 9, 1, ACK, first[-9:])),
    )
    assert [packet.comments for packet in packets] == [
        ("call begins",),
        ("here", "and here", "OPTIONS rewritten by Via: +2 bytes"),
        ("OPTIONS rewritten by Via: +2 bytes",),
    ]


def test_comments_of_a_packet_that_became_two() -> None:
    """Somebody's own comment stands on the first alone, ours on all that have bytes of the message."""
    brim = request(INSIDE, size=1460 - len(request(INSIDE, size=1)) + 1)
    _, packets = other_side(
        ethernet(tcp((INSIDE, 40000), (REMOTE, 5060), 9, 0, SYN)),
        ethernet(tcp((REMOTE, 5060), (INSIDE, 40000), 9, 10, SYN | ACK)),
        ethernet(tcp((INSIDE, 40000), (REMOTE, 5060), 10, 10, ACK, brim), comments=("here",)),
    )
    assert [len(packet.comments) for packet in packets] == [0, 0, 2, 1]
    assert packets[2].comments == ("here", *packets[3].comments)


def test_a_packet_that_is_cut() -> None:
    """Its length on the wire is kept."""
    data = udp((INSIDE, 9), (REMOTE, 9), bytes(500))
    _, (out,) = other_side(ethernet(data[:60], original=14 + len(data)))
    assert (len(out.data), out.original_length) == (60, len(data))


@pytest.mark.parametrize(
    ("link_type", "frame", "fate"),
    [
        (1, bytes(12) + b"\x08\x06" + bytes(28), "unchanged: not IPv4"),
        (1, bytes(12) + b"\x86\xdd\x60" + bytes(60), "unchanged: not IPv4"),
        (101, b"\x60" + bytes(60), "unchanged: not IPv4"),
        (195, b"whatever", "unchanged: link type 195"),
    ],
)
def test_what_is_not_understood(link_type: int, frame: bytes, fate: str) -> None:
    """It is written as it came, on an interface like its own."""
    source = Interface("", "", link_type)
    other, packets = other_side(
        CapturedPacket(source, 3, frame, len(frame) + 5, ("strange",)),
        CapturedPacket(source, 4, frame, len(frame)),
    )
    assert [packet[1:5] for packet in packets] == [(3, frame, len(frame) + 5, ("strange",)), (4, frame, len(frame), ())]
    expected = Interface(f"link type {link_type}", "sipalg pcap: passed on as captured", link_type)
    assert {packet.interface for packet in packets} == {expected}
    assert (other.packets_out, other.counters) == (2, {fate: 2})


def test_interfaces_of_what_is_not_understood() -> None:
    """One for each that it came from, with its name; they begin where they are first needed."""
    file = io.BytesIO()
    writer = PcapngWriter(file, "sipalg", [interface(Side.INSIDE)])
    other = OtherSide(Retelling(Alg(AlgConfig()), Side.INSIDE.way, lambda number: lambda record: None), writer)
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    names = ("eth0", "eth1", "eth0")
    for name in names:
        other.take(CapturedPacket(Interface(name, "", 1), 0, arp, 42))
    assert [packet.interface.name for packet in read_packets(io.BytesIO(file.getvalue()), "out")] == list(names)
    assert file.getvalue().count(b"passed on as captured") == 2


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (0, struct.pack("<I", 2)),
        (0, struct.pack(">I", 2)),
        (1, IPV4_FRAME),
        (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (101, b""),
        (108, struct.pack(">I", 2)),
        (113, bytes(14) + b"\x08\x00"),
        (228, b""),
        (276, b"\x08\x00" + bytes(18)),
    ],
)
def test_link_types(link_type: int, header: bytes) -> None:
    """Whatever is in front of the packet, it is translated."""
    frame = header + udp((INSIDE, 9), (REMOTE, 9))
    _, (out,) = other_side(CapturedPacket(Interface("", "", link_type), 0, frame, len(frame)))
    assert out.data == udp((OUTSIDE, 9), (REMOTE, 9))
