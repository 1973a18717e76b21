"""What Webex offers and answers."""

from __future__ import annotations

from harness.peers.webex_media import webex_capabilities
from harness.sip.capabilities import audio, crypto_lines
from harness.sip.offer_answer import Capabilities, make_answer, make_offer


def test_offer() -> None:
    """The audio codecs that the guide names, H.264 and nothing else for video, keys and ICE."""
    offer = make_offer(webex_capabilities("192.0.2.5"))
    audio, video, slides, floor = offer.media
    assert {codec.partition("/")[0] for codec in audio.codecs} == {
        *("MP4A-LATM", "G722", "PCMU", "PCMA"),
        "TELEPHONE-EVENT",
    }
    assert set(video.codecs) == {"H264/90000"}
    assert slides.get("content") == "slides"
    assert floor.protocol == "UDP/BFCP"
    assert [each.protocol for each in offer.media[:3]] == ["RTP/SAVP"] * 3
    assert len(video.all("candidate")) == 8
    assert 3000 < len(offer.to_bytes()) < 4000


def test_refused_stream() -> None:
    """It is written as the guide shows it, whatever was offered."""
    theirs = audio(16384, ("G729", "DTMF"), protocol="RTP/SAVP", crypto=crypto_lines(["A" * 40]))
    answer = make_answer(make_offer(Capabilities("192.0.2.6", (theirs,))), webex_capabilities("192.0.2.5"))
    assert str(answer.media[0]).startswith("m=audio 0 RTP/SAVP *\r\n")
