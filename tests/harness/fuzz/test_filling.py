"""Messages written down once: their fields, their line ends, their lengths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.fuzz.filling import PLAIN, Filling, request

FILLING = Filling(("127.0.0.9", 5070), ("10.0.30.2", 40000), "0123456789abcdef")

WRITTEN_BY_HAND = (
    b"OPTIONS sip:127.0.0.9:5070 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 10.0.30.2:40000;branch=z9hG4bK0123456789abcdef\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:sipalg@10.0.30.2>;tag=0123456789abcdef\r\n"
    b"To: <sip:127.0.0.9:5070>\r\n"
    b"Call-ID: 0123456789abcdef\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n"
    b"\r\n"
)


def test_a_plain_request() -> None:
    """Byte for byte."""
    assert FILLING.fill(PLAIN) == WRITTEN_BY_HAND


def test_over_tls_for_somebody() -> None:
    """Transport and user appear where they belong."""
    data = replace(FILLING, secure=True, user="ann").fill(request(b"{contact}"))
    assert data.startswith(b"OPTIONS sip:ann@127.0.0.9:5070 SIP/2.0\r\nVia: SIP/2.0/TLS 10")
    assert b"\r\nTo: <sip:ann@127.0.0.9:5070>\r\n" in data
    assert b"\r\nContact: <sip:sipalg@10.0.30.2:40000;transport=tls>\r\n" in data


def test_only_what_is_special_is_written_out() -> None:
    """One field instead of another, one left out, more, and a body."""
    data = FILLING.fill(request(b"X: y", hops=b"", cseq=b"CSeq: 2 OPTIONS", from_=b"From: z", body=b"abc\n"))
    assert b"Max-Forwards" not in data
    assert b"\r\nFrom: z\r\nTo: " in data
    assert data.endswith(b"\r\nCSeq: 2 OPTIONS\r\nX: y\r\nContent-Length: 5\r\n\r\nabc\r\n")
    with pytest.raises(AssertionError):
        request(subject=b"no usual field")


def test_line_ends() -> None:
    """LF becomes CRLF; CRLF and CR stay; a line feed alone is asked for."""
    assert FILLING.fill(b"a\nb\r\nc\rd{lf}e") == b"a\r\nb\r\nc\rd\ne"


@pytest.mark.parametrize("before", [b"", b"\n\n\n\n"])
def test_length_counts_what_stands_behind_the_header_block(before: bytes) -> None:
    """Empty lines before the message end no header block."""
    assert FILLING.fill(before + b"A b c\nl: {length}\n\n12\n").endswith(b"\r\nl: 4\r\n\r\n12\r\n")


def test_cseq_has_the_method() -> None:
    """Of a request; a response belongs to an OPTIONS."""
    assert b"\r\nCSeq: 1 BYE" in FILLING.fill(b"BYE x SIP/2.0\n{cseq}\n")
    assert b"\r\nCSeq: 1 OPTIONS" in FILLING.fill(b"SIP/2.0 200 OK\n{cseq}\n")


def test_other_braces_stay() -> None:
    """A brace is a brace."""
    assert FILLING.fill(b"{x} {{token}} {}") == b"{x} {0123456789abcdef} {}"
