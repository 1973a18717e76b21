"""TCP options: what a flow has to know of them, and the two that it edits in place.

Strategy: the option bytes of a segment stay as they are; a scan finds the options below and where they stand. SACK
blocks and timestamps are replaced at their place, so that the header never changes its length.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from alg.errors import SegmentError

END, NO_OPERATION, MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
_LENGTHS = {MAXIMUM_SEGMENT_SIZE: 4, WINDOW_SCALE: 3, SACK_PERMITTED: 2, TIMESTAMPS: 10}
MOST_WINDOW_SCALE = 14
"""A larger shift counts as this one (RFC 7323 2.3)."""

SackBlock = tuple[int, int]
"""Left edge and right edge, 32-bit sequence numbers (RFC 2018 3)."""


@dataclass(slots=True)
class TcpOptions:
    """The options of one segment that matter here; None or empty where absent."""

    maximum_segment_size: int | None = None
    """Bytes (RFC 9293 3.7.1)."""
    window_scale: int | None = None
    """Bits to shift the window by (RFC 7323 2.2)."""
    sack_permitted: bool = False
    """RFC 2018 2."""
    sack_at: int = -1
    """Where the SACK option starts in the option bytes."""
    sack: tuple[SackBlock, ...] = ()
    """Blocks in their order (RFC 2018 3)."""
    timestamps_at: int = -1
    """Where TSval stands in the option bytes."""
    timestamps: tuple[int, int] | None = None
    """TSval, TSecr (RFC 7323 3.2)."""


def scan_options(raw: bytes, position: int = 20) -> TcpOptions:
    """What the option bytes, which stand at `position` of a packet, say; SegmentError for an impossible length."""
    options = TcpOptions()
    if len(raw) == 12 and raw.startswith(b"\x01\x01\x08\x0a"):
        options.timestamps_at = 4
        options.timestamps = struct.unpack_from(">II", raw, 4)
        return options
    at = 0
    while at < len(raw) and raw[at] != END:
        if raw[at] == NO_OPERATION:
            at += 1
            continue
        length = raw[at + 1] if at + 1 < len(raw) else 0
        if length < 2 or at + length > len(raw) or _LENGTHS.get(raw[at], length) != length:
            raise SegmentError("tcp-option-length", f"option {raw[at]} of length {length}", position + at)
        _note_option(options, raw, at, length)
        at += length
    return options


def _note_option(options: TcpOptions, raw: bytes, at: int, length: int) -> None:
    kind = raw[at]
    if kind == TIMESTAMPS:
        options.timestamps_at = at + 2
        options.timestamps = struct.unpack_from(">II", raw, at + 2)
    elif kind == SACK:
        options.sack_at = at
        edges = struct.unpack_from(f">{(length - 2) // 8 * 2}I", raw, at + 2)
        options.sack = tuple(zip(edges[::2], edges[1::2], strict=True))
    elif kind == MAXIMUM_SEGMENT_SIZE:
        options.maximum_segment_size = struct.unpack_from(">H", raw, at + 2)[0]
    elif kind == WINDOW_SCALE:
        options.window_scale = min(raw[at + 2], MOST_WINDOW_SCALE)
    elif kind == SACK_PERMITTED:
        options.sack_permitted = True


def with_sack(raw: bytes, options: TcpOptions, blocks: Sequence[SackBlock]) -> bytes:
    """The option bytes with these blocks, at most as many as before, in place of those that were there.

    Room that is left over is filled with no-operation options.
    """
    assert len(blocks) <= len(options.sack), "takes no more room than there was"
    at = options.sack_at
    return b"".join((raw[:at], _sack_option(blocks).ljust(raw[at + 1], b"\x01"), raw[at + raw[at + 1] :]))


def with_timestamp(raw: bytes, options: TcpOptions, value: int) -> bytes:
    """The option bytes with another TSval."""
    at = options.timestamps_at
    return b"".join((raw[:at], struct.pack(">I", value), raw[at + 4 :]))


def build_options(timestamps: tuple[int, int] | None, blocks: Sequence[SackBlock] = ()) -> bytes:
    """Options for a segment of our own, padded with no-operation options as RFC 7323 appendix A recommends."""
    stamps = b"" if timestamps is None else b"\x01\x01\x08\x0a" + struct.pack(">II", *timestamps)
    most = (40 - len(stamps) - 4) // 8
    sack = _sack_option(blocks[:most])
    return stamps + (b"\x01\x01" + sack if sack else b"")


def _sack_option(blocks: Sequence[SackBlock]) -> bytes:
    if not blocks:
        return b""
    return bytes((SACK, 2 + 8 * len(blocks))) + b"".join(struct.pack(">II", *block) for block in blocks)
