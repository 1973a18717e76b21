"""URIs, addresses and parameters: read as written, printed as read."""

from __future__ import annotations

import pytest

from alg.errors import SipSyntaxError
from harness.sip.uri import NameAddr, Params, SipUri, quote, split_values, unquote

URIS = [
    "sip:bob@example.com",
    "sips:bob:secret@example.com:5071;transport=tcp;lr",
    "sip:64.100.0.10:4401;transport=tls;apparent;ds;lr",
    "sip:+1-212-555-0101;phone-context=x@[2001:db8::1]:5060;user=phone?Subject=a&Priority=b",
    "sip:user;par=u%40example.net@example.com",
]


@pytest.mark.parametrize("text", URIS)
def test_uri_prints_as_written(text: str) -> None:
    """What comes in goes out."""
    assert str(SipUri.parse(text)) == text


def test_parts() -> None:
    """Each part is where it belongs."""
    uri = SipUri.parse("SIPS:bob@Example.com:5071;Transport=TCP;lr?a=b")
    assert (uri.scheme, uri.user, uri.host, uri.port, uri.headers) == ("sips", "bob", "Example.com", 5071, "a=b")
    assert (uri.transport, uri.loose, uri.address) == ("TLS", True, ("example.com", 5071))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sip:a", ("a", 5060)),
        ("sips:a", ("a", 5061)),
        ("sip:a;transport=tls", ("a", 5061)),
        ("sip:a:7003", ("a", 7003)),
    ],
)
def test_default_ports(text: str, address: tuple[str, int]) -> None:
    """5061 is TLS's (RFC 3261 19.1.2)."""
    assert SipUri.parse(text).address == address


@pytest.mark.parametrize("text", ["", "sip:", "tel:+1", "sip:a b", "sip:a:99999", "sip:@", "http://a", "sip:a@b@c d"])
def test_no_uri(text: str) -> None:
    """What is no SIP URI is an error of ours."""
    with pytest.raises(SipSyntaxError, match="no SIP URI"):
        SipUri.parse(text)


@pytest.mark.parametrize(
    ("text", "uri", "display", "tag"),
    [
        ("<sip:a@b>;tag=1", "sip:a@b", "", "1"),
        ("sip:a@b;tag=1", "sip:a@b", "", "1"),
        ('"A, <B> \\" ;tag=9" <sip:a@b;lr>;x;tag="q;q"', "sip:a@b;lr", '"A, <B> \\" ;tag=9"', "q;q"),
        ("Bob Smith <tel:+1212>", "tel:+1212", "Bob Smith", ""),
        ("caller<sip:a>;Tag=1", "sip:a", "caller", "1"),
    ],
)
def test_name_addr(text: str, uri: str, display: str, tag: str) -> None:
    """With and without angle brackets; without them parameters are the header's (RFC 3261 20.10)."""
    parsed = NameAddr.parse(text)
    assert (parsed.uri, parsed.display, parsed.tag) == (uri, display, tag)
    assert NameAddr.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["", "<sip:a", "<>", '"x <sip:a>', "sip:a b", '<sip:a>;tag="1'])
def test_no_name_addr(text: str) -> None:
    """Neither is this."""
    with pytest.raises(SipSyntaxError):
        NameAddr.parse(text)


def test_params_change() -> None:
    """A parameter is changed in its place, and the others stay as they were."""
    params = Params.parse(';Branch=1 ; rport;;x = "a;b"')
    assert str(params.put("rport", "5060").drop("BRANCH")) == ';rport=5060;x="a;b"'
    assert (params.get("X"), params.get("rport"), params.get("y")) == ("a;b", "", None)
    assert str(params.put("y", "2")).endswith(';x="a;b";y=2')


def test_values_are_told_apart() -> None:
    """Commas in quotes and angle brackets separate nothing; empty elements are none."""
    assert split_values('"a, b" <sip:x,y>;q=1, , <sip:z>') == ['"a, b" <sip:x,y>;q=1', "<sip:z>"]
    with pytest.raises(SipSyntaxError, match="without an end"):
        split_values('"a, b')


def test_quotes() -> None:
    """There and back."""
    assert unquote(quote('a"b\\c')) == 'a"b\\c'
    assert unquote("token") == "token"
