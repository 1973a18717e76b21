"""The table of header fields, and what stands before a host in each of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.sip.rules import HEADER_RULES, Role, Site, request_uri_host, uri_hosts, via_hosts

FIELDS = {
    "Request-URI": None,
    **dict.fromkeys(["Route", "Record-Route", "Path", "Service-Route", "P-Asserted-Identity", "P-Preferred-Identity"]),
    **dict.fromkeys(["Remote-Party-ID", "Reply-To", "Diversion", "History-Info"]),
    **{"Via": "v", "Contact": "m", "From": "f", "To": "t", "Refer-To": "r", "Referred-By": "b"},
}
"""The fields of the design, with their compact forms (RFC 3261 7.3.3, RFC 3515 2.1, RFC 3892 3)."""


def test_table_is_complete() -> None:
    """Exactly the documented header fields are rewritten, in their documented compact forms too."""
    assert {rule.name: rule.compact for rule in HEADER_RULES} == FIELDS
    assert len(HEADER_RULES) == len(FIELDS)


def test_every_row_names_its_source() -> None:
    """A reader can look up where a field is defined."""
    assert all(re.match(r"RFC \d{4}|draft-", rule.source) for rule in HEADER_RULES)


@pytest.mark.parametrize(
    ("prefix", "role", "before", "user_open"),
    [
        (b" <sip:", Role.URI_HOST, 4, True),
        (b"sip:", Role.URI_HOST, 4, True),
        (b"\r\n <sips:ann@", Role.URI_HOST, 9, False),
        (b'"Ann, <sip:x>" <sip:10.0.30.2@', Role.URI_HOST, 14, False),
        (b"<sip:a>, <sip:b>;x=y ,sip:", Role.URI_HOST, 4, True),
        (b" Ann Smith <SIP:a;b?c@", Role.URI_HOST, 10, False),
        (b"<sip:h;lr;MAddr=", Role.URI_MADDR, 15, True),
        (b"<sip:a@h:1;maddr=", Role.URI_MADDR, 16, False),
        (b'"\\"" <sip:', Role.URI_HOST, 4, True),
    ],
)
def test_host_of_a_uri(prefix: bytes, role: Role, before: int, user_open: bool) -> None:
    """The host of each URI in a list, and its maddr inside angle brackets."""
    site = uri_hosts("Contact", prefix)
    assert site is not None
    assert (site.role, site.before, site.user_open) == (role, before, user_open)


@pytest.mark.parametrize(
    "prefix",
    [
        *(b"", b" ", b"<", b"<tel:", b"<sip:a", b"<sip:1", b"<sip:a@1", b"<sip:a@b.", b'"<sip:', b'"a" "<sip:'),
        *(b"<sip:a>;x=", b"<sip:a>;maddr=", b"sip:a;maddr=", b"<sip:a;x=", b"<sip:a?maddr=", b"<sip:a;xmaddr="),
        *(b"<sip:a?x=;maddr=", b"<sip:a b@", b"<<sip:", b"<sip:a@b@", b"<sip:<sip:", b"<sip:a>sip:", b"x sip:"),
    ],
)
def test_no_host_of_a_uri(prefix: bytes) -> None:
    """User parts, display names, quoted strings, other parameters and URI headers are no hosts."""
    assert uri_hosts("Contact", prefix) is None


@pytest.mark.parametrize(
    ("prefix", "rule", "role", "first"),
    [
        (b" SIP/2.0/TCP ", "Via", Role.SENT_BY, True),
        (b"SIP / 2.0 /\r\n tls\t", "Via", Role.SENT_BY, True),
        (b" SIP/2.0/TCP a;branch=1, sip/2.0/UDP ", "Via", Role.SENT_BY, False),
        (b" SIP/2.0/TCP a;received=", "Via received", Role.RECEIVED, True),
        (b' SIP/2.0/TCP a:1 ;x="," ; Received = ', "Via received", Role.RECEIVED, True),
        (b" SIP/2.0/TCP a,SIP/2.0/TCP b;MADDR=", "Via maddr", Role.VIA_MADDR, False),
    ],
)
def test_host_of_a_via(prefix: bytes, rule: str, role: Role, first: bool) -> None:
    """sent-by, received and maddr of every element, and whether it is the first of its field."""
    site = via_hosts("Via", prefix)
    assert site is not None
    assert (site.rule, site.role, site.first) == (rule, role, first)


@pytest.mark.parametrize(
    "prefix",
    [
        *(b"", b" SIP/2.0 ", b" SIP/2.0/TCP", b" SIP/2.0/TCP 1", b" SIP/2.0/TCP a;branch=", b" HTTP/1.1/TCP "),
        *(b" SIP/2.0/TCP a;xreceived=", b' SIP/2.0/TCP a;x=",SIP/2.0/TCP ', b" SIP/2.0;received=", b" ;received="),
    ],
)
def test_no_host_of_a_via(prefix: bytes) -> None:
    """Other parameters, quoted strings and broken elements hold no hosts."""
    assert via_hosts("Via", prefix) is None


def test_request_uri() -> None:
    """The first URI of a request line, with its parameters as its own."""
    site = request_uri_host("Request-URI", b"INVITE  sip:a@")
    assert site is not None
    assert (site.role, site.before) == (Role.URI_HOST, 6)
    maddr = request_uri_host("Request-URI", b"INVITE sip:h;maddr=")
    assert maddr is not None
    assert maddr.rule == "Request-URI maddr"
    for prefix in (b"SIP/2.0 200 sip:", b"INVITE", b"INVITE ", b"INVITE x sip:", b"INVITE tel:"):
        assert request_uri_host("Request-URI", prefix) is None


@given(st.sampled_from([uri_hosts, via_hosts, request_uri_host]), st.binary(max_size=40))
def test_any_bytes_are_answered(locate: object, prefix: bytes) -> None:
    """Whatever stands before an address, the answer is a site that lies within it, or none."""
    assert callable(locate)
    site = locate("x", prefix)
    assert site is None or (isinstance(site, Site) and 0 < site.before <= len(prefix))


def test_decided_by() -> None:
    """Whether the end of a URI is near enough to be remembered with its surroundings."""
    bracketed = uri_hosts("To", b"<sip:")
    assert bracketed is not None
    assert bracketed.decided_by(b":5060>")
    assert not bracketed.decided_by(b";lr;x=y")
    via = via_hosts("Via", b"SIP/2.0/TCP ")
    assert via is not None
    assert via.decided_by(b"")
    line = request_uri_host("Request-URI", b"INVITE sip:")
    assert line is not None
    assert not line.decided_by(b" SIP/2.0\r\n")
