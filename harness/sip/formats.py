"""Which formats of two session descriptions are one codec (RFC 3264 6.1).

Strategy: a format becomes a key, and equal keys are one codec: name, clock rate and channels, and of H.264 what both
sides must have alike, packetization mode and profile (RFC 6184 8.2.2). Of profiles there are several spellings.
"""

from __future__ import annotations

from typing import Final

Key = tuple[str, ...]
"""Name, rate, channels, and what else tells it from others of that name."""

_H264_PROFILES: Final = (
    (0x42, 0b01001111, 0b01000000, "constrained baseline"),
    (0x4D, 0b10001111, 0b10000000, "constrained baseline"),
    (0x58, 0b11001111, 0b11000000, "constrained baseline"),
    (0x42, 0b01001111, 0b00000000, "baseline"),
    (0x58, 0b11001111, 0b10000000, "baseline"),
    (0x4D, 0b10101111, 0b00000000, "main"),
    (0x58, 0b11001111, 0b00000000, "extended"),
)
"""profile_idc; bits of profile-iop that count, and their values; the profile (RFC 6184 table 5). Others are as they are
written.
"""
_H264_DEFAULT: Final = "420010"
"""Baseline, level 1 (RFC 6184 8.1)."""


def codec_key(encoding: str, parameters: str) -> Key:
    """The key of a format by its rtpmap, `NAME/RATE` or `NAME/RATE/CHANNELS`, and its fmtp."""
    name, rate, channels = (*encoding.upper().split("/"), "", "")[:3]
    key = name, rate, channels or "1"
    if name != "H264":
        return key
    pairs = (parameter.strip().partition("=") for parameter in parameters.split(";"))
    values = {name.lower(): value.strip() for name, _, value in pairs}
    mode = values.get("packetization-mode", "0")
    return *key, mode, _h264_profile(values.get("profile-level-id", _H264_DEFAULT))


def _h264_profile(profile_level_id: str) -> str:
    """Without the level, which an answer may lower."""
    written = profile_level_id.lower()[:4]
    try:
        indication, constraints = bytes.fromhex(written)
    except ValueError:
        return written
    for profile, mask, bits, called in _H264_PROFILES:
        if indication == profile and constraints & mask == bits:
            return called
    return written
