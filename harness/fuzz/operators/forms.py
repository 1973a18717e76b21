"""Writes a message in another form that says the same: case, compact names, folds, white space, order."""

from __future__ import annotations

import re
from random import Random

from harness.fuzz.specimen import Specimen, name_of
from harness.fuzz.spoiling import Effect, Operator

_COMPACT = {
    b"via": b"v",
    b"from": b"f",
    b"to": b"t",
    b"call-id": b"i",
    b"contact": b"m",
    b"content-length": b"l",
    b"content-type": b"c",
    b"subject": b"s",
    b"supported": b"k",
}
_LONG = {short: name for name, short in _COMPACT.items()}
_UNKNOWN = (
    b'X-Odd: ;;,,;,= "',
    b"!x%y*z_+`'~.-: \x09 value \x09 ",
    b"X-Empty:",
    b"X-Script: \xd0\xbe\xd0\xba \xf0\x9f\x93\x9e",
    b"X-" + b"n" * 200 + b": long name",
    b"X-Looks-Like: SIP/2.0 200 OK",
    b"Vi: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKno",
)
_FOLDS = (b"\r\n ", b"\r\n\t", b"\r\n  \t ", b" \r\n ")


def case(specimen: Specimen, rng: Random) -> Specimen:
    """Names of fields in any case"""
    fields = []
    for field in specimen.fields:
        name, colon, value = field.partition(b":")
        mixed = bytes(
            letter ^ 0x20 if 0x40 < letter & 0xDF < 0x5B and rng.random() < 0.5 else letter for letter in name
        )
        fields.append((mixed if mixed.lower() == name.lower() else name) + colon + value)
    return specimen.with_fields(fields)


def compact(specimen: Specimen, rng: Random) -> Specimen:
    """Compact names for long ones, or long ones for compact ones"""
    fields = []
    for field in specimen.fields:
        _, colon, value = field.partition(b":")
        other = _COMPACT.get(name_of(field)) or _LONG.get(name_of(field))
        fields.append(other + colon + value if other and colon and rng.random() < 0.7 else field)
    return specimen.with_fields(fields)


def fold(specimen: Specimen, rng: Random) -> Specimen:
    """Values on a line of their own"""
    fields = []
    for field in specimen.fields:
        name, colon, value = field.partition(b":")
        folded = name + colon + rng.choice(_FOLDS) + value.lstrip(b" ")
        fields.append(folded if value.strip() and rng.random() < 0.4 else field)
    return specimen.with_fields(fields)


def space(specimen: Specimen, rng: Random) -> Specimen:
    """White space around colons, or none"""
    fields = []
    for field in specimen.fields:
        name, colon, value = field.partition(b":")
        around = rng.choice((b":", b" :", b"\t: ", b" \t : \t "))
        fields.append(name + around + value.strip(b" ") if colon else field)
    return specimen.with_fields(fields)


def order(specimen: Specimen, rng: Random) -> Specimen:
    """Fields in another order, those of one name in theirs"""
    names = list(dict.fromkeys(_long_name_of(field) for field in specimen.fields))
    rng.shuffle(names)
    return specimen.with_fields(sorted(specimen.fields, key=lambda field: names.index(_long_name_of(field))))


def unknown(specimen: Specimen, rng: Random) -> Specimen:
    """Fields that nobody knows"""
    fields = list(specimen.fields)
    for _ in range(rng.randint(1, 20)):
        fields.insert(rng.randint(0, len(fields)), rng.choice(_UNKNOWN))
    return specimen.with_fields(fields)


def zeros(specimen: Specimen, rng: Random) -> Specimen:
    """Zeros before numbers"""
    fields = []
    for field in specimen.fields:
        name, colon, value = field.partition(b":")
        if name_of(field) in (b"cseq", b"max-forwards", b"content-length", b"l", b"expires"):
            value = re.sub(rb"(?=\d)", b"0" * rng.randint(1, 12), value, count=1)
        fields.append(name + colon + value)
    return specimen.with_fields(fields)


def empty_lines(specimen: Specimen, rng: Random) -> Specimen:
    """Empty lines before the message"""
    start = b"\r\n" * rng.randint(1, 5) + specimen.start
    return Specimen(start, specimen.fields, specimen.body, specimen.ended)


def _long_name_of(field: bytes) -> bytes:
    return _LONG.get(name_of(field), name_of(field))


OPERATORS = tuple(
    Operator(name, Effect.HARMLESS, spoil)
    for name, spoil in (
        ("case", case),
        ("compact", compact),
        ("fold", fold),
        ("space", space),
        ("order", order),
        ("unknown", unknown),
        ("zeros", zeros),
        ("empty-lines", empty_lines),
    )
)
