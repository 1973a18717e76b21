"""Captures by hand in every byte order and shape; cut, damaged, and as Wireshark's editcap writes them."""

from __future__ import annotations

import io
import random
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import ConfigError
from harness.capture.pcapng import Flow, Interface, PcapngWriter
from harness.capture.reader import CapturedPacket, CaptureError, read_capture, read_packets
from tests.helpers.system import require_system

ETHERNET = Interface(link_type=1)
TENTH = 100_000_000
"""nanoseconds"""


def read(data: bytes) -> list[CapturedPacket]:
    """All packets of a file."""
    return list(read_packets(io.BytesIO(data), "x.pcap"))


def read_until_fault(data: bytes) -> tuple[list[CapturedPacket], CaptureError | None]:
    """The packets before the fault, and the fault."""
    packets = []
    try:
        for packet in read_packets(io.BytesIO(data), "x.pcap"):
            packets.append(packet)
    except CaptureError as fault:
        return packets, fault
    return packets, None


def pcap(order: str, magic: int, fraction: int, link_type: int = 1) -> bytes:
    """A file with two packets at 1.1 s and 2.1 s, the second of them cut."""
    return (
        struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)
        + struct.pack(order + "IIII", 1, fraction, 5, 5)
        + b"abcde"
        + struct.pack(order + "IIII", 2, fraction, 3, 1500)
        + b"fgh"
    )


def section(order: str, *blocks: bytes) -> bytes:
    """A section with these blocks."""
    return wrapped(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)) + b"".join(blocks)


def wrapped(order: str, kind: int, body: bytes) -> bytes:
    """A block; its body is a whole number of words."""
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def described(order: str, link_type: int, name: bytes, more: bytes = b"", snap: int = 0) -> bytes:
    """An interface with a name of four letters."""
    option = struct.pack(order + "HH", 2, 4) + name
    return wrapped(order, 1, struct.pack(order + "HHI", link_type, 0, snap) + option + more)


def enhanced(order: str, number: int, ticks: int, data: bytes, more: bytes = b"") -> bytes:
    """An enhanced packet block; data is a whole number of words."""
    fields = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return wrapped(order, 6, struct.pack(order + "IIIII", *fields) + data + more)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 100_000), (0xA1B23C4D, TENTH)], ids=["us", "ns"])
def test_pcap(order: str, magic: int, fraction: int) -> None:
    """Both byte orders, both resolutions."""
    assert read(pcap(order, magic, fraction)) == [
        CapturedPacket(ETHERNET, 1_000_000_000 + TENTH, b"abcde", 5),
        CapturedPacket(ETHERNET, 2_000_000_000 + TENTH, b"fgh", 1500),
    ]


def test_the_link_type_of_a_pcap_with_a_frame_check_sequence() -> None:
    """The upper bits of the field, which speak of the FCS, are no part of the link type."""
    assert read(pcap("<", 0xA1B2C3D4, 0, link_type=0x44000001))[0].interface == ETHERNET


@pytest.mark.parametrize("order", "<>")
def test_pcapng_interfaces(order: str) -> None:
    """Each packet has its interface's name and link type, and its timestamp in that interface's units."""
    tenths = struct.pack(order + "HHBxxx", 9, 1, 1)
    binary = struct.pack(order + "HHBxxxHHq", 9, 1, 0x80 | 10, 14, 8, 100)
    data = section(
        order,
        described(order, 1, b"eth0"),
        described(order, 101, b"tun0", tenths),
        described(order, 113, b"any0", binary),
        enhanced(order, 0, 1_500_000, b"aaaa"),
        enhanced(order, 1, 15, b"bbbb"),
        enhanced(order, 2, 1536, b"cccc"),
        enhanced(order, 0, 5_000_000_000_000_000, b"dddd"),
    )
    seen = [(packet.interface.name, packet.interface.link_type, packet.timestamp, packet.data) for packet in read(data)]
    assert seen == [
        ("eth0", 1, 1_500_000_000, b"aaaa"),
        ("tun0", 101, 1_500_000_000, b"bbbb"),
        ("any0", 113, 101_500_000_000, b"cccc"),
        ("eth0", 1, 5_000_000_000_000_000_000, b"dddd"),
    ]


