"""Offers and answers (RFC 3264): what an element can do comes in, session descriptions go out.

Strategy: an answer has a stream for each one that was offered, in that order (6). A stream is taken if it is of a kind
that we have, with a codec that we have, in a protocol that we have; with SRTP, if a crypto suite is common too (RFC
4568). The payload types of an answer are those of the offer. What is not taken gets port 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.sip.formats import Key, codec_key
from harness.sip.sdp import Description, Media

Crypto = tuple[str, str]
"""Suite, and our key as `inline:` has it."""

_SENDS = {"sendrecv", "sendonly"}
_RECEIVES = {"sendrecv", "recvonly"}


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec."""

    name: str
    """`NAME/RATE`, as in rtpmap, such as `PCMU/8000`; perhaps with `/CHANNELS`."""
    payload: int
    """That it is offered by."""
    parameters: str = ""
    """fmtp"""

    @property
    def key(self) -> Key:
        """By which codecs are the same."""
        return codec_key(self.name, self.parameters)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream that an element can do."""

    kind: str
    """audio, video, application"""
    port: int
    codecs: tuple[Codec, ...] = ()
    """Empty for a stream that is not RTP, whose formats are taken as they are offered."""
    protocol: str = "RTP/AVP"
    direction: str = "sendrecv"
    crypto: tuple[Crypto, ...] = ()
    attributes: tuple[str, ...] = ()
    """Further a= lines, as they are."""
    bandwidth: int = 0
    """kbit/s; 0 says nothing"""
    content: str = ""
    """`slides` for a presentation (RFC 4796)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an element can do, and where."""

    address: str
    streams: tuple[Stream, ...]
    user: str = "-"
    name: str = "-"
    rejected: str = ""
    """Format of a stream that is not taken; empty for the first one that was offered, `*` in some products."""

    def only(self, *names: str) -> Capabilities:
        """With codecs of these names alone, as a region's codec list has it: `G729`, `PCMU`. It is about audio."""
        known = {name.upper() for name in names}

        def kept(stream: Stream) -> Stream:
            if stream.kind != "audio":
                return stream
            return replace(stream, codecs=tuple(each for each in stream.codecs if each.key[0] in known))

        return replace(self, streams=tuple(map(kept, self.streams)))


def make_offer(able: Capabilities, session: int = 1, version: int = 1) -> Description:
    """Everything that can be done."""
    return _describe(able, tuple(map(_offered, able.streams)), session, version)


def make_answer(offer: Description, able: Capabilities, session: int = 1, version: int = 1) -> Description:
    """The answer to an offer."""
    left = list(able.streams)
    media = []
    for offered in offer.media:
        ours = next((stream for stream in left if offered.port and _fits(stream, offered)), None)
        if ours is None:
            media.append(_refused(offered, able))
        else:
            left.remove(ours)
            media.append(_taken(ours, offered, offer.direction_of(offered)))
    return _describe(able, tuple(media), session, version)


def agreed(description: Description, kind: str = "audio") -> bool:
    """Whether an answer takes a stream of a kind."""
    return any(each.kind == kind and each.port for each in description.media)


def _describe(able: Capabilities, media: tuple[Media, ...], session: int, version: int) -> Description:
    return Description((("t", "0 0"),), able.user, session, version, able.address, able.name, able.address, media)


def _offered(stream: Stream) -> Media:
    formats = tuple(str(codec.payload) for codec in stream.codecs) or ("*",)
    lines = [("b", f"TIAS:{stream.bandwidth * 1000}")] if stream.bandwidth else []
    for codec in stream.codecs:
        lines += _codec_lines(codec, str(codec.payload))
    lines += [("a", f"crypto:{tag} {suite} inline:{key}") for tag, (suite, key) in enumerate(stream.crypto, 1)]
    return _finish(stream, formats, lines, stream.direction)


def _taken(stream: Stream, offered: Media, direction: str) -> Media:
    formats = offered.formats
    lines: list[tuple[str, str]] = []
    if stream.codecs:
        common = _common(stream, offered)
        formats = tuple(payload for payload, _ in common)
        for payload, codec in common:
            lines += _codec_lines(codec, payload)
    crypto = _crypto(stream, offered)
    if crypto is not None:
        lines.append(("a", crypto))
    return replace(_finish(stream, formats, lines, _mirrored(direction, stream.direction)), protocol=offered.protocol)


def _finish(stream: Stream, formats: tuple[str, ...], lines: list[tuple[str, str]], direction: str) -> Media:
    lines += [("a", attribute) for attribute in stream.attributes]
    if stream.content:
        lines.append(("a", f"content:{stream.content}"))
    if stream.kind in ("audio", "video"):
        lines.append(("a", direction))
    return Media(tuple(lines), stream.kind, stream.port, stream.protocol, formats)


def _refused(offered: Media, able: Capabilities) -> Media:
    formats = (able.rejected,) if able.rejected else offered.formats[:1]
    return Media((), offered.kind, 0, offered.protocol, formats)


def _fits(stream: Stream, offered: Media) -> bool:
    if stream.kind != offered.kind or stream.content != (offered.get("content") or ""):
        return False
    if not stream.codecs:
        return stream.protocol == offered.protocol
    if _secure(offered) and _crypto(stream, offered) is None:
        return False
    same = stream.protocol.removesuffix("F") == offered.protocol.removesuffix("F")
    secured = _secure(offered) and bool(stream.crypto)
    return (same or secured) and any(codec.name != "telephone-event/8000" for _, codec in _common(stream, offered))


def _secure(offered: Media) -> bool:
    return offered.protocol.startswith("RTP/SAVP")


def _common(stream: Stream, offered: Media) -> list[tuple[str, Codec]]:
    """Payload type of the offer and our codec, in the offer's order."""
    ours = {codec.key: codec for codec in reversed(stream.codecs)}
    keys = ((each, codec_key(offered.encoding(each), offered.parameters(each))) for each in offered.formats)
    return [(payload, ours[key]) for payload, key in keys if key in ours]


def _crypto(stream: Stream, offered: Media) -> str | None:
    """The answer to the first offered suite that we have."""
    ours = dict(stream.crypto)
    for value in offered.all("crypto"):
        tag, _, rest = value.partition(" ")
        suite = rest.partition(" ")[0]
        if suite in ours:
            return f"crypto:{tag} {suite} inline:{ours[suite]}"
    return None


def _codec_lines(codec: Codec, payload: str) -> list[tuple[str, str]]:
    lines = [("a", f"rtpmap:{payload} {codec.name}")]
    return [*lines, ("a", f"fmtp:{payload} {codec.parameters}")] if codec.parameters else lines


def _mirrored(offered: str, ours: str) -> str:
    """RFC 3264 6.1: we may send if they receive, and receive if they send."""
    sends = offered in _RECEIVES and ours in _SENDS
    receives = offered in _SENDS and ours in _RECEIVES
    return {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}.get(
        (sends, receives), "inactive"
    )
