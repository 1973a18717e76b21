"""Spoils what start line and fields say: numbers, quotes, separators, encodings, nesting, stacks, lengths."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from harness.fuzz.specimen import LENGTHS, SAMPLE_PORT, Specimen, name_of
from harness.fuzz.spoiling import Effect, Operator

NUMBERS = (
    *(b"%d" % number for power in (8, 16, 31, 32, 63, 64, 128) for number in (2**power - 1, 2**power, 2**power + 1)),
    *(b"-1", b"-2147483648", b"+1", b"0x10", b"1e9", b"1.5", b"", b"9" * 40, b"9" * 4000, b"\xef\xbc\x91"),
)
ODD_BYTES = (
    *(b"\0", b"\0\0\0\0", b"\x7f", b"\x1b[31m", b"\x08", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80"),
    *(
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xe2\x80\xae",
        b"\xf0\x9f\x93\x9e" * 50,
        b"%00",
        b"%",
        b"%zz",
        b"%%%",
        b"%s%n%x",
    ),
    *(b"\\", b"\\\\\\", b"&#0;", b"=?utf-8?q?=00?="),
)
_SEPARATORS = (
    b",",
    b",,,,",
    b";",
    b";;;;",
    b";=",
    b"=;=",
    b"<",
    b">",
    b"<>",
    b"@",
    b"@@",
    b"?",
    b"&",
    b"()",
    b" ",
    b"\t",
)
_PORTS = (b"0", b"65536", b"70596", b"-1", b"", b"99999999999999999999", b"5060x", b"\0", b"0005060", b"5060:5060")
_NUMBERED = frozenset({b"cseq", b"max-forwards", b"expires"})
_LONGEST = 15
"""Power of two of the longest value: 32 kB."""
_DEEPEST = 2000
_HIGHEST_STACK = 300


def number(specimen: Specimen, rng: Random) -> Specimen:
    """A number that overflows, or is none"""
    having = specimen.indices(_NUMBERED)
    if not having:
        return specimen
    at = rng.choice(having)
    return _changed(specimen, at, re.sub(rb"\d+", rng.choice(NUMBERS), specimen.fields[at], count=1))


def port(specimen: Specimen, rng: Random) -> Specimen:
    """A port that is none"""
    ours = b":%d" % SAMPLE_PORT
    having = [at for at, field in enumerate(specimen.fields) if ours in field]
    if not having:
        return specimen
    at = rng.choice(having)
    return _changed(specimen, at, specimen.fields[at].replace(ours, b":" + rng.choice(_PORTS), 1))


def quote(specimen: Specimen, rng: Random) -> Specimen:
    """A quoted string without its end"""
    return _inserted(specimen, rng, rng.choice((b'"', b' "', b'"\\"', b';x="', b'"' * 101)))


def encoding(specimen: Specimen, rng: Random) -> Specimen:
    """Bytes that are no text, escapes that are none"""
    return _inserted(specimen, rng, rng.choice(ODD_BYTES))


def separator(specimen: Specimen, rng: Random) -> Specimen:
    """Separators where none belong"""
    return _inserted(specimen, rng, rng.choice(_SEPARATORS))


def nesting(specimen: Specimen, rng: Random) -> Specimen:
    """Brackets in brackets in brackets"""
    depth = rng.randint(10, _DEEPEST)
    opened, closed = rng.choice(((b"(", b")"), (b"<", b">"), (b"[", b"]"), (b'"', b'"'), (b"(", b""), (b"<", b"")))
    at = _one(specimen, rng)
    name, colon, value = specimen.fields[at].partition(b":")
    return _changed(specimen, at, name + colon + b" " + opened * depth + value.strip() + closed * depth)


def long_value(specimen: Specimen, rng: Random) -> Specimen:
    """A very long value"""
    filler = rng.choice((b"a", b"0", b"a.", b"%41", b"\xc3\xa9", b";x=y", b",x")) * 2 ** rng.randint(6, _LONGEST)
    return _inserted(specimen, rng, filler[: 2**_LONGEST])


def long_name(specimen: Specimen, rng: Random) -> Specimen:
    """A field with a very long name"""
    fields = [*specimen.fields, b"X" * 2 ** rng.randint(8, _LONGEST) + b": y"]
    return specimen.with_fields(fields)


def empty(specimen: Specimen, rng: Random) -> Specimen:
    """A field without a value"""
    at = _one(specimen, rng)
    return _changed(specimen, at, specimen.fields[at].partition(b":")[0] + b":")


def missing(specimen: Specimen, rng: Random) -> Specimen:
    """A field less"""
    at = _one(specimen, rng)
    return specimen.with_fields([field for index, field in enumerate(specimen.fields) if index != at])


def double(specimen: Specimen, rng: Random) -> Specimen:
    """A field twice"""
    at = _one(specimen, rng)
    fields = list(specimen.fields)
    fields.insert(rng.randint(0, len(fields)), fields[at])
    return specimen.with_fields(fields)


def many(specimen: Specimen, rng: Random) -> Specimen:
    """A field very often"""
    at = _one(specimen, rng)
    fields = list(specimen.fields)
    fields[at:at] = [fields[at]] * rng.randint(50, 1000)
    return specimen.with_fields(fields)


def via_stack(specimen: Specimen, rng: Random) -> Specimen:
    """A stack of Via fields, some of them odd"""
    odd = (
        b"",
        b"SIP/2.0",
        b"SIP/2.0/TCP",
        b"SIP/2.0/TCP ;branch=",
        b"/// 192.0.2.1",
        b"SIP/9.9/X-Y 192.0.2.1:0",
        b"\0",
    )
    stack = [
        b"Via: "
        + (rng.choice(odd) if rng.random() < 0.1 else b"SIP/2.0/TCP 192.0.2.%d;branch=z9hG4bK%d" % (n % 254, n))
        for n in range(rng.randint(1, _HIGHEST_STACK))
    ]
    at = (specimen.indices(frozenset({b"via", b"v"})) or [0])[0] + 1
    fields = list(specimen.fields)
    fields[at:at] = stack if rng.random() < 0.5 else [b"Via: " + b", ".join(via[5:] for via in stack)]
    return specimen.with_fields(fields)


def route_stack(specimen: Specimen, rng: Random) -> Specimen:
    """A stack of Route fields that lead to the target itself"""
    words = specimen.start.split(b" ")
    uri = words[1] if len(words) == 3 else b"sip:"
    entry = rng.choice((b"<%s;lr>", b"<%s>", b'"x" <%s;lr=on>;y', b"%s;lr", b"<%s", b"<>", b"")).replace(b"%s", uri)
    return specimen.with_fields([*specimen.fields, *[b"Route: " + entry] * rng.randint(1, _HIGHEST_STACK)])


def start_line(specimen: Specimen, rng: Random) -> Specimen:
    """Another start line"""
    method, _, rest = specimen.start.partition(b" ")
    uri, _, version = rest.rpartition(b" ")
    forms = (
        b" ".join((method.lower(), uri, version)),
        b"  ".join((method, uri, version)),
        b"\t".join((method, uri, version)),
        b" ".join(
            (
                method,
                uri,
                rng.choice((b"SIP/2.1", b"sip/2.0", b"SIP/02.00", b"SIP/2", b"HTTP/1.1", b"SIP/" + b"9" * 99)),
            )
        ),
        b" ".join((method, uri)),
        b" ".join((method, b"<" + uri + b">", version)),
        b" ".join((method * rng.randint(10, 2000), uri, version)),
        b" ".join((method, uri + b";x" * rng.randint(10, 5000), version)),
        b" ".join((method, uri, version)) + b" " * rng.randint(1, 1000),
        b" ".join((rng.choice((b"\0", b"(", b"\xff", b"X" * 33)), uri, version)),
    )
    return replace(specimen, start=rng.choice(forms))


def _one(specimen: Specimen, rng: Random) -> int:
    """Any field but for lengths."""
    return rng.choice([at for at, each in enumerate(specimen.fields) if name_of(each) not in LENGTHS])


def _inserted(specimen: Specimen, rng: Random, what: bytes) -> Specimen:
    """Somewhere in a value."""
    at = _one(specimen, rng)
    field = specimen.fields[at]
    place = rng.randint(field.find(b":") + 1, len(field))
    return _changed(specimen, at, field[:place] + what + field[place:])


def _changed(specimen: Specimen, at: int, field: bytes) -> Specimen:
    return specimen.with_fields([field if index == at else each for index, each in enumerate(specimen.fields)])


OPERATORS = tuple(
    Operator(name, Effect.SPOILT, spoil)
    for name, spoil in (
        ("number", number),
        ("port", port),
        ("quote", quote),
        ("encoding", encoding),
        ("separator", separator),
        ("nesting", nesting),
        ("long-value", long_value),
        ("long-name", long_name),
        ("empty", empty),
        ("missing", missing),
        ("double", double),
        ("many", many),
        ("via-stack", via_stack),
        ("route-stack", route_stack),
        ("start-line", start_line),
    )
)
