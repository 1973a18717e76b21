"""Messages of exactly the size that was asked for."""

from __future__ import annotations

import email
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fuzz.drafts import METHODS
from harness.fuzz.growing import PLACES, TooSmall, grow, smallest
from tests.harness.fuzz.messages import HERE, content_length, draft_for, split

EVERY = pytest.mark.parametrize("grow_by", PLACES)


def grown(method: str, grow_by: str, size: int) -> bytes:
    """A message of that size."""
    return grow(draft_for(method, grow_by), PLACES[grow_by], size, HERE)


def least(method: str, grow_by: str) -> int:
    """The smallest size."""
    return smallest(draft_for(method, grow_by), PLACES[grow_by], HERE)


@EVERY
@pytest.mark.parametrize("method", METHODS)
def test_every_size_from_the_smallest_on(method: str, grow_by: str) -> None:
    """No size is jumped over, also where Content-Length gets a digit longer."""
    first = least(method, grow_by)
    jumps = range(first, first + 1200) if PLACES[grow_by].in_body else range(first, first + 50)
    for size in (*jumps, *range(10_380, 10_480)):
        message = grown(method, grow_by, size)
        assert len(message) == size
        assert content_length(message) == len(split(message)[1])


@given(st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(METHODS)), st.integers(600, 200_000))
def test_any_size(grow_by: str, method: str, size: int) -> None:
    """Neither a method nor a place is an exception."""
    message = grown(method, grow_by, size)
    assert len(message) == size
    assert content_length(message) == len(split(message)[1])


@EVERY
@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_is_below_600_bytes(method: str, grow_by: str) -> None:
    """Limits from 600 bytes on can be found with everything."""
    assert least(method, grow_by) < 600


@EVERY
def test_a_size_that_is_too_small(grow_by: str) -> None:
    """Says what the smallest is; a byte less cannot be had."""
    first = least("INVITE", grow_by)
    with pytest.raises(TooSmall, match=f"^a message of {first - 1} bytes cannot be made: the smallest has {first}$"):
        grown("INVITE", grow_by, first - 1)


@pytest.mark.parametrize(
    ("grow_by", "line", "at_least"),
    [
        ("header", rb"X-Filler: [a-z0-9]+", 1),
        ("headers", rb"X-Filler-\d{6}: [a-z0-9]+", 100),
        ("via", rb"Via: SIP/2\.0/TCP 192\.0\.2\.\d+:5060;branch=z9hG4bK[a-z0-9]+", 80),
        ("record-route", rb"Record-Route: <sip:hop[a-z0-9]+@127\.0\.0\.1:54321;transport=tcp;lr>", 80),
        ("sdp-attributes", rb"a=x-filler-\d{6}:[a-z0-9]+", 100),
        ("sdp-media", rb"m=audio \d{5} RTP/AVP 0", 100),
        ("multipart", rb"[a-z0-9]{30,}", 100),
    ],
)
def test_the_bytes_go_where_they_are_asked_to(grow_by: str, line: bytes, at_least: int) -> None:
    """Almost all of a message of 10,000 bytes is what it was grown by."""
    found = re.findall(rb"(?m)^" + line + rb"\r$", grown("INVITE", grow_by, 10_000))
    assert len(found) >= at_least
    assert sum(map(len, found)) > 3000


def test_stacks_are_behind_the_topmost_via() -> None:
    """The topmost Via stays the sender's: responses are routed by it (RFC 3261 18.2.2)."""
    for grow_by in ("via", "record-route"):
        lines = grown("OPTIONS", grow_by, 3000).split(b"\r\n")
        assert lines[1].endswith(b";branch=z9hG4bK0123456789abcdef")
        assert lines[2].startswith((b"Via: ", b"Record-Route: "))


def test_no_unit_is_the_same_as_another() -> None:
    """Branches, media ports and mids differ, as RFC 3261 8.1.1.7, RFC 3264 and RFC 5888 want."""
    for grow_by, pattern in (
        ("via", rb"branch=(\S+)"),
        ("sdp-media", rb"m=audio (\d+)"),
        ("sdp-media", rb"a=mid:(.+)"),
    ):
        found = re.findall(pattern, grown("INVITE", grow_by, 60_000))
        assert len(found) == len(set(found)) > 500


def test_a_multipart_body_has_the_parts_it_says() -> None:
    """The standard library finds the session description and the text."""
    head, body = split(grown("INVITE", "multipart", 5000))
    content_type = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Type:"))
    parts = email.message_from_bytes(content_type + b"\r\n\r\n" + body).get_payload()
    assert [part.get_content_type() for part in parts] == ["application/sdp", "text/plain"]
