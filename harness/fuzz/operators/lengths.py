"""Spoils where a message ends: its length, its line ends, single bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from harness.fuzz.specimen import LENGTHS, Specimen
from harness.fuzz.spoiling import Effect, Operator

_POWERS = (8, 16, 31, 32, 63, 64, 128)
_LINE_ENDS = (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\n\0", b"\x0b", b"\x85")
_KEPT = frozenset(b"0123456789.[]:%@/")
"""Chance alone does not touch, and does not write, what hosts are made of: nobody else is to be reached by it."""
_OTHERS = bytes(set(range(256)) - _KEPT)


def length_off(specimen: Specimen, rng: Random) -> Specimen:
    """A Content-Length that is a little off"""
    by = rng.choice((1, 2, 3, 10, 100, 1000)) * rng.choice((1, -1))
    return _said(specimen, b"%d" % max(0, len(specimen.body) + by))


def length_overflow(specimen: Specimen, rng: Random) -> Specimen:
    """A Content-Length that is right in so many bits"""
    return _said(specimen, b"%d" % (len(specimen.body) + 2 ** rng.choice(_POWERS)))


def length_odd(specimen: Specimen, rng: Random) -> Specimen:
    """A Content-Length that is no number"""
    right = len(specimen.body)
    odd = (b"-%d", b"+%d", b"0x%x", b"%d.0", b"%d %d", b"%d;x", b'"%d"', b"%d\0", b"%de0", b"", b"-1", b"nan")
    form = rng.choice(odd)
    return _said(specimen, form % ((right,) * form.count(b"%")))


def length_twice(specimen: Specimen, rng: Random) -> Specimen:
    """A second Content-Length that contradicts"""
    wrong = len(specimen.body) + rng.choice((-1, 1, 10, 1000))
    fields = list(specimen.fields)
    fields.insert(rng.randint(0, len(fields)), rng.choice((b"Content-Length: %d", b"l: %d")) % max(0, wrong))
    return specimen.with_fields(fields)


def length_missing(specimen: Specimen, rng: Random) -> Specimen:
    """No Content-Length"""
    gone = specimen.indices(LENGTHS)
    return specimen.with_fields([field for at, field in enumerate(specimen.fields) if at not in gone])


def early_end(specimen: Specimen, rng: Random) -> Specimen:
    """An empty line between two fields"""
    at = rng.randint(0, len(specimen.fields))
    fields = list(specimen.fields)
    if at == len(fields):
        return replace(specimen, body=b"\r\n" + specimen.body)
    fields[at] = b"\r\n" + fields[at]
    return specimen.with_fields(fields)


def line_ends(specimen: Specimen, rng: Random) -> Specimen:
    """Line ends of other systems, some or all"""
    end, share = rng.choice(_LINE_ENDS), rng.choice((0.1, 0.5, 1.0))
    data = re.sub(rb"\r\n", lambda found: end if rng.random() < share else found[0], specimen.data)
    return Specimen.of(data)


def cut_short(specimen: Specimen, rng: Random) -> Specimen:
    """The end is missing"""
    data = specimen.data
    return Specimen.of(data[: rng.randint(1, max(1, len(data) - 1))])


def noise(specimen: Specimen, rng: Random) -> Specimen:
    """Some bytes are others"""
    data = bytearray(specimen.data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        if data[at] not in _KEPT:
            data[at] = rng.choice(_OTHERS)
    return Specimen.of(bytes(data))


def _said(specimen: Specimen, value: bytes) -> Specimen:
    fields = [
        field[: field.index(b":") + 1] + b" " + value if at in specimen.indices(LENGTHS) else field
        for at, field in enumerate(specimen.fields)
    ]
    return specimen.with_fields(fields)


OPERATORS = tuple(
    Operator(name, Effect.UNFRAMED, spoil)
    for name, spoil in (
        ("length-off", length_off),
        ("length-overflow", length_overflow),
        ("length-odd", length_odd),
        ("length-twice", length_twice),
        ("length-missing", length_missing),
        ("early-end", early_end),
        ("line-ends", line_ends),
        ("cut-short", cut_short),
        ("noise", noise),
    )
)
