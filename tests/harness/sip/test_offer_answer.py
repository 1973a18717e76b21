"""Offers and answers (RFC 3264): a stream for a stream, in the offer's numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.sip.capabilities import CODECS, audio, audio_phone, video_endpoint
from harness.sip.offer_answer import Capabilities, Codec, Stream, agreed, make_answer, make_offer
from harness.sip.sdp import Description, parse
from tests.harness.sip.samples import wire

HOST = "192.0.2.2"
KEYS = (("AES_CM_128_HMAC_SHA1_80", "a" * 40), ("AES_CM_128_HMAC_SHA1_32", "b" * 40))


def offer(*media: str) -> Description:
    """An offer with these lines."""
    lines = "\n".join(media)
    return parse(wire(f"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n{lines}\n"))


def test_offer_says_everything() -> None:
    """Payload types with their names and parameters, direction, address."""
    text = make_offer(audio_phone(HOST, 4000, ("G729", "DTMF")), 7, 8).to_bytes()
    assert text == wire(
        "v=0\no=- 7 8 IN IP4 192.0.2.2\ns=-\nc=IN IP4 192.0.2.2\nt=0 0\nm=audio 4000 RTP/AVP 18 101\n"
        "a=rtpmap:18 G729/8000\na=fmtp:18 annexb=no\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv\n"
    )


def test_numbers_and_order_are_the_offers() -> None:
    """What is not common is left out; without an rtpmap a static number is known all the same."""
    asked = offer("m=audio 5000 RTP/AVP 96 8 18 97", "a=rtpmap:96 g722/8000", "a=rtpmap:97 telephone-event/8000")
    (media,) = make_answer(asked, audio_phone(HOST)).media
    assert (media.formats, media.codecs[:2]) == (("96", "8", "97"), ["G722/8000", "PCMA/8000"])


def test_stream_for_stream() -> None:
    """Each has its answer in its place; what is not taken, or was off already, is off."""
    asked = offer(
        "m=video 5002 RTP/AVP 97",
        "a=rtpmap:97 H264/90000",
        "m=audio 5000 RTP/AVP 0",
        "m=audio 5004 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
    )
    answered = make_answer(asked, audio_phone(HOST, 4000))
    assert [(media.kind, media.port) for media in answered.media] == [
        ("video", 0),
        ("audio", 4000),
        ("audio", 0),
        ("audio", 0),
    ]
    assert agreed(answered)
    assert not agreed(answered, "video")


@pytest.mark.parametrize(("rejected", "line"), [("", b"m=audio 0 RTP/SAVP 18\r\n"), ("*", b"m=audio 0 RTP/SAVP *\r\n")])
def test_no_common_codec(rejected: str, line: bytes) -> None:
    """G.729 alone, and nobody at the other end who has it; products differ in how they say no."""
    asked = make_offer(audio_phone(HOST).only("G729"))
    assert asked.media[0].formats == ("*",), "without any codec there is nothing to offer"
    able = Capabilities(HOST, (audio(4000, ("G729",), protocol="RTP/SAVP", crypto=KEYS),))
    answered = make_answer(make_offer(able), replace(video_endpoint(HOST, crypto=KEYS), rejected=rejected))
    assert not agreed(answered)
    assert line in answered.to_bytes()


def test_tones_alone_are_no_call() -> None:
    """A stream with nothing but telephone-event in common is not taken."""
    asked = make_offer(audio_phone(HOST, names=("G729", "DTMF")))
    assert not agreed(make_answer(asked, audio_phone(HOST, names=("PCMU", "DTMF"))))


def test_region() -> None:
    """A codec list leaves audio codecs by name, and other streams alone."""
    able = video_endpoint(HOST).only("PCMU", "G729")
    assert [codec.name for codec in able.streams[0].codecs] == ["PCMU/8000"]
    assert len(able.streams[1].codecs) == 4


@pytest.mark.parametrize(
    ("theirs", "ours", "answer"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendrecv", "recvonly", "recvonly"),
        ("recvonly", "recvonly", "inactive"),
        ("sendonly", "sendonly", "inactive"),
    ],
)
def test_directions(theirs: str, ours: str, answer: str) -> None:
    """RFC 3264 6.1."""
    asked = offer("m=audio 5000 RTP/AVP 0", f"a={theirs}")
    (media,) = make_answer(asked, Capabilities(HOST, (audio(4000, direction=ours),))).media
    assert media.direction == answer


def test_crypto() -> None:
    """The first offered suite that we have, by the offer's tag and with our key; none in common is no stream."""
    asked = offer(
        "m=audio 5000 RTP/SAVP 0",
        "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x",
        f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{'t' * 40}|2^20",
    )
    able = Capabilities(HOST, (audio(4000, protocol="RTP/SAVP", crypto=KEYS),))
    assert make_answer(asked, able).media[0].all("crypto") == [f"2 AES_CM_128_HMAC_SHA1_32 inline:{'b' * 40}"]
    assert not agreed(make_answer(asked, Capabilities(HOST, (audio(4000, crypto=KEYS[:1]),))))
    assert not agreed(make_answer(asked, audio_phone(HOST)))
    assert make_offer(able).media[0].all("crypto")[1] == f"2 AES_CM_128_HMAC_SHA1_32 inline:{'b' * 40}"


def test_two_video_endpoints() -> None:
    """Everything of one meets everything of the other: presentation with presentation, floor with floor."""
    answered = make_answer(make_offer(video_endpoint(HOST, 4000)), video_endpoint("192.0.2.3", 6000))
    assert [media.port for media in answered.media] == [6000, 6002, 6004, 6006, 6008]
    assert [media.get("content") for media in answered.media] == [None, None, None, "slides", None]


def test_plain_answer_to_feedback_profile() -> None:
    """RTP/AVPF is answered in kind by somebody who says RTP/AVP."""
    able = Capabilities(HOST, (Stream("video", 4000, (Codec("H264/90000", 97),)),))
    (media,) = make_answer(offer("m=video 1 RTP/AVPF 126", "a=rtpmap:126 H264/90000"), able).media
    assert (media.port, media.protocol, media.formats) == (4000, "RTP/AVPF", ("126",))


def test_codec_key() -> None:
    """Case makes no other codec; channels do."""
    assert CODECS["OPUS"].key == ("OPUS", "48000", "2")


def test_each_h264_is_answered_with_its_own() -> None:
    """Two payload types of one name: by packetization mode and profile, with parameters of ours that go with them."""
    modes = [Codec("H264/90000", 97 + mode, f"profile-level-id=42e016;packetization-mode={mode}") for mode in (0, 1)]
    able = Capabilities(HOST, (Stream("video", 4000, tuple(modes)),))
    asked = offer(
        "m=video 1 RTP/AVP 120 121 122",
        *(f"a=rtpmap:{payload} H264/90000" for payload in (120, 121, 122)),
        "a=fmtp:120 profile-level-id=42c01f;packetization-mode=1",
        "a=fmtp:121 profile-level-id=64001f;packetization-mode=1",
        "a=fmtp:122 profile-level-id=42c01f",
    )
    (media,) = make_answer(asked, able).media
    assert media.formats == ("120", "122")
    assert media.all("fmtp") == [f"120 {modes[1].parameters}", f"122 {modes[0].parameters}"]


def test_h264_of_another_profile_alone() -> None:
    """No codec is common."""
    able = Capabilities(HOST, (Stream("video", 4000, (Codec("H264/90000", 97, "profile-level-id=64001f"),)),))
    asked = offer("m=video 1 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f")
    assert not agreed(make_answer(asked, able), "video")
