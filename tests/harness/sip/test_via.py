"""Via: what it says about the way back."""

from __future__ import annotations

import pytest

from alg.errors import SipSyntaxError
from harness.sip.via import Via

SOURCE = ("192.0.2.7", 27901)


def test_parts() -> None:
    """White space where the grammar allows it."""
    via = Via.parse("SIP / 2.0 / tls first.example.com : 4000;ttl=16 ;branch=z9hG4bKa7c6a8dlze.1")
    assert (via.transport, via.host, via.port) == ("TLS", "first.example.com", 4000)
    assert via.branch == "z9hG4bKa7c6a8dlze.1"
    assert via.sent_by == ("first.example.com", 4000)


@pytest.mark.parametrize(
    "text", ["", "SIP/2.0 a", "SIP/2.0/TCP", "SIP/2.0/TCP a:99999", "SIP/7.0/TCP a", "SIP/2.0/TCP a b"]
)
def test_no_via(text: str) -> None:
    """What is none is an error of ours."""
    with pytest.raises(SipSyntaxError):
        Via.parse(text)


@pytest.mark.parametrize(
    ("came", "noted"),
    [
        ("SIP/2.0/UDP 192.0.2.7:27901;branch=1", "SIP/2.0/UDP 192.0.2.7:27901;branch=1"),
        ("SIP/2.0/UDP 192.0.2.7:5060;branch=1", "SIP/2.0/UDP 192.0.2.7:5060;branch=1"),
        ("SIP/2.0/UDP 10.0.30.2:5060;branch=1", "SIP/2.0/UDP 10.0.30.2:5060;branch=1;received=192.0.2.7"),
        ("SIP/2.0/UDP h;rport;branch=1", "SIP/2.0/UDP h;rport=27901;branch=1;received=192.0.2.7"),
        ("SIP/2.0/UDP 192.0.2.7;rport", "SIP/2.0/UDP 192.0.2.7;rport=27901;received=192.0.2.7"),
    ],
)
def test_source_is_noted(came: str, noted: str) -> None:
    """`received` where the host is another, both where rport asks for it (RFC 3261 18.2.1, RFC 3581 4)."""
    assert str(Via.parse(came).came_from(SOURCE)) == noted


@pytest.mark.parametrize(
    ("via", "address"),
    [
        ("SIP/2.0/UDP h", ("h", 5060)),
        ("SIP/2.0/TLS h", ("h", 5061)),
        ("SIP/2.0/UDP h:7000;received=192.0.2.7", ("192.0.2.7", 7000)),
        ("SIP/2.0/UDP h:7000;received=192.0.2.7;rport=27901", ("192.0.2.7", 27901)),
        ("SIP/2.0/TCP h:7000;received=192.0.2.7;rport=27901", ("192.0.2.7", 7000)),
        ("SIP/2.0/UDP h:7000;maddr=224.0.1.75;received=192.0.2.7", ("224.0.1.75", 7000)),
        ("SIP/2.0/UDP h:7000;rport=99999", ("h", 7000)),
    ],
)
def test_way_back(via: str, address: tuple[str, int]) -> None:
    """RFC 3261 18.2.2: without its connection, a response over TCP goes to the port of sent-by."""
    assert Via.parse(via).response_address == address
