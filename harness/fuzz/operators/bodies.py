"""Spoils bodies: session descriptions and multipart; the Content-Length that told the truth goes on telling it."""

from __future__ import annotations

import re
from random import Random

from harness.fuzz.operators.values import NUMBERS, ODD_BYTES
from harness.fuzz.specimen import Specimen, name_of
from harness.fuzz.spoiling import Effect, Operator

_TYPE = frozenset({b"content-type", b"c"})
_TYPES = (
    *(b"application/sdp;charset=\xff", b"multipart/mixed", b"multipart/mixed;boundary=", b'multipart/mixed;boundary="'),
    *(
        b"multipart/mixed;boundary=" + b"b" * 5000,
        b"/",
        b"application",
        b"*/*",
        b"a/" * 100,
        b"application/x-nobody-knows",
    ),
)
_DEEPEST = 100


def sdp_less(specimen: Specimen, rng: Random) -> Specimen:
    """Lines less"""
    return _lines(specimen, [line for line in _of(specimen) if rng.random() < 0.7])


def sdp_more(specimen: Specimen, rng: Random) -> Specimen:
    """A line very often"""
    lines = _of(specimen)
    at = rng.randrange(len(lines))
    return _lines(specimen, lines[:at] + [lines[at]] * rng.randint(2, 500) + lines[at:])


def sdp_order(specimen: Specimen, rng: Random) -> Specimen:
    """Lines in another order"""
    lines = _of(specimen)
    rng.shuffle(lines)
    return _lines(specimen, lines)


def sdp_number(specimen: Specimen, rng: Random) -> Specimen:
    """A number that overflows, or is none"""
    lines = _of(specimen)
    having = [at for at, line in enumerate(lines) if line[:2] in (b"v=", b"t=", b"m=")]
    if not having:
        return specimen
    at = rng.choice(having)
    places = list(re.finditer(rb"\d+", lines[at]))
    if places:
        place = rng.choice(places)
        lines[at] = lines[at][: place.start()] + rng.choice(NUMBERS) + lines[at][place.end() :]
    return _lines(specimen, lines)


def sdp_odd(specimen: Specimen, rng: Random) -> Specimen:
    """Bytes that are no text, separators where none belong"""
    lines = _of(specimen)
    at = rng.randrange(len(lines))
    place = rng.randint(0, len(lines[at]))
    what = rng.choice((*ODD_BYTES, b"=", b" ", b"  ", b"/", b":", b"\r", b"x="))
    lines[at] = lines[at][:place] + what + lines[at][place:]
    return _lines(specimen, lines)


def sdp_long(specimen: Specimen, rng: Random) -> Specimen:
    """A very long line"""
    lines = _of(specimen)
    kind = rng.choice((b"a=", b"a=rtpmap:", b"a=fmtp:0 ", b"s=", b"i=", b"b=AS:", b"k=base64:", b"a=candidate:"))
    lines.insert(rng.randint(0, len(lines)), kind + b"1" * 2 ** rng.randint(8, 15))
    return _lines(specimen, lines)


def sdp_line_ends(specimen: Specimen, rng: Random) -> Specimen:
    """Line ends of other systems, or none at the end"""
    end = rng.choice((b"\n", b"\r", b"\r\r\n", b"\r\n\r\n", b"\0"))
    return specimen.with_body(specimen.body.replace(b"\r\n", end) if rng.random() < 0.7 else specimen.body.rstrip())


def parts(specimen: Specimen, rng: Random) -> Specimen:
    """Multipart in multipart in multipart, sometimes without its ends"""
    depth, ends = rng.randint(1, _DEEPEST), rng.random() < 0.5
    kind = next(
        (field.partition(b":")[2].strip() for field in specimen.fields if name_of(field) in _TYPE), b"text/plain"
    )
    body = b"Content-Type: " + kind + b"\r\n\r\n" + specimen.body
    for level in range(depth):
        close = b"\r\n--b%d--\r\n" % level if ends else b""
        inner = b"--b%d\r\n" % level + body + close
        body = b"Content-Type: multipart/mixed;boundary=b%d\r\n\r\n" % level + inner
    return _typed(specimen, b"multipart/mixed;boundary=b%d" % (depth - 1)).with_body(body.partition(b"\r\n\r\n")[2])


def content_type(specimen: Specimen, rng: Random) -> Specimen:
    """A Content-Type that is wrong, or none"""
    return _typed(specimen, rng.choice(_TYPES))


def _of(specimen: Specimen) -> list[bytes]:
    return specimen.body.removesuffix(b"\r\n").split(b"\r\n")


def _lines(specimen: Specimen, lines: list[bytes]) -> Specimen:
    return specimen.with_body(b"".join(line + b"\r\n" for line in lines))


def _typed(specimen: Specimen, kind: bytes) -> Specimen:
    fields = [b"Content-Type: " + kind if name_of(field) in _TYPE else field for field in specimen.fields]
    return specimen.with_fields(fields if specimen.indices(_TYPE) else [*fields, b"Content-Type: " + kind])


OPERATORS = tuple(
    Operator(name, Effect.SPOILT, spoil)
    for name, spoil in (
        ("sdp-less", sdp_less),
        ("sdp-more", sdp_more),
        ("sdp-order", sdp_order),
        ("sdp-number", sdp_number),
        ("sdp-odd", sdp_odd),
        ("sdp-long", sdp_long),
        ("sdp-line-ends", sdp_line_ends),
        ("parts", parts),
        ("content-type", content_type),
    )
)
