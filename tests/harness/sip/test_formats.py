"""Formats that are one codec, and those that only have its name."""

from __future__ import annotations

import pytest

from harness.sip.formats import codec_key

H264 = "H264/90000"


@pytest.mark.parametrize(
    ("encoding", "other", "same"),
    [
        ("PCMU/8000", "pcmu/8000/1", True),
        ("opus/48000/2", "OPUS/48000/2", True),
        ("L16/44100/2", "L16/44100", False),
        ("G722/8000", "G722/16000", False),
        ("PCMU/8000", "PCMA/8000", False),
    ],
)
def test_name_rate_and_channels(encoding: str, other: str, same: bool) -> None:
    """In any case; no number of channels is one (RFC 8866 6.6)."""
    assert (codec_key(encoding, "") == codec_key(other, "annexb=no")) is same


@pytest.mark.parametrize(
    ("parameters", "other", "same"),
    [
        ("profile-level-id=42e01f;packetization-mode=1", "packetization-mode=1; profile-level-id=42E00D", True),
        ("profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f", False),
        ("profile-level-id=42e01f;packetization-mode=0", "profile-level-id=42e01f", True),
        ("profile-level-id=42e01f", "profile-level-id=64001f", False),
        ("profile-level-id=640c1f", "profile-level-id=64001f", False),
        ("profile-level-id=42001E", "PROFILE-LEVEL-ID=428016;max-br=5000", True),
        ("profile-level-id=42001f", "", True),
        ("profile-level-id=42001f", "profile-level-id=42e01f", False),
        ("profile-level-id=42401f", "profile-level-id=4d801f", True),
        ("profile-level-id=42401f", "profile-level-id=58c01f", True),
        ("profile-level-id=42001f", "profile-level-id=58801f", True),
        ("profile-level-id=4d001f", "profile-level-id=4d401f", True),
        ("profile-level-id=4d001f", "profile-level-id=58001f", False),
        ("profile-level-id=high", "profile-level-id=high", True),
        ("profile-level-id=42", "profile-level-id=42e01f", False),
    ],
)
def test_h264(parameters: str, other: str, same: bool) -> None:
    """Mode and profile count, the level does not; the spellings of a profile are those of RFC 6184 table 5."""
    assert (codec_key(H264, parameters) == codec_key(H264, other)) is same
