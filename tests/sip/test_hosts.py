"""Which port goes with a host, where it stands, and where the URI around it ends."""

from __future__ import annotations

import pytest

from alg.sip.hosts import HostPort, ends_well, followed_by_port_or_delimiter, host_port
from alg.sip.rules import Site, request_uri_host, uri_hosts, via_hosts

ADDRESS = b"10.0.30.2"


def located(line: bytes) -> tuple[bytes, int, int, Site]:
    """The message around a header line (or request line), and the last address in it with its site."""
    if line.endswith(b"SIP/2.0"):
        data, locate, first = line + b"\r\n\r\n", request_uri_host, 0
    else:
        data = b"OPTIONS x SIP/2.0\r\n" + line + b"\r\n\r\n"
        first = data.index(line) + line.index(b":") + 1
        locate = via_hosts if line.startswith(b"Via") else uri_hosts
    start = data.rindex(ADDRESS)
    site = locate("rule", data[first:start])
    assert site is not None, line
    return data, start, start + len(ADDRESS), site


def found(line: bytes) -> tuple[int, bytes | None, bytes | None] | None:
    """The port to look up, the digits of the port as written, the digits of `rport` that go with it."""
    data, start, stop, site = located(line)
    answer = host_port(data, start, stop, site)
    if answer is None:
        return None
    digits = data[slice(*answer.digits)] if answer.digits else None
    return answer.port, digits, data[slice(*answer.rport)] if answer.rport else None


@pytest.mark.parametrize(
    ("line", "port", "digits"),
    [
        (b"To: <sip:10.0.30.2>", 5060, None),
        (b"To: <sip:a@10.0.30.2:5070>", 5070, b"5070"),
        (b"To: <sip:10.0.30.2:05060;lr>", 5060, b"05060"),
        (b"To: <sips:10.0.30.2>", 5061, None),
        (b"To: <sip:10.0.30.2;Transport=TLS>", 5061, None),
        (b"To: <sip:10.0.30.2;transport=tls-sctp>", 5060, None),
        (b"To: <sip:10.0.30.2;transport=tcp;x-transport=tls>", 5060, None),
        (b"To: <sip:10.0.30.2?transport=tls>", 5060, None),
        (b"To: sip:10.0.30.2;transport=tls", 5060, None),
        (b"To: sips:10.0.30.2;tag=1", 5061, None),
        (b"To: <sip:h:5070;maddr=10.0.30.2>", 5070, b"5070"),
        (b"OPTIONS sip:10.0.30.2;transport=tls SIP/2.0", 5061, None),
        (b"OPTIONS sip:a@10.0.30.2:1 SIP/2.0", 1, b"1"),
    ],
)
def test_port_of_a_uri(line: bytes, port: int, digits: bytes | None) -> None:
    """A host without a port counts as 5060, or 5061 for TLS; parameters behind a bare URI are not the URI's."""
    assert found(line) == (port, digits, None)


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"To: <sip:10.0.30.2:65536>",
            b"To: <sip:10.0.30.2:123456>",
            b"To: <sip:10.0.30.2:x>",
            b"To: <sip:10.0.30.2:>",
        ),
        *(b"To: <sip:10.0.30.2.example.com>", b"To: <sip:10.0.30.21>", b"Via: SIP/2.0/TCP 10.0.30.2.example.com"),
        *(b"Via: SIP/2.0/TCP 10.0.30.2:65536", b"Via: SIP/2.0/TCP 10.0.30.2:x", b"Via: SIP/2.0/TCP 10.0.30.2 : "),
    ],
)
def test_malformed_hostport(line: bytes) -> None:
    """A longer token, or a port that is none, is left alone."""
    assert found(line) is None


