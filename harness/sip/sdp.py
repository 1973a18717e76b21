"""Session descriptions as values (RFC 8866): lines that are understood, and those that are only carried.

Strategy: `parse` takes a body and gives a `Description`, or raises SipSyntaxError. Attributes and other lines keep
their order; only what offers and answers are decided by has a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from alg.errors import SipSyntaxError

Attribute = tuple[str, str | None]
"""Name and value; None for a property."""

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_LINE = re.compile(r"([a-z])=(.*)")
_MEDIA = re.compile(r"(\S+) (\d{1,5})(?:/\d+)? (\S+)((?: \S+)+) *")
_ORIGIN = re.compile(r"(\S+) (\d+) (\d+) (\S+) (\S+) (\S+) *")
_CONNECTION = re.compile(r"IN (IP4|IP6) (\S+) *")
_STATIC = {"0": "PCMU/8000", "3": "GSM/8000", "4": "G723/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000"}
"""Payload types that need no rtpmap (RFC 3551 6)."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a session and a stream have in common."""

    lines: tuple[tuple[str, str], ...] = ()
    """Letter and value of every line that is not named otherwise, attributes among them."""

    def get(self, name: str) -> str | None:
        """The value of the first attribute of a name; empty if it has none, None if it is not there."""
        return next((value or "" for known, value in self.attributes if known == name), None)

    def all(self, name: str) -> list[str]:
        """The values of all attributes of a name."""
        return [value or "" for known, value in self.attributes if known == name]

    @property
    def attributes(self) -> list[Attribute]:
        """All of them."""
        pairs = (value.partition(":") for letter, value in self.lines if letter == "a")
        return [(name, value if colon else None) for name, colon, value in pairs]

    @property
    def direction(self) -> str | None:
        """If it is said."""
        return next((name for name, _ in self.attributes if name in DIRECTIONS), None)

    def towards(self, direction: str) -> Self:
        """With this direction."""
        kept = tuple(line for line in self.lines if line[0] != "a" or line[1] not in DIRECTIONS)
        return replace(self, lines=(*kept, ("a", direction)))


@dataclass(frozen=True, slots=True)
class Media(Attributes):
    """One m= with what belongs to it."""

    kind: str = ""
    port: int = 0
    protocol: str = "RTP/AVP"
    formats: tuple[str, ...] = ()
    address: str | None = None
    """Of its own c=."""

    def encoding(self, payload: str) -> str:
        """`NAME/RATE`, perhaps with `/CHANNELS`, of a payload type; empty if it is not known."""
        found = (value.partition(" ") for value in self.all("rtpmap"))
        return next((text.strip() for number, _, text in found if number == payload), _STATIC.get(payload, ""))

    def codec(self, payload: str) -> str:
        """`NAME/RATE` in upper case of a payload type; empty if it is not known."""
        return "/".join(self.encoding(payload).upper().split("/")[:2])

    def parameters(self, payload: str) -> str:
        """The fmtp of a payload type."""
        found = (value.partition(" ") for value in self.all("fmtp"))
        return next((text for number, _, text in found if number == payload), "")

    @property
    def codecs(self) -> list[str]:
        """Of all its payload types."""
        return [self.codec(payload) for payload in self.formats]

    def __str__(self) -> str:
        head = f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}\r\n"
        return head + _lines(self.lines, self.address)


@dataclass(frozen=True, slots=True)
class Description(Attributes):
    """A session description."""

    user: str = "-"
    session: int = 0
    version: int = 0
    origin: str = "127.0.0.1"
    """Address in o=."""
    name: str = "-"
    address: str | None = None
    """Of the session's c=."""
    media: tuple[Media, ...] = ()

    def address_of(self, media: Media) -> str:
        """Where a stream is received."""
        return media.address or self.address or ""

    def direction_of(self, media: Media) -> str:
        """Of a stream, or of the session, or sendrecv (RFC 3264 5.1)."""
        return media.direction or self.direction or "sendrecv"

    def changed(self, *media: Media) -> Description:
        """The next version of it, with these streams."""
        return replace(self, version=self.version + 1, media=media)

    def held(self, direction: str = "sendonly") -> Description:
        """The next version of it, with every stream that is on in this direction (RFC 3264 8.4)."""
        return self.changed(*(each.towards(direction) if each.port else each for each in self.media))

    @property
    def family(self) -> str:
        """IP4 or IP6, by the origin."""
        return _family(self.origin)

    def to_bytes(self) -> bytes:
        """The body."""
        head = f"v=0\r\no={self.user} {self.session} {self.version} IN {self.family} {self.origin}\r\ns={self.name}\r\n"
        early = tuple(line for line in self.lines if line[0] in "iuep")
        late = [line for line in self.lines if line[0] not in "iuep"]
        late = late if any(letter == "t" for letter, _ in late) else [("t", "0 0"), *late]
        late.sort(key=lambda line: "btrzka".find(line[0]))
        text = head + _lines(early, self.address) + _lines(tuple(late), None) + "".join(map(str, self.media))
        return text.encode("utf-8", "surrogateescape")


def parse(body: bytes) -> Description:
    """SipSyntaxError for what is no session description."""
    session: list[tuple[str, str]] = []
    streams: list[tuple[str, list[tuple[str, str]]]] = []
    for line in body.decode("utf-8", "surrogateescape").split("\n"):
        bare = line.removesuffix("\r")
        if not bare:
            continue
        found = _LINE.fullmatch(bare)
        if found is None:
            raise SipSyntaxError("sdp-line", f"no line of a session description: {bare[:40]!r}", 0)
        if found[1] == "m":
            streams.append((found[2], []))
        else:
            (streams[-1][1] if streams else session).append((found[1], found[2]))
    if session[:1] != [("v", "0")]:
        raise SipSyntaxError("sdp-version", "a session description begins with v=0", 0)
    origin = _ORIGIN.fullmatch(dict(session).get("o", ""))
    if origin is None:
        raise SipSyntaxError("sdp-origin", "no origin", 0)
    return Description(
        tuple(line for line in session if line[0] not in "vosc"),
        user=origin[1],
        session=int(origin[2][:20]),
        version=int(origin[3][:20]),
        origin=origin[6],
        name=dict(session).get("s", "-"),
        address=_address(session),
        media=tuple(_media(head, lines) for head, lines in streams),
    )


def _media(head: str, lines: list[tuple[str, str]]) -> Media:
    found = _MEDIA.fullmatch(head)
    if found is None or int(found[2]) > 65535:
        raise SipSyntaxError("sdp-media", f"no media: {head[:40]!r}", 0)
    rest = tuple(line for line in lines if line[0] != "c")
    return Media(rest, found[1], int(found[2]), found[3], tuple(found[4].split()), _address(lines))


def _address(lines: list[tuple[str, str]]) -> str | None:
    value = dict(lines).get("c")
    if value is None:
        return None
    found = _CONNECTION.fullmatch(value)
    if found is None:
        raise SipSyntaxError("sdp-connection", f"no connection: {value[:40]!r}", 0)
    return found[2].partition("/")[0]


def _lines(lines: tuple[tuple[str, str], ...], address: str | None) -> str:
    """With c= behind i=, and before everything else."""
    connection = "" if address is None else f"c=IN {_family(address)} {address}\r\n"
    titles = "".join(f"{letter}={value}\r\n" for letter, value in lines if letter in "iuep")
    rest = "".join(f"{letter}={value}\r\n" for letter, value in lines if letter not in "iuep")
    return titles + connection + rest


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"
