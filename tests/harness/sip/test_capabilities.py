"""What products offer has the size of what products offer."""

from __future__ import annotations

import pytest

from harness.sip.capabilities import CODECS, WEBEX_AUDIO, audio_phone, crypto_lines, video_endpoint
from harness.sip.offer_answer import make_offer
from harness.sip.sdp import parse


def test_video_endpoint() -> None:
    """Five streams, and about two kilobytes; they are read back as they are."""
    able = video_endpoint("192.0.2.1", crypto=crypto_lines(["k" * 40, "l" * 40]))
    text = make_offer(able).to_bytes()
    assert 1500 < len(text) < 3000
    said = parse(text)
    assert [media.kind for media in said.media] == ["audio", "video", "application", "video", "application"]
    assert len(said.media[0].all("crypto")) == 2


def test_webex_has_no_g729() -> None:
    """Which is why calls fail that offer nothing else (seed 003)."""
    assert {CODECS[name].name for name in WEBEX_AUDIO} >= {"PCMU/8000", "G722/8000", "MP4A-LATM/90000"}
    assert "G729" not in WEBEX_AUDIO


def test_phone() -> None:
    """One stream."""
    assert [stream.kind for stream in audio_phone("192.0.2.1").streams] == ["audio"]


def test_keys() -> None:
    """A key of another length is a mistake of ours."""
    with pytest.raises(AssertionError, match="30 bytes"):
        crypto_lines(["short"])
