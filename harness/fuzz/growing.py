"""Makes a message exactly as many bytes long as asked, wherever the bytes are to go.

Strategy: each place grows by units (a header field, an SDP line, a line of a MIME part) whose length can be chosen
byte by byte. One unit at least is always there, so every size from the smallest on can be made. A body that grows
past 99, 999, ... bytes makes Content-Length a digit longer; the one size that is jumped over then is made by one more
character elsewhere (the Call-ID of a request).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alg.edge.entrance import Address
from alg.errors import SipalgError
from harness.fuzz.drafts import Body, Draft, boundary_of

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz0123456789"
_FIRST_MEDIA_PORT, _MEDIA_PORTS = 10_000, 25_000
_LENGTH = b"Content-Length: "


class TooSmall(SipalgError):
    """A size that a message cannot have; `smallest` is what it can."""

    def __init__(self, size: int, smallest: int) -> None:
        super().__init__(f"a message of {size} bytes cannot be made: the smallest has {smallest}")
        self.smallest = smallest


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message grows."""

    name: str
    help: str
    body: Body
    """What the message has to carry."""
    unit: Callable[[int, Address], tuple[bytes, bytes]]
    """What stands before and behind the filler of the unit of that number."""
    nominal: int | None = None
    """Bytes of a unit where there are many; None for one that takes all."""
    behind_via: bool = False
    """Of units that are header fields: below the topmost Via instead of at the end."""

    @property
    def in_body(self) -> bool:
        """Whether units are a part of the body."""
        return self.body is not Body.PLAIN


def _record_route(number: int, here: Address) -> tuple[bytes, bytes]:
    """Hops of our own: what the far end sends along this route comes back to us."""
    host, port = here
    return b"Record-Route: <sip:hop%06d" % number, b"@%s:%d;transport=tcp;lr>\r\n" % (host.encode(), port)


def _media_line(number: int, here: Address) -> tuple[bytes, bytes]:
    port = _FIRST_MEDIA_PORT + 2 * (number % _MEDIA_PORTS)
    return b"m=audio %d RTP/AVP 0\r\na=inactive\r\na=mid:%06d" % (port, number), b"\r\n"


PLACES = {
    place.name: place
    for place in (
        Place("header", "one header field with a long value", Body.PLAIN, lambda n, here: (b"X-Filler: ", b"\r\n")),
        Place(
            "headers",
            "many header fields",
            Body.PLAIN,
            lambda n, here: (b"X-Filler-%06d: " % n, b"\r\n"),
            nominal=64,
        ),
        Place(
            "via",
            "a stack of Via fields, as a request has after many hops",
            Body.PLAIN,
            lambda n, here: (b"Via: SIP/2.0/TCP 192.0.2.%d:5060;branch=z9hG4bK%06d" % (n % 254 + 1, n), b"\r\n"),
            nominal=80,
            behind_via=True,
        ),
        Place("record-route", "a stack of Record-Route fields", Body.PLAIN, _record_route, nominal=96, behind_via=True),
        Place(
            "sdp-attributes",
            "attribute lines of a session description",
            Body.SDP,
            lambda n, here: (b"a=x-filler-%06d:" % n, b"\r\n"),
            nominal=64,
        ),
        Place("sdp-media", "media lines of a session description", Body.SDP, _media_line, nominal=64),
        Place("multipart", "a part of a multipart body", Body.MULTIPART, lambda n, here: (b"", b"\r\n"), nominal=74),
    )
}
"""By name, in the order of the help text."""


def smallest(draft: Draft, place: Place, here: Address) -> int:
    """The size of the smallest message that can be made."""
    opening, closing = _envelope(draft, place)
    least = len(opening) + len(closing) + _least_filler(place, here)
    length = len(draft.body) + least * place.in_body
    return _frame(draft) + len(str(length)) + len(draft.body) + least


def grow(draft: Draft, place: Place, size: int, here: Address) -> bytes:
    """The message of exactly that size; TooSmall if there is none."""
    least = smallest(draft, place, here)
    if size < least:
        raise TooSmall(size, least)
    opening, closing = _envelope(draft, place)
    around = len(opening) + len(closing)
    for extra in (0, 1):
        for digits in range(1, 10):
            filler = size - _frame(draft) - digits - len(draft.body) - around - extra
            length = len(draft.body) + (filler + around) * place.in_body
            if filler >= _least_filler(place, here) and len(str(length)) == digits:
                grown = opening + b"".join(_units(place, filler, here)) + closing
                message = _assemble(draft, place, grown, extra)
                assert len(message) == size, "the arithmetic counts every byte"
                return message
    raise AssertionError("every size from the smallest on can be made")


def _frame(draft: Draft) -> int:
    """Bytes of start line, header fields and empty line, without the digits of the Content-Length."""
    return len(draft.start) + 2 + sum(len(field) + 2 for field in draft.fields) + len(_LENGTH) + 4


def _envelope(draft: Draft, place: Place) -> tuple[bytes, bytes]:
    """What stands around all units."""
    if place.body is not Body.MULTIPART:
        at = draft.content
        open_line = place.in_body and at > 0 and not draft.body[:at].endswith(b"\n")
        return (b"\r\n", b"") if open_line else (b"", b"")
    return b"--" + boundary_of(list(draft.fields)) + b"\r\nContent-Type: text/plain\r\n\r\n", b"\r\n"


def _least_filler(place: Place, here: Address) -> int:
    return sum(map(len, place.unit(0, here))) + 1


def _units(place: Place, total: int, here: Address) -> list[bytes]:
    """Units whose lengths sum up to `total`."""
    count = max(1, total // place.nominal) if place.nominal else 1
    each, longer = divmod(total, count)
    units = []
    for number in range(count):
        before, behind = place.unit(number, here)
        units.append(before + _filler(each + (number < longer) - len(before) - len(behind)) + behind)
    return units


def _filler(length: int) -> bytes:
    return (_ALPHABET * (length // len(_ALPHABET) + 1))[:length]


def _assemble(draft: Draft, place: Place, grown: bytes, extra: int) -> bytes:
    fields = [field + b"0" * extra if at == draft.elastic else field for at, field in enumerate(draft.fields)]
    head = [field + b"\r\n" for field in fields]
    body = draft.body
    if place.in_body:
        body = body[: draft.content] + grown + body[draft.content :]
    else:
        head.insert(draft.vias if place.behind_via else len(head), grown)
    return b"".join((draft.start, b"\r\n", *head, _LENGTH, b"%d\r\n\r\n" % len(body), body))


def natural(draft: Draft) -> bytes:
    """The message without any growth."""
    head = b"".join(field + b"\r\n" for field in draft.fields)
    return b"".join((draft.start, b"\r\n", head, _LENGTH, b"%d\r\n\r\n" % len(draft.body), draft.body))
