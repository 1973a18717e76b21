"""What spoils where a message ends: lengths, line ends, bytes."""

from __future__ import annotations

import re

import pytest

from harness.fuzz.operators.lengths import OPERATORS
from harness.fuzz.specimen import Specimen
from tests.harness.fuzz.operators.spoils import SPECIMEN, field, spoilt

BY_NAME = {operator.name: operator for operator in OPERATORS}
SIZE = len(SPECIMEN.body)


def made(name: str) -> list[Specimen]:
    """By many chances."""
    return list(spoilt(BY_NAME[name]))


def test_off() -> None:
    """Never right, never negative, sometimes more and sometimes less."""
    said = {int(field(one, b"content-length")) for one in made("length-off")}
    assert SIZE not in said
    assert min(said) >= 0
    assert min(said) < SIZE < max(said)


def test_overflow() -> None:
    """Right in 8, 16, 31, 32, 63, 64 or 128 bits."""
    said = {int(field(one, b"content-length")) for one in made("length-overflow")}
    assert said <= {SIZE + 2**bits for bits in (8, 16, 31, 32, 63, 64, 128)}
    assert len(said) == 7


def test_odd() -> None:
    """No number by RFC 3261 20.14: not digits alone."""
    said = {field(one, b"content-length") for one in made("length-odd")}
    assert not [value for value in said if re.fullmatch(rb" \d+", value)]
    assert {b" ", b" nan", b" -1", b" 0x%x" % SIZE} <= said


def test_twice() -> None:
    """The right one and a wrong one."""
    for one in made("length-twice"):
        said = re.findall(rb"\r\n(?:Content-Length|l): (\d+)", one.data)
        assert len(said) == 2
        assert [int(value) for value in said].count(SIZE) == 1


def test_missing() -> None:
    """And nothing else is."""
    for one in made("length-missing"):
        assert len(one.fields) == len(SPECIMEN.fields) - 1
        assert b"Content-Length" not in one.data


def test_early_end() -> None:
    """An empty line more, nothing less."""
    for one in made("early-end"):
        assert len(one.data) == len(SPECIMEN.data) + 2
        assert one.data.count(b"\r\n\r\n") > SPECIMEN.data.count(b"\r\n\r\n") or one.data.endswith(SPECIMEN.body)


def test_cut_short() -> None:
    """What is left is the beginning, and not all."""
    for one in made("cut-short"):
        assert SPECIMEN.data.startswith(one.data)
        assert 0 < len(one.data) < len(SPECIMEN.data)


def test_line_ends() -> None:
    """Some line ends are others; sometimes all of them."""
    counts = [one.data.count(b"\r\n") for one in made("line-ends")]
    assert min(counts) == 0
    assert len(set(counts)) > 5


@pytest.mark.parametrize("kept", [b"0123456789", b".", b":", b"@"])
def test_noise_spares_what_hosts_are_made_of(kept: bytes) -> None:
    """No digit, dot, colon or at sign is changed, and none appears."""
    for one in spoilt(BY_NAME["noise"], 300):
        assert len(one.data) == len(SPECIMEN.data)
        places = [[at for at, byte in enumerate(data) if byte in kept] for data in (one.data, SPECIMEN.data)]
        assert places[0] == places[1]
