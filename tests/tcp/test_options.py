"""TCP options found, replaced in place, and refused."""

from __future__ import annotations

import struct

import pytest

from alg.errors import SegmentError
from alg.tcp.options import build_options, scan_options, with_sack, with_timestamp

SYN_OPTIONS = bytes.fromhex("020405b4 0402 080a 00000001 00000002 01 030307")
"""As Linux sends them."""


def test_options_of_a_syn() -> None:
    """Each option a flow asks about is found."""
    options = scan_options(SYN_OPTIONS)
    assert options.maximum_segment_size == 1460
    assert options.sack_permitted
    assert options.timestamps == (1, 2)
    assert options.window_scale == 7


def test_timestamps_alone() -> None:
    """The form that nearly every segment has."""
    options = scan_options(bytes.fromhex("0101080a 0000000a 0000000b"))
    assert (options.timestamps, options.timestamps_at) == ((10, 11), 4)


def test_unknown_options_are_stepped_over() -> None:
    """Option 30 (MPTCP) and what stands behind the end of options do not matter."""
    options = scan_options(bytes.fromhex("1e041122 0402 00 030307"))
    assert options.sack_permitted
    assert options.window_scale is None


def test_window_scale_is_at_most_14() -> None:
    """RFC 7323 2.3."""
    assert scan_options(bytes.fromhex("03030f00")).window_scale == 14


@pytest.mark.parametrize(
    "raw", [b"\x08\x0a\0\0", b"\x05\x00\0\0", b"\x1e\x01\0\0", b"\x01\x01\x01\x02", b"\x02\x03\0\0"]
)
def test_impossible_lengths_are_named(raw: bytes) -> None:
    """A length of 0, 1, beyond the header, or wrong for its kind."""
    with pytest.raises(SegmentError) as error:
        scan_options(raw, 40)
    assert error.value.rule == "tcp-option-length"
    assert error.value.offset == 40 + (3 if raw[0] == 1 else 0)


def test_sack_blocks_are_replaced_at_their_place() -> None:
    """Timestamps stay, room that is left over is filled with no-operation options."""
    raw = bytes.fromhex("0101080a 0000000a 0000000b 0101") + b"\x05\x12" + struct.pack(">4I", 1, 2, 3, 4)
    options = scan_options(raw)
    assert options.sack == ((1, 2), (3, 4))
    changed = with_sack(raw, options, [(7, 9)])
    assert changed[:14] == raw[:14]
    assert changed[14:] == b"\x05\x0a" + struct.pack(">2I", 7, 9) + b"\x01" * 8
    assert with_sack(raw, options, [])[14:] == b"\x01" * 18


def test_timestamp_value_is_replaced() -> None:
    """TSval alone changes."""
    raw = bytes.fromhex("0101080a 0000000a 0000000b")
    assert scan_options(with_timestamp(raw, scan_options(raw), 99)).timestamps == (99, 11)


def test_options_of_our_own() -> None:
    """Whole words, and no more SACK blocks than fit beside timestamps (RFC 2018 3)."""
    blocks = [(n, n + 1) for n in range(5)]
    assert build_options(None) == b""
    assert scan_options(build_options((1, 2))).timestamps == (1, 2)
    assert scan_options(build_options(None, blocks)).sack == tuple(blocks[:4])
    both = build_options((1, 2), blocks)
    assert scan_options(both).sack == tuple(blocks[:3])
    assert len(both) == 40
