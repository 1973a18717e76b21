"""What spoils bodies: session descriptions and multipart, the Content-Length kept right."""

from __future__ import annotations

import email
from random import Random

from harness.fuzz.operators.bodies import OPERATORS
from harness.fuzz.specimen import Specimen
from tests.harness.fuzz.operators.spoils import SPECIMEN, field, spoilt

BY_NAME = {operator.name: operator for operator in OPERATORS}
LINES = SPECIMEN.body.split(b"\r\n")[:-1]


def made(name: str, chances: int = 200) -> list[Specimen]:
    """By many chances."""
    return list(spoilt(BY_NAME[name], chances))


def lines(one: Specimen) -> list[bytes]:
    """Of the body."""
    return one.body.split(b"\r\n")[:-1]


def test_the_length_is_that_of_the_body() -> None:
    """Whatever became of it, counted by hand."""
    for name in BY_NAME:
        for one in made(name, 20):
            _, _, body = one.data.partition(b"\r\n\r\n")
            assert int(field(one, b"content-length")) == len(body)


def test_lines_less_more_and_in_another_order() -> None:
    """Nothing else."""
    assert all(set(lines(one)) <= set(LINES) for one in made("sdp-less"))
    assert min(len(lines(one)) for one in made("sdp-less")) < len(LINES)
    assert max(len(lines(one)) for one in made("sdp-more")) > 300
    assert all(sorted(lines(one)) == sorted(LINES) for one in made("sdp-order"))
    assert any(lines(one)[0] != b"v=0" for one in made("sdp-order"))


def test_numbers_and_bytes() -> None:
    """Ports and times overflow; addresses are left alone."""
    data = b"".join(one.body for one in made("sdp-number"))
    assert b"m=audio 65536 " in data or b"m=audio 4294967296 " in data
    assert b"t=-1 " in data or b"t=0 -1" in data
    assert all(b"c=IN IP4 127.0.0.1" in one.body for one in made("sdp-number"))
    assert any(b"\0" in one.body for one in made("sdp-odd"))
    assert max(map(len, lines(max(made("sdp-long"), key=lambda one: len(one.body))))) > 30_000
    assert any(b"\r" not in one.body for one in made("sdp-line-ends"))
    assert any(not one.body.endswith(b"\n") for one in made("sdp-line-ends"))


def test_parts_are_parts() -> None:
    """The standard library finds the session description at the bottom, where ends are not left out."""
    found = 0
    for one in made("parts", 20):
        part = email.message_from_bytes(b"Content-Type:" + field(one, b"content-type") + b"\r\n\r\n" + one.body)
        depth = 0
        while part.is_multipart():
            part = part.get_payload(0)  # type: ignore[assignment]
            depth += 1
        assert depth >= 1
        assert one.body.count(b"\n") == one.body.count(b"\r\n")
        assert part.get_content_type() == "application/sdp"
        found += part.get_payload().split()[0] == "v=0"  # type: ignore[union-attr]
    assert found == 20


def test_content_types() -> None:
    """Wrong ones, one at a time."""
    kinds = {field(one, b"content-type") for one in made("content-type")}
    assert {b" multipart/mixed;boundary=", b" /"} <= kinds
    assert b" application/sdp" not in kinds


def test_a_message_without_a_type() -> None:
    """Gets one."""
    bare = Specimen(b"x", (b"Content-Length: 2",), b"ab")
    one = BY_NAME["content-type"].spoil(bare, Random(1))
    assert one.fields[1].startswith(b"Content-Type: ")