def test_sections_have_their_own_byte_order_and_interfaces() -> None:
    """What one section described does not count in the next; blocks that nobody knows are passed over."""
    data = section("<", described("<", 1, b"one "), wrapped("<", 0xBAD, b"????"), enhanced("<", 0, 0, b"aaaa"))
    data += section(">", described(">", 101, b"two "), wrapped(">", 5, bytes(12)), enhanced(">", 0, 0, b"bbbb"))
    assert [(packet.interface.name, packet.data) for packet in read(data)] == [("one ", b"aaaa"), ("two ", b"bbbb")]
    packets, fault = read_until_fault(data + section("<", enhanced("<", 0, 0, b"cccc")))
    assert len(packets) == 2
    assert fault is not None
    assert fault.reason == "a packet of interface 0, which is not described"


@pytest.mark.parametrize("order", "<>")
def test_comments_and_flow(order: str) -> None:
    """Every comment in order, one that is no UTF-8 with replacement characters; which way the packet went."""
    comments = struct.pack(order + "HH4sHH4sHHI", 1, 4, b"one ", 1, 2, b"\xff2\0\0", 2, 4, 0x102)
    past_the_end = struct.pack(order + "HHHH4s", 0, 0, 1, 4, b"none")
    data = section(order, described(order, 1, b"eth0"), enhanced(order, 0, 0, b"aaaa", comments + past_the_end))
    (packet,) = read(data)
    assert packet.comments == ("one ", "\ufffd2")
    assert packet.flow is Flow.OUTBOUND


@pytest.mark.parametrize("order", "<>")
def test_simple_and_obsolete_packets(order: str) -> None:
    """A simple packet is as long as the snap length allows; an obsolete one has a short interface number."""
    simple = wrapped(order, 3, struct.pack(order + "I", 100) + b"abcd")
    obsolete = wrapped(order, 2, struct.pack(order + "HHIIII", 0, 9, 0, 7, 3, 3) + b"xyz\0")
    data = section(order, described(order, 1, b"eth0", snap=4), simple, obsolete)
    interface = Interface("eth0", link_type=1)
    assert read(data) == [
        CapturedPacket(interface, 0, b"abcd", 100),
        CapturedPacket(interface, 7000, b"xyz", 3),
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PACKETS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2**63),
        st.binary(max_size=70),
        st.lists(TEXT, max_size=3).map(tuple),
        st.sampled_from(Flow),
    ),
    max_size=6,
)


@given(TEXT, PACKETS)
def test_what_the_writer_writes(name: str, packets: list[tuple[int, int, bytes, tuple[str, ...], Flow]]) -> None:
    """Names, numbers, comments and bytes come back as they were given."""
    interfaces = [Interface(name, "first"), Interface("outside", "second", 1)]
    file = io.BytesIO()
    writer = PcapngWriter(file, "sipalg", interfaces)
    for packet in packets:
        writer.packet(*packet)
    assert read(file.getvalue()) == [
        CapturedPacket(interfaces[number], timestamp, data, len(data), comments, flow)
        for number, timestamp, data, comments, flow in packets
    ]


WHOLE_PCAP = pcap(">", 0xA1B2C3D4, 0)
WHOLE_PCAPNG = section(
    "<", described("<", 1, b"eth0"), enhanced("<", 0, 0, b"aaaa"), enhanced("<", 0, 0, b"bbbb", b"\1\0\1\0c\0\0\0")
)


@pytest.mark.parametrize(("whole", "starts"), [(WHOLE_PCAP, [0, 24, 45]), (WHOLE_PCAPNG, [0, 28, 56, 92])])
def test_a_file_that_is_cut_anywhere(whole: bytes, starts: list[int]) -> None:
    """Every packet before the cut is delivered, then the record that is cut is named with its offset."""
    assert len(read(whole)) == 2
    boundaries = [*starts[1:], len(whole)]
    for size in range(len(whole)):
        packets, fault = read_until_fault(whole[:size])
        complete = sum(stop <= size for stop in boundaries)
        assert len(packets) == max(0, complete - (len(boundaries) - 2))
        if size in boundaries:
            assert fault is None
        else:
            assert fault is not None
            assert fault.offset == starts[complete]
            assert str(fault).startswith("x.pcap: ")
            assert str(fault).endswith(f"(offset {starts[complete]})")


