"""The signature over a request: valid as it was sent, and invalid once anything that it covers is another."""

from __future__ import annotations

import pytest

from harness.scenarios.alg_calls import identity
from harness.sip.message import Request, parse

INVALID = (438, "Invalid Identity Header")
SIGNED = identity.signed(
    Request.make(
        "INVITE",
        "sip:bob@192.0.2.20",
        [
            ("Via", "SIP/2.0/TCP 10.0.30.2;branch=z9hG4bK1"),
            ("From", "<sip:alice@10.0.30.2>;tag=1"),
            ("To", "<sip:bob@192.0.2.20>"),
            ("Call-ID", "1@10.0.30.2"),
            ("CSeq", "1 INVITE"),
            ("Contact", "<sip:alice@10.0.30.2:5060>"),
        ],
    ).with_body(b"v=0\r\nc=IN IP4 10.0.30.2\r\n")
)


def changed(before: bytes, after: bytes) -> Request:
    """With other bytes of the same length on the wire."""
    data = SIGNED.to_bytes()
    assert before in data
    request = parse(data.replace(before, after))
    assert isinstance(request, Request)
    return request


def test_as_it_was_sent() -> None:
    """It verifies on the other end of a wire, and whatever a proxy adds to it does not matter."""
    assert identity.verify(changed(b"", b"")) is None
    assert identity.verify(SIGNED.push("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK2")) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Contact: <sip:alice@10.0.30.2", b"Contact: <sip:alice@10.0.30.3"),
        (b"c=IN IP4 10.0.30.2", b"c=IN IP4 10.0.30.3"),
        (b"From: <sip:alice@10", b"From: <sip:alice@11"),
        (b"To: <sip:bob@192", b"To: <sip:bob@193"),
        (b"Call-ID: 1", b"Call-ID: 2"),
        (b"CSeq: 1", b"CSeq: 2"),
        (b"Date: Thu", b"Date: Fri"),
    ],
)
def test_anything_else(before: bytes, after: bytes) -> None:
    """Is refused, whichever part of the digest string it is."""
    assert identity.verify(changed(before, after)) == INVALID


def test_somebody_elses_signature() -> None:
    """Nothing is known of it, and it is no reason to refuse."""
    assert (
        identity.verify(changed(b"Call-ID: 1", b"Call-ID: 2").put("Identity-Info", "<https://example.net/a.cer>"))
        is None
    )


def test_what_a_signature_covers() -> None:
    """Is compared whoever has signed it; without a signature there is nothing to tell."""
    assert identity.still_valid(SIGNED, changed(b"z9hG4bK1", b"z9hG4bK2")) == "valid"
    assert identity.still_valid(SIGNED, changed(b"CSeq: 1", b"CSeq: 2")) == "not valid any more"
    assert identity.still_valid(SIGNED, SIGNED.drop("Identity")) == "none"


@pytest.mark.parametrize("value", ["", '"?"', '"MEUC"'])
def test_no_signature(value: str) -> None:
    """Neither is one that is none."""
    assert identity.verify(SIGNED.put("Identity", value) if value else SIGNED.drop("Identity")) == INVALID
