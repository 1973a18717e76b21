"""The events of a call."""

from __future__ import annotations

from harness.expressway.log.calls import Call, call_attempted, call_rejected, search_attempted, search_completed
from harness.expressway.log.entry import X8_10, Event
from harness.expressway.search import FORBIDDEN, NOT_FOUND

CALL = Call(("192.168.1.6", 7003), "a@example.com", "b@example.net", "a3e44231", "73c276e2")
_ALIASES = 'Src-alias-type="SIP" Src-alias="{}a@example.com" Dst-alias-type="SIP" Dst-alias="sip:b@example.net"'
_IDENTITY = 'Call-serial-number="a3e44231" Tag="73c276e2"'


def said(event: Event) -> str:
    """A line up to its level."""
    line = event.render("T", X8_10)
    assert line.endswith(' Level="1" UTCTime="T"')
    return line.removesuffix(' Level="1" UTCTime="T"')


def test_a_call_that_is_not_found() -> None:
    """Attempted, searched for, not found, rejected; the scheme of the caller is told of calls only."""
    with_scheme, without = _ALIASES.format("sip:"), _ALIASES.format("")
    source = 'Service="SIP" Src-ip="192.168.1.6" Src-port="7003"'
    assert said(call_attempted(CALL)) == (
        f'Event="Call Attempted" {source} {with_scheme} {_IDENTITY} Protocol="TLS" Auth="NO"'
    )
    assert said(search_attempted(CALL)) == (
        f'Event="Search Attempted" Service="SIP" {without} {_IDENTITY} Detail="searchtype:INVITE"'
    )
    assert said(search_completed(CALL, NOT_FOUND)) == (
        f'Event="Search Completed" Reason="Not Found" Service="SIP" {without} {_IDENTITY} '
        'Detail="found:false, searchtype:INVITE, Info:Policy Response"'
    )
    assert said(call_rejected(CALL, NOT_FOUND)) == (
        f'Event="Call Rejected" {source} {with_scheme} {_IDENTITY} Detail="Not Found" Protocol="TLS" '
        'Response-code="404"'
    )


def test_other_outcomes() -> None:
    """Found, and forbidden by policy."""
    assert said(search_completed(CALL, None)).endswith('Detail="found:true, searchtype:INVITE"')
    assert said(search_completed(CALL, FORBIDDEN)).startswith('Event="Search Completed" Reason="Forbidden" Service=')
    assert said(call_rejected(CALL, FORBIDDEN)).endswith('Response-code="403"')


def test_an_authenticated_caller() -> None:
    """Says so, with the transport it came by."""
    call = Call(("192.0.2.1", 5060), "a", "b", "1", "2", protocol="TCP", authenticated=True)
    assert said(call_attempted(call)).endswith('Protocol="TCP" Auth="YES"')
