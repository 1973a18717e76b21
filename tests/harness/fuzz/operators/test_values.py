"""What spoils values: numbers, ports, quotes, encodings, nesting, stacks, sizes."""

from __future__ import annotations

from random import Random

from harness.fuzz.operators.values import OPERATORS
from harness.fuzz.specimen import SAMPLE_PORT, Specimen
from tests.harness.fuzz.operators.spoils import SPECIMEN, field, spoilt

BY_NAME = {operator.name: operator for operator in OPERATORS}


def made(name: str, chances: int = 200) -> list[Specimen]:
    """By many chances."""
    return list(spoilt(BY_NAME[name], chances))


def changed(one: Specimen) -> list[bytes]:
    """Fields that were not there before."""
    return [each for each in one.fields if each not in SPECIMEN.fields]


def test_numbers() -> None:
    """Around every power that an integer may have, in CSeq, Max-Forwards and Expires."""
    fields = {each.partition(b":")[0] for one in made("number") for each in changed(one)}
    assert fields == {b"CSeq", b"Max-Forwards", b"Expires"}
    values = {field(one, b"max-forwards").strip() for one in made("number", 900)}
    assert {b"%d" % 2**32, b"%d" % (2**31 - 1), b"-1"} <= values


def test_ports() -> None:
    """Ours, in Via or Contact."""
    ours = b":%d" % SAMPLE_PORT
    for one in made("port"):
        assert one.data.count(ours) == SPECIMEN.data.count(ours) - 1


def test_quotes_are_left_open() -> None:
    """One quote more than pairs have."""
    odd = [one for one in made("quote") if (one.data.replace(b'\\"', b"").count(b'"')) % 2]
    assert len(odd) > 150


def test_encodings() -> None:
    """Zero bytes, escapes that are none, what is no UTF-8."""
    data = b"".join(one.data for one in made("encoding"))
    for odd in (b"\0", b"%zz", b"%00", b"\xc0\x80", b"\xff\xfe", b"\x1b["):
        assert odd in data


def test_nesting_is_deep() -> None:
    """Hundreds of brackets."""
    deepest = max(max(one.data.count(bracket) for bracket in (b"(", b"<", b"[")) for one in made("nesting"))
    assert deepest > 1000


def test_long_values_and_names() -> None:
    """Up to 32 kB, and no longer."""
    for name in ("long-value", "long-name"):
        sizes = [len(one.data) - len(SPECIMEN.data) for one in made(name)]
        assert 20_000 < max(sizes) <= 32_768 + 10
        assert min(sizes) < 3000


def test_fields_less_and_more() -> None:
    """Emptied, left out, doubled, and often."""
    count = len(SPECIMEN.fields)
    assert {len(one.fields) for one in made("missing")} == {count - 1}
    assert {len(one.fields) for one in made("double")} == {count + 1}
    assert {len(one.fields) for one in made("empty")} == {count}
    assert all(changed(one)[0].endswith(b":") for one in made("empty"))
    assert max(len(one.fields) for one in made("many")) > 500


def test_stacks() -> None:
    """Via below ours, Route to the target."""
    for one in made("via-stack"):
        assert one.fields[0] == SPECIMEN.fields[0]
    assert max(one.data.count(b"SIP/2.0/TCP 192.0.2.") for one in made("via-stack")) > 100
    assert max(one.data.count(b"Route: <sip:127.0.0.9:5070;lr>") for one in made("route-stack")) > 50


def test_start_lines() -> None:
    """Ten kinds of wrong; the rest stays."""
    lines = {one.start for one in made("start-line", 300)}
    assert b"options sip:127.0.0.9:5070 SIP/2.0" in lines
    assert b"OPTIONS sip:127.0.0.9:5070" in lines
    assert any(line.endswith(b"HTTP/1.1") for line in lines)
    assert all(one.fields == SPECIMEN.fields for one in made("start-line"))


def test_a_number_that_is_not_there() -> None:
    """Nothing to spoil is no reason to spoil something else."""
    bare = SPECIMEN.with_fields([b"Via: x", b"Content-Length: 0"])
    for name in ("number", "port"):
        assert all(BY_NAME[name].spoil(bare, Random(seed)) == bare for seed in range(5))
