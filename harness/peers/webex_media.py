"""What Webex's media servers can do: G.711, G.722 and AAC-LD, H.264 for people and for slides (seed 003).

Strategy: a table, so that a session description has the lines and the size of a real one; media is SRTP.
"""

from __future__ import annotations

from typing import Final

from harness.sip.capabilities import WEBEX_AUDIO, audio, crypto_lines
from harness.sip.offer_answer import Capabilities, Codec, Stream

_FIRST_PORT: Final = 33510
_SECURE: Final = "RTP/SAVP"
_H264: Final = (
    Codec(
        "H264/90000",
        108,
        "profile-level-id=42001E;packetization-mode=1;max-mps=40500;max-fs=1620;max-fps=3000;max-br=10000;max-dpb=3037;"
        "level-asymmetry-allowed=1",
    ),
    Codec(
        "H264/90000",
        109,
        "profile-level-id=42001E;packetization-mode=0;max-mps=40500;max-fs=1620;max-fps=3000;max-br=10000;max-dpb=3037;"
        "level-asymmetry-allowed=1",
    ),
)
_FEEDBACK: Final = ("rtcp-fb:* nack pli", "rtcp-fb:* ccm fir", "rtcp-fb:* ccm tmmbr", "rtcp-mux")
_KEYS: Final = ("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", "PS1uQCVeQ2oqdj5PKFh8M1R5LkE8cTJlOmtaJ2Y0")
"""Of no real call."""


def webex_capabilities(host: str) -> Capabilities:
    """All of it, received at an address; a stream that is not taken is written as `m=audio 0 RTP/SAVP *`."""
    crypto = crypto_lines(_KEYS)
    streams = (
        audio(_FIRST_PORT, WEBEX_AUDIO, protocol=_SECURE, crypto=crypto, bandwidth=128),
        Stream(
            "video",
            _FIRST_PORT + 2,
            _H264,
            _SECURE,
            crypto=crypto,
            attributes=("label:200", *_FEEDBACK, *_candidates(host, _FIRST_PORT + 2)),
            bandwidth=6000,
        ),
        Stream(
            "video",
            _FIRST_PORT + 4,
            _H264,
            _SECURE,
            crypto=crypto,
            attributes=("label:201", *_FEEDBACK, *_candidates(host, _FIRST_PORT + 4)),
            bandwidth=6000,
            content="slides",
        ),
        Stream("application", _FIRST_PORT + 6, (), "UDP/BFCP", attributes=("floorctrl:c-s", "floorid:2 mstrm:201")),
    )
    return Capabilities(host, streams, "linus", rejected="*")


def _candidates(host: str, port: int) -> tuple[str, ...]:
    """ICE (RFC 8839): host candidates over UDP and TCP, and one of a relay."""
    kinds = (
        f"UDP 2130706431 {host} {port} typ host",
        f"UDP 1694498815 {host} {port + 20} typ srflx raddr {host} rport {port}",
        f"TCP 1671430143 {host} {port + 40} typ host tcptype passive",
        f"UDP 16777215 {host} {port + 60} typ relay raddr {host} rport {port}",
    )
    lines = [
        f"candidate:{foundation} {component} {kind}" for foundation, kind in enumerate(kinds, 1) for component in (1, 2)
    ]
    return ("ice-ufrag:8hhY", "ice-pwd:asd88fgpdd777uzjYhagZg", *lines)
