"""Framing torture messages: where each ends, or why that cannot be told, counted by hand."""

from __future__ import annotations

import re

import pytest

from harness.fuzz.torture_set.framing import CASES
from tests.harness.fuzz.torture_set.filled import ALL, awaited, body, head, message, sent

_NO_CR = re.compile(rb"(?<!\r)\n")


def said(name: str) -> list[bytes]:
    """What the message says of its length, as it is written."""
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", b"\r\n".join(head(name)))
    return [value.strip() for value in re.findall(rb"(?im)^(?:content-length|l)[ \t]*:(.*?)\r?$", unfolded)]


@pytest.mark.parametrize(
    "name",
    ["length-with-leading-zeros", "length-folded", "length-in-front", "request-in-a-body", "body-of-empty-lines"],
)
def test_odd_lengths_are_right(name: str) -> None:
    """What must be accepted is as long as it says, and another request stands behind it."""
    (value,) = said(name)
    assert int(value) == len(body(name)) > 0
    case = ALL[name]
    assert (case.expect, case.sequel) == ("accepted", True)
    assert sent(case).removeprefix(message(name)).startswith(b"OPTIONS ")


@pytest.mark.parametrize(
    ("name", "bits"), [("length-that-overflows-32-bits", 32), ("length-that-overflows-64-bits", 64)]
)
def test_overflowing_lengths_are_right_when_cut(name: str, bits: int) -> None:
    """So that whoever cuts them answers, and is found out."""
    (value,) = said(name)
    assert int(value) % 2**bits == len(body(name)) == 0


def test_contradictions() -> None:
    """Two lengths, one of them right; and twice the same."""
    assert said("lengths-that-contradict") == [b"3", b"30"]
    assert len(body("lengths-that-contradict")) == 3
    assert said("length-twice-the-same") == [b"0", b"0"]
    assert said("length-missing") == []
    assert said("length-negative") == [b"-999"]


def test_what_never_comes() -> None:
    """A body and an empty line."""
    assert int(said("length-larger-than-body")[0]) > len(body("length-larger-than-body"))
    assert b"\r\n\r\n" not in message("header-without-end")


def test_line_ends() -> None:
    """Line feeds alone where it says so, and nowhere else."""
    for case in CASES:
        assert bool(_NO_CR.search(message(case.name))) == (case.name == "line-feeds-alone"), case.name
    assert b"\r" not in message("line-feeds-alone")


def test_the_request_in_a_body_can_be_told_apart() -> None:
    """Its Call-ID is none that is awaited."""
    inner = body("request-in-a-body")
    assert inner.startswith(b"OPTIONS ")
    assert b"\r\nCall-ID: inside-" in inner
    assert all(not transaction.call_id.startswith(b"inside-") for transaction in awaited("request-in-a-body"))


def test_empty_lines_do_not_hide_the_transaction() -> None:
    """Both requests behind them are awaited, each by its own branch."""
    first, second = awaited("empty-lines-before")
    assert message("empty-lines-before").startswith(b"\r\n\r\n\r\n\r\nOPTIONS ")
    assert first.branch
    assert first.branch != second.branch


def test_an_ack_is_not_awaited() -> None:
    """RFC 3261 17.1.1.3: nobody answers it."""
    (transaction,) = awaited("ack-of-nothing")
    assert transaction.request.startswith(b"OPTIONS ")
