"""The patterns, each against the production of RFC 3261 that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.sip import grammar


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "parameters"),
    [
        (b"sip:10.0.30.2", None, b"10.0.30.2", None, b""),
        (b"SIPS:ann:pw@example.com:5061;lr?x=y", b"ann:pw", b"example.com", b"5061", b";lr"),
        (b"sip:a;b?c@[2001:db8::1]:1", b"a;b?c", b"[2001:db8::1]", b"1", b""),
        (b"sip:@h", b"", b"h", None, b""),
        (b"sip:h;maddr=1.2.3.4;transport=tls", None, b"h", None, b";maddr=1.2.3.4;transport=tls"),
    ],
)
def test_sip_uri(text: bytes, user: bytes | None, host: bytes, port: bytes | None, parameters: bytes) -> None:
    """A URI is told apart into user, host, port and parameters."""
    match = grammar.SIP_URI.match(text)
    assert match is not None
    assert (match["user"], match["host"], match["port"], match["parameters"]) == (user, host, port, parameters)


@pytest.mark.parametrize("text", [b"tel:1", b"sipx:h", b"sip:", b"sip:@", b"http://h"])
def test_no_sip_uri(text: bytes) -> None:
    """Other schemes, and URIs without a host, are none."""
    assert grammar.SIP_URI.match(text) is None


@pytest.mark.parametrize(
    ("text", "transport", "host", "port"),
    [
        (b"SIP/2.0/TCP h", b"TCP", b"h", None),
        (b" sip / 2.0 / x-y\t10.0.30.2 : 5060 ;branch=1", b"x-y", b"10.0.30.2", b"5060"),
        (b"SIP/2.0/TLS\r\n [::1]:1, SIP", b"TLS", b"[::1]", b"1"),
    ],
)
def test_via_parm(text: bytes, transport: bytes, host: bytes, port: bytes | None) -> None:
    """Sent-protocol and sent-by are read with white space where the RFC allows it."""
    match = grammar.VIA_PARM.match(text)
    assert match is not None
    assert (match["transport"], match["host"], match["port"]) == (transport, host, port)


@pytest.mark.parametrize(
    "text", [b"SIP/2.0 h", b"HTTP/1.1/TCP h", b"SIP/2.0/TCPh", b"SIP/2.0/TCP h:x", b"SIP/2.0/TCP h:123456"]
)
def test_no_via_parm(text: bytes) -> None:
    """What lacks a transport or has no number for a port is none."""
    assert grammar.VIA_PARM.match(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "taken"),
    [
        (b"\r\n\r\nx", "end", b"\n\r\n"),
        (b"\r\nContent-Length:  12\r\nx", "length", b"\nContent-Length:  12"),
        (b"\r\nl\t:\r\n 1\r\n \r\nx", "length", b"\nl\t:\r\n 1"),
        (b"\r\nl: 1x\r\n", None, b"\nl:"),
        (b"\r\nc: text/plain\r\n", "content", b"\nc:"),
        (b"\r\nContent-Encoding : gzip\r\n", "content", b"\nContent-Encoding :"),
    ],
)
def test_landmark(text: bytes, kind: str | None, taken: bytes) -> None:
    """The framer's landmarks: the empty line, a length (a malformed one too), the fields about the body."""
    match = grammar.LANDMARK.search(text)
    assert match is not None
    assert match[0] == taken
    assert match.lastgroup in (kind, "digits" if kind == "length" else kind)


@pytest.mark.parametrize(
    "text",
    [b"\n\r\n", b"\r\ncl: 1\r\n", b"\r\nlx: 1\r\n", b"\r\n l: 1\r\n", b"\r\nContact: x\r\n", b"\r\nEvent: x\r\n"],
)
def test_no_landmark(text: bytes) -> None:
    """Fields with names that begin alike, folded lines and a bare line feed are none."""
    assert grammar.LANDMARK.search(text) is None


@given(st.binary(max_size=60).map(lambda text: text.replace(b"\x00", b'"').replace(b"\x01", b"\\")))
def test_mask_quoted_keeps_places(text: bytes) -> None:
    """What stands outside quoted strings stays where it is, and what is inside cannot be found."""
    masked = grammar.mask_quoted(text)
    assert len(masked) == len(text)
    assert all(new in (old, ord("_")) for old, new in zip(text, masked, strict=True))
    left = grammar.QUOTED_STRING.search(masked)
    assert left is None or left[1] is None


def test_mask_quoted() -> None:
    r"""An escaped quotation mark does not end the string, a missing one leaves the rest visible."""
    assert grammar.mask_quoted(rb'a"b\"c"d"e') == rb'a______d"e'


@pytest.mark.parametrize(
    ("text", "port"), [(b";", None), (b":5060>", b"5060"), (b"\r", None), (b":65535\t", b"65535"), (b"?", None)]
)
def test_host_port_tail(text: bytes, port: bytes | None) -> None:
    """Behind a host comes a port or something that ends it."""
    tail = grammar.HOST_PORT_TAIL.match(text)
    assert tail is not None
    assert tail[1] == port


@pytest.mark.parametrize("text", [b"", b"1", b".com", b"-x", b":", b":x", b":123456;", b":5060", b'"', b"=", b"@"])
def test_no_host_port_tail(text: bytes) -> None:
    """A longer token, or a port that is none, is no end of a host."""
    assert grammar.HOST_PORT_TAIL.match(text) is None


def test_field_end_includes_folds() -> None:
    """A field ends where the next line does not continue it."""
    data = b"A: b\r\n c\r\n\td\r\nE: f"
    assert data[: grammar.field_end(data, 3)] == b"A: b\r\n c\r\n\td"
    assert grammar.field_end(data, 15) == len(data)
    assert grammar.field_end(b"A: b\nE: f", 2) == 4


def test_topmost_via() -> None:
    """Only the first Via field, folds included, counts as topmost."""
    data = b"INVITE x SIP/2.0\r\nTo: Via: 1\r\nv : a\r\n b\r\nVia: c\r\n\r\n"
    assert grammar.in_first_via(data, data.index(b"b\r\n"))
    assert not grammar.in_first_via(data, data.index(b"c\r\n"))
    assert not grammar.in_first_via(data, data.index(b"1\r\n"))
    assert not grammar.in_first_via(b"INVITE x SIP/2.0\r\nTo: a\r\n\r\n", 3)
