"""Blocks as we write them, against bytes written by hand from the figures of draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import io

from harness.capture.pcapng import Flow, Interface, PcapngWriter, block, options

SECTION = bytes.fromhex(
    "0a0d0d0a"  # block type
    "28000000"  # block total length: 40
    "4d3c2b1a"  # byte-order magic
    "0100" "0000"  # version 1.0
    "ffffffffffffffff"  # section length: not given
    "0400" "0300" "61626300"  # shb_userappl "abc", padded
    "00000000"  # opt_endofopt
    "28000000"
)  # fmt: skip

OUTSIDE = bytes.fromhex(
    "01000000"
    "34000000"  # 52
    "6500" "0000"  # LINKTYPE_RAW, reserved
    "00000000"  # no snap length
    "0200" "0700" "6f75747369646500"  # if_name "outside"
    "0300" "0300" "6c656700"  # if_description "leg"
    "0900" "0100" "09000000"  # if_tsresol: nanoseconds
    "00000000"
    "34000000"
)  # fmt: skip

PACKET = bytes.fromhex(
    "06000000"
    "44000000"  # 68
    "00000000"  # interface 0
    "67df3518"  # timestamp, high
    "d204a80c"  # timestamp, low
    "05000000" "05000000"  # captured and original length
    "4500001400000000"  # data, padded
    "0100" "0100" "61000000"  # opt_comment "a"
    "0100" "0100" "62000000"  # opt_comment "b"
    "0200" "0400" "02000000"  # epb_flags: outbound
    "00000000"
    "44000000"
)  # fmt: skip
NANOSECONDS = 0x1835DF67_0CA804D2


def test_a_file_block_by_block() -> None:
    """A section, an interface, a packet with two comments: the very bytes of the draft's figures."""
    file = io.BytesIO()
    writer = PcapngWriter(file, "abc", [Interface("outside", "leg")])
    writer.packet(0, NANOSECONDS, bytes.fromhex("4500001400"), ("a", "b"), Flow.OUTBOUND)
    assert file.getvalue() == SECTION + OUTSIDE + PACKET


def test_a_comment_on_the_file() -> None:
    """It is an option of the section, in front of the application."""
    file = io.BytesIO()
    PcapngWriter(file, "abc", [], "made up")
    written = file.getvalue()
    assert written[:24] == SECTION[:4] + b"\x34\0\0\0" + SECTION[8:24]
    assert written[24:] == b"\1\0\7\0made up\0" + SECTION[24:-4] + b"\x34\0\0\0"


def test_a_packet_without_options_has_no_end_of_options() -> None:
    """Nothing to say takes no room."""
    file = io.BytesIO()
    PcapngWriter(file, "abc", [Interface("outside", "leg")]).packet(0, NANOSECONDS, b"\x45\0\0\x14")
    packet = file.getvalue()[len(SECTION + OUTSIDE) :]
    assert packet == PACKET[:4] + b"\x24\0\0\0" + PACKET[8:20] + b"\4\0\0\0" * 2 + b"\x45\0\0\x14" + b"\x24\0\0\0"


def test_every_block_is_flushed() -> None:
    """Whoever reads the file sees a packet as soon as it is written."""
    sizes = []

    class Watched(io.BytesIO):
        def flush(self) -> None:
            sizes.append(len(self.getvalue()))

    PcapngWriter(Watched(), "abc", [Interface("outside", "leg")]).packet(0, 0, b"")
    assert sizes == [len(SECTION), len(SECTION + OUTSIDE), len(SECTION + OUTSIDE) + 32]


def test_padding() -> None:
    """Bodies and option values fill whole words, and only their own lengths are counted."""
    assert block(7, b"abcde") == bytes.fromhex("07000000 14000000 6162636465000000 14000000")
    assert options([(1, b"abcd")]) == bytes.fromhex("01000400 61626364 00000000")
    assert options([]) == b""


def test_an_option_longer_than_its_length_field() -> None:
    """A value past 65535 bytes is cut, and the block stays well-formed."""
    encoded = options([(1, b"x" * 70000)])
    assert encoded[:4] == bytes.fromhex("0100ffff")
    assert encoded[4:] == b"x" * 65535 + b"\0" + bytes(4)


def test_a_packet_that_was_longer() -> None:
    """Its length on the wire counts what is missing."""
    file = io.BytesIO()
    PcapngWriter(file, "abc", []).packet(0, 0, b"\x45\0\0\x14", missing=3)
    assert file.getvalue()[len(SECTION) + 20 : len(SECTION) + 28] == bytes.fromhex("04000000 07000000")


def test_an_interface_that_comes_later() -> None:
    """It is described where it is first needed, and has the next number."""
    file = io.BytesIO()
    writer = PcapngWriter(file, "abc", [Interface("inside")])
    before = len(file.getvalue())
    assert writer.add(Interface("outside", "leg")) == 1
    assert file.getvalue()[before:] == OUTSIDE
