"""What an endpoint reads from a message that arrived: whom to send to, and which line says so."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass

from alg.sip.message import field_value, header_fields, summarise
from harness.demo.topology import Hop

_URI = re.compile(rb"<?(sips?:[^>]+)>?", re.IGNORECASE)
_HOST_PORT = re.compile(rb"(sips?):(?:[^@]*@)?([^:;?]+)(?::(\d+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Learnt:
    """An address that a message named."""

    hop: Hop
    source: str
    """Message and line that named it."""
    uri: bytes = b""
    """The URI, if it was one."""


@dataclass(frozen=True, slots=True)
class MediaTarget:
    """Where the other party wants the media of one media line."""

    kind: str
    rtp: Learnt
    rtcp: Learnt


def title(message: bytes) -> str:
    """`INVITE`, or `200 INVITE` for a response."""
    summary = summarise(message)
    return summary.title if summary.method else f"{summary.title} {summary.cseq_method}"


def learn_uri(message: bytes, uri: bytes, line: str) -> Learnt:
    """The address of a URI, and the port that RFC 3261 19.1.2 gives it if it says none."""
    source = f"{title(message)}, {line}"
    found = _HOST_PORT.match(uri)
    if found is None:
        return Learnt(("", 0), source, uri)
    secure = found[1].lower() == b"sips" or b";transport=tls" in uri.lower()
    return Learnt((found[2].decode(), int(found[3] or (5061 if secure else 5060))), source, uri)


def request_uri(message: bytes) -> Learnt:
    """Whom a request is for."""
    uri = message[: message.index(b"\r\n")].split(b" ")[1]
    return learn_uri(message, uri, f"Request-URI: {uri.decode()}")


def header_uris(message: bytes, name: bytes) -> list[Learnt]:
    """The URIs of all header fields of one lower-case name, in order."""
    learnt = []
    for entry in header_fields(message):
        found = _URI.search(message, entry.value, entry.stop)
        if entry.name.lower() == name and found is not None:
            learnt.append(learn_uri(message, found[1], message[entry.start : entry.stop].decode()))
    return learnt


def body_faults(message: bytes) -> list[str]:
    """What is wrong with the lengths that a message states: its parts' own Content-Lengths (RFC 2045 appendix A)."""
    return [
        f"a part of {title(message)} says Content-Length {stated}, but has {len(content)} bytes"
        for stated, content in _parts(message)
        if stated is not None and int(stated) != len(content)
    ]


def _parts(message: bytes) -> list[tuple[str | None, bytes]]:
    """(Content-Length, content) of each part of a multipart body; the standard library takes it apart."""
    content_type = field_value(message, b"content-type", b"c") or b""
    body = message.partition(b"\r\n\r\n")[2]
    entity = email.message_from_bytes(b"Content-Type: " + content_type + b"\r\n\r\n" + body)
    leaves = [part for part in entity.walk() if not part.is_multipart()] if entity.is_multipart() else []
    return [(part["Content-Length"], bytes(part.get_payload(decode=True) or b"")) for part in leaves]


def session_description(message: bytes) -> bytes:
    """The SDP of a message, which is its body or the part of it that is one."""
    body = message.partition(b"\r\n\r\n")[2]
    return next((content for _, content in _parts(message) if content.startswith(b"v=0")), body)


def media_targets(message: bytes) -> list[MediaTarget]:
    """Where the sender of a message wants its RTP and RTCP (RFC 8866 5.7, 5.14, RFC 3605)."""
    levels: list[dict[str, str]] = [{}]
    for line in session_description(message).decode().splitlines():
        if line.startswith("m="):
            levels.append({"m=": line})
        for start in ("c=", "a=rtcp:"):
            if line.startswith(start):
                levels[-1].setdefault(start, line)
    session, *media = levels
    return [_media_target(title(message), session | level) for level in media]


def _media_target(where: str, lines: dict[str, str]) -> MediaTarget:
    kind, port, *_ = lines["m="].removeprefix("m=").split(" ")
    connection = lines["c="]
    host = connection.split(" ")[2]
    rtp = Learnt((host, int(port)), f"{where}, SDP {kind}: {connection}")
    own = lines.get("a=rtcp:")
    if own is None:
        return MediaTarget(kind, rtp, Learnt((host, int(port) + 1), rtp.source))
    rtcp_port, *address = own.removeprefix("a=rtcp:").split(" ")
    if not address:
        return MediaTarget(kind, rtp, Learnt((host, int(rtcp_port)), rtp.source))
    return MediaTarget(kind, rtp, Learnt((address[2], int(rtcp_port)), f"{where}, SDP {kind}: {own}"))