DAMAGES = [
    (b"", 0, "empty"),
    (b"GIF89a...", 0, "neither a pcap nor a pcapng file"),
    (WHOLE_PCAP + struct.pack(">IIII", 0, 0, 0x40001, 64), 64, "claims 262145 bytes"),
    (WHOLE_PCAPNG[:8] + b"\0\0\0\0" + WHOLE_PCAPNG[12:], 0, "byte-order magic"),
    (WHOLE_PCAPNG[:12] + b"\2" + WHOLE_PCAPNG[13:], 0, "version 2"),
    (WHOLE_PCAPNG + struct.pack("<II", 6, 8), 136, "claims 8 bytes"),
    (WHOLE_PCAPNG + struct.pack("<II", 6, 0x1000004), 136, "claims 16777220 bytes"),
    (WHOLE_PCAPNG + struct.pack("<IIB", 6, 13, 0) + b"\x0d\0\0\0", 136, "claims 13 bytes"),
    (WHOLE_PCAPNG[:-4] + b"\x2d\0\0\0", 92, "two lengths differ"),
    (WHOLE_PCAPNG + wrapped("<", 6, bytes(16)), 136, "too short"),
    (WHOLE_PCAPNG + wrapped("<", 0x0A0D0D0A, b"\x4d\x3c\x2b\x1a" + bytes(4)), 136, "too short"),
    (WHOLE_PCAPNG + enhanced("<", 1, 0, b""), 136, "interface 1, which is not described"),
    (WHOLE_PCAPNG + wrapped("<", 6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"abcd"), 136, "room for 4"),
    (WHOLE_PCAPNG + enhanced("<", 0, 0, b"", b"\1\0\5\0abcd"), 136, "option 1 reaches beyond"),
]


@pytest.mark.parametrize(("data", "offset", "reason"), DAMAGES, ids=[damage[2] for damage in DAMAGES])
def test_damage(data: bytes, offset: int, reason: str) -> None:
    """What is wrong, and where; packets before it are delivered."""
    packets, fault = read_until_fault(data)
    assert fault is not None
    assert fault.offset == offset
    assert reason in fault.reason
    assert len(packets) == (2 if offset >= 64 and offset != 92 else offset == 92)


@given(st.sampled_from([WHOLE_PCAP, WHOLE_PCAPNG]), st.randoms(use_true_random=False))
def test_any_damage_is_a_capture_error(whole: bytes, source: random.Random) -> None:
    """Whatever the bytes are, nothing but CaptureError comes out."""
    data = bytearray(whole)
    for _ in range(source.randint(1, 4)):
        data[source.randrange(len(data))] = source.choice([0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)])
    read_until_fault(bytes(data))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """A person's mistake names the file."""
    missing = str(tmp_path / "none.pcap")
    with pytest.raises(ConfigError, match=f"{missing}: No such file or directory"):
        list(read_capture(missing))


@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "pcapng"])
def test_what_editcap_makes_of_our_files(tmp_path: Path, kind: str) -> None:
    """Wireshark reads what we wrote and writes it in other formats; we read that."""
    editcap = require_system("editcap", "wireshark-common")
    ours, theirs = tmp_path / "ours.pcapng", str(tmp_path / "theirs")
    with ours.open("wb") as file:
        writer = PcapngWriter(file, "sipalg", [Interface("inside", "the inside leg"), Interface("outside", "")])
        for number in range(5):
            writer.packet(
                number % 2, 1_234_567_890_123_456_000 + number * 1000, b"\x45" + bytes(number), (f"{number}",)
            )
    subprocess.run([editcap, "-F", kind, str(ours), theirs], check=True, capture_output=True)
    expected, found = list(read_capture(str(ours))), list(read_capture(theirs))
    assert [(packet.timestamp, packet.data) for packet in found] == [
        (packet.timestamp, packet.data) for packet in expected
    ]
    assert {packet.interface.link_type for packet in found} == {101}
    if kind == "pcapng":
        assert [packet.comments for packet in found] == [packet.comments for packet in expected]
        assert [packet.interface.name for packet in found] == [packet.interface.name for packet in expected]