@pytest.mark.parametrize(
    ("line", "port", "digits", "rport"),
    [
        (b"Via: SIP/2.0/TCP 10.0.30.2", 5060, None, None),
        (b"Via: SIP/2.0/TLS 10.0.30.2", 5061, None, None),
        (b"Via: SIP/2.0/TCP 10.0.30.2 : 5070 ;x", 5070, b"5070", None),
        (b"Via: SIP/2.0/TCP 10.0.30.2\r\n\t:\r\n 5070", 5070, b"5070", None),
        (b"Via: SIP/2.0/TCP 10.0.30.2:5070;rport=5071", 5070, b"5070", b"5071"),
        (b"Via: SIP/2.0/TCP 10.0.30.2;RPort = 5071 ;x", 5060, None, b"5071"),
        (b"Via: SIP/2.0/TCP 10.0.30.2;rport", 5060, None, None),
        (b"Via: SIP/2.0/TCP 10.0.30.2;rport=x", 5060, None, None),
        (b"Via: SIP/2.0/TCP 10.0.30.2;rport=5071;received=1.2.3.4", 5060, None, None),
        (b'Via: SIP/2.0/TCP 10.0.30.2;x=";rport=1";rport=5071', 5060, None, b"5071"),
        (b"Via: SIP/2.0/TCP 10.0.30.2;x=y, SIP/2.0/TCP b;rport=1", 5060, None, None),
        (b"Via: SIP/2.0/TCP a:5070;received=10.0.30.2;rport=5071", 5071, None, b"5071"),
        (b"Via: SIP/2.0/TCP a:5070;received=10.0.30.2;rport", 5070, None, None),
        (b"Via: SIP/2.0/TLS a;received=10.0.30.2", 5061, None, None),
        (b"Via: SIP/2.0/TCP a:5070;rport=5071;maddr=10.0.30.2", 5070, None, None),
        (b"Via: SIP/2.0/TCP a, SIP/2.0/TCP 10.0.30.2;rport=5071", 5060, None, None),
        (b"Via: SIP/2.0/TCP a\r\nVia: SIP/2.0/TCP 10.0.30.2;rport=5071", 5060, None, None),
    ],
)
def test_port_of_a_via(line: bytes, port: int, digits: bytes | None, rport: bytes | None) -> None:
    """sent-by has its port, received goes with rport, maddr with sent-by; only the topmost rport is followed."""
    first = line.rindex(b"Via:")
    if first:
        data = b"OPTIONS x SIP/2.0\r\n" + line + b"\r\n\r\n"
        start = data.rindex(ADDRESS)
        site = via_hosts("Via", data[data.rindex(b"Via:") + 4 : start])
        assert site is not None
        assert host_port(data, start, start + len(ADDRESS), site) == HostPort(port)
    else:
        assert found(line) == (port, digits, rport)


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        *((b">", True), (b";x", True), (b"?x", True), (b"\r\n", True), (b" ", True), (b",", True), (b":5060>", True)),
        *((b":65535;", True), (b":65536;", False), (b":99999>", False), (b":>", False), (b".", False), (b"1", False)),
    ],
)
def test_followed_by_port_or_delimiter(tail: bytes, whole: bool) -> None:
    """Only a whole hostport is remembered."""
    assert followed_by_port_or_delimiter(ADDRESS + tail, len(ADDRESS)) is whole


@pytest.mark.parametrize(
    ("line", "well"),
    [
        (b"To: <sip:10.0.30.2>", True),
        (b"To: <sip:10.0.30.2;lr>;tag=@", True),
        (b"To: <sip:10.0.30.2;day=tuesday@example.com>", False),
        (b"To: <sip:10.0.30.2", False),
        (b"To: <sip:10.0.30.2\r\n >", False),
        (b"To: sip:10.0.30.2", True),
        (b"To: sip:10.0.30.2>", False),
        (b"To: sip:10.0.30.2;a@example.com", False),
        (b"To: sip:a@10.0.30.2;a@example.com", True),
        (b"OPTIONS sip:10.0.30.2  SIP/2.0", True),
        (b"OPTIONS sip:10.0.30.2 x SIP/2.0", False),
        (b"Via: SIP/2.0/TCP 10.0.30.2 x", True),
    ],
)
def test_ends_well(line: bytes, well: bool) -> None:
    """A URI without its proper end, or an address that turns out to be a user part, is no host."""
    assert ends_well(*located(line)[0:1], *located(line)[2:]) is well
