"""Codecs by name, and what products offer: an audio phone, a video endpoint with presentation.

Strategy: tables of what is seen in the field, so that a message has the size and the lines of a real one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from harness.sip.offer_answer import Capabilities, Codec, Crypto, Stream

CODECS: Final = {
    "PCMU": Codec("PCMU/8000", 0),
    "PCMA": Codec("PCMA/8000", 8),
    "G722": Codec("G722/8000", 9),
    "G729": Codec("G729/8000", 18, "annexb=no"),
    "AAC-LD": Codec("MP4A-LATM/90000", 107, "profile-level-id=24;object=23;bitrate=128000"),
    "AAC-LD-64": Codec("MP4A-LATM/90000", 108, "profile-level-id=24;object=23;bitrate=64000"),
    "G7221": Codec("G7221/16000", 110, "bitrate=32000"),
    "OPUS": Codec("opus/48000/2", 114, "maxplaybackrate=48000;stereo=0"),
    "DTMF": Codec("telephone-event/8000", 101, "0-15"),
}
"""Of audio; `DTMF` is what tones are sent by (RFC 4733)."""
WEBEX_AUDIO: Final = ("AAC-LD", "AAC-LD-64", "G722", "PCMU", "PCMA", "DTMF")
"""What Webex supports in hybrid calls (seed 003): G.711, G.722, AAC-LD."""
_VIDEO: Final = (
    Codec("H264/90000", 97, "packetization-mode=0;profile-level-id=428016;max-br=5000;max-mbps=245000;max-fs=9000"),
    Codec("H264/90000", 126, "packetization-mode=1;profile-level-id=428016;max-br=5000;max-mbps=245000;max-fs=9000"),
    Codec("H263-1998/90000", 96, "custom=1280,768,3;custom=1280,720,3;custom=1024,768,1;cif=1;qcif=1;maxbr=20000"),
    Codec("H263/90000", 34, "cif4=1;cif=1;qcif=1;maxbr=20000"),
)
_FEEDBACK: Final = ("rtcp-fb:* nack pli", "rtcp-fb:* ccm fir", "rtcp-fb:* ccm tmmbr")
_KEY_CHARACTERS: Final = 40
"""Of a key and salt of 30 bytes, in base64 (RFC 4568 6.1)."""


def audio(port: int, names: Iterable[str] = ("PCMU", "PCMA", "G722", "DTMF"), **more: object) -> Stream:
    """An audio stream; `more` are fields of Stream."""
    return Stream("audio", port, tuple(CODECS[name] for name in names), **more)  # type: ignore[arg-type]


def audio_phone(
    address: str, port: int = 16384, names: Iterable[str] = ("PCMU", "PCMA", "G722", "DTMF")
) -> Capabilities:
    """One stream of audio."""
    return Capabilities(address, (audio(port, names),))


def video_endpoint(
    address: str, port: int = 16384, names: Iterable[str] = WEBEX_AUDIO, crypto: tuple[Crypto, ...] = ()
) -> Capabilities:
    """Audio, video, presentation, its floor control (RFC 4583) and far-end camera control; the ports follow another.

    With `crypto`, media is SRTP.
    """
    protocol = "RTP/SAVP" if crypto else "RTP/AVP"
    return Capabilities(
        address,
        (
            audio(port, names, protocol=protocol, crypto=crypto, bandwidth=64),
            Stream(
                "video", port + 2, _VIDEO, protocol, crypto=crypto, attributes=("label:11", *_FEEDBACK), bandwidth=6000
            ),
            Stream(
                "application",
                port + 4,
                (),
                "UDP/BFCP",
                attributes=("floorctrl:c-s", "confid:1", "floorid:2 mstrm:12", "userid:1"),
            ),
            Stream(
                "video",
                port + 6,
                _VIDEO[:2],
                protocol,
                crypto=crypto,
                attributes=("label:12", *_FEEDBACK),
                bandwidth=6000,
                content="slides",
            ),
            Stream("application", port + 8, (Codec("H224/4800", 125),), protocol, crypto=crypto),
        ),
    )


def crypto_lines(keys: Iterable[str]) -> tuple[Crypto, ...]:
    """The suites that products offer, with keys of 40 characters of base64."""
    suites = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
    lines = tuple(zip(suites, keys, strict=False))
    assert all(len(key) == _KEY_CHARACTERS for _, key in lines), "keys of 30 bytes in base64"
    return lines
