"""Malformed torture messages: each is broken where it says, and its end can be told."""

from __future__ import annotations

import re

import pytest

from harness.fuzz.torture_case import TortureCase
from harness.fuzz.torture_set.malformed import CASES
from tests.harness.fuzz.torture_set.filled import FILLING, awaited, head, message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_end_can_be_told(case: TortureCase) -> None:
    """One Content-Length, and it is right."""
    data = FILLING.fill(case.message)
    block, _, body = data.partition(b"\r\n\r\n")
    assert re.findall(rb"\r\nContent-Length: (\d+)", block) == [b"%d" % len(body)]


def test_numbers_overflow() -> None:
    """Cut to 32 or 64 bits they would be small, and right."""
    (cseq,) = (line for line in head("sequence-number-that-overflows") if line.startswith(b"CSeq"))
    assert int(cseq.split()[1]) % 2**64 == 1
    assert int(head("status-that-overflows")[0].split()[1]) % 2**32 == 200
    (hops,) = (line for line in head("max-forwards-that-overflows") if line.startswith(b"Max-Forwards"))
    assert int(hops.split()[1]) % 2**32 == 0
    assert 70596 % 2**16 == 5060
    assert b":70596;branch" in message("ports-that-overflow")


def test_quotes_and_brackets_are_open() -> None:
    """An odd number of them."""
    for name, field in (("unterminated-quote-in-to", b"To:"), ("unterminated-quote-in-contact", b"Contact:")):
        (line,) = (line for line in head(name) if line.startswith(field))
        assert line.count(b'"') % 2 == 1
    (agent,) = (line for line in head("unterminated-comment") if line.startswith(b"User-Agent"))
    assert agent.count(b"(") == 301
    assert b")" not in agent


def test_request_lines_are_no_request_lines() -> None:
    """Where RFC 3261 7.1 has three words with one space between."""
    assert len(head("space-in-request-uri")[0].split(b" ")) == 4
    assert b"  " in head("spaces-in-request-line")[0]
    assert head("spaces-behind-version")[0].endswith(b"SIP/2.0  ")
    assert head("version-nobody-knows")[0].endswith(b" SIP/7.0")


def test_a_response_to_nothing_is_not_awaited() -> None:
    """Only the request behind it is."""
    (transaction,) = awaited("response-numbers-that-overflow")
    assert transaction.method == b"OPTIONS"
    assert message("response-numbers-that-overflow").startswith(b"SIP/2.0 503 ")


def test_text_is_no_text() -> None:
    """Neither field decodes as UTF-8."""
    for start in (b"Subject", b"From"):
        (line,) = (line for line in head("text-that-is-no-utf-8") if line.startswith(start))
        with pytest.raises(UnicodeDecodeError):
            line.decode()
