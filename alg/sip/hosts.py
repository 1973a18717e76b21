"""The port that goes with a host, where it stands, and where `rport` stands: for translations that depend on ports.

A host without a port counts as 5060, or 5061 for `sips:`, `transport=tls` (RFC 3261 19.1.2) and a Via over TLS
(18.2.2). `maddr` goes with the port of its URI or sent-by, `received` with `rport` (RFC 3581 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alg.sip import grammar
from alg.sip.rules import Role, Site

Span = tuple[int, int]

DEFAULT_PORT = 5060
DEFAULT_TLS_PORT = 5061
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class HostPort:
    """What belongs to one host."""

    port: int
    """The port to look up."""
    digits: Span | None = None
    """Where the port of the hostport stands, if it is written."""
    rport: Span | None = None
    """Where the digits of `rport` stand, if they go with this address and this is the message's topmost via-parm."""


def host_port(data: bytes, start: int, stop: int, site: Site) -> HostPort | None:
    """The port of the host at start:stop of a message; None if its URI or via-parm is malformed."""
    if site.role in (Role.URI_HOST, Role.URI_MADDR):
        return _of_uri(data, start, stop, site)
    return _of_via(data, start, stop, site)


def followed_by_port_or_delimiter(data: bytes, stop: int) -> bool:
    """Whether a host that ends at `stop` is whole: a port number, or none, and then something that ends a hostport."""
    tail = grammar.HOST_PORT_TAIL.match(data, stop)
    return tail is not None and (tail[1] is None or int(tail[1]) <= LAST_PORT)


def ends_well(data: bytes, stop: int, site: Site) -> bool:
    """Whether the URI whose host (or `maddr`) ends at `stop` has its proper end, and no `@` before it.

    An `@` would make the address part of a user part: `<sip:10.0.30.2;day=tuesday@example.com>`.
    """
    if site.ending is None:
        return True
    end = site.ending.search(data, stop)
    return end is not None and end[1] is not None and not (site.user_open and data.find(b"@", stop, end.start()) >= 0)


def _of_uri(data: bytes, start: int, stop: int, site: Site) -> HostPort | None:
    assert site.ending is not None, "a URI has an end"
    first = start - site.before
    end = site.ending.search(data, stop)
    last = end.start() if end else len(data)
    uri = grammar.SIP_URI.match(data, first, last)
    if uri is None or (uri.end() < last and data[uri.end()] not in b"?;"):
        return None
    if site.role is Role.URI_HOST and uri.span("host") != (start, stop):
        return None
    if uri["port"]:
        port = int(uri["port"])
        return HostPort(port, uri.span("port")) if port <= LAST_PORT else None
    transport = grammar.TRANSPORT.search(uri["parameters"]) if site.parameters else None
    secure = uri["scheme"].lower() == b"sips" or (transport is not None and transport[1].lower() == b"tls")
    return HostPort(DEFAULT_TLS_PORT if secure else DEFAULT_PORT)


def _of_via(data: bytes, start: int, stop: int, site: Site) -> HostPort | None:
    first = start - site.before
    text = grammar.mask_quoted(data[first : grammar.field_end(data, stop)])
    comma = text.find(b",")
    text = text if comma < 0 else text[:comma]
    via = grammar.VIA_PARM.match(text)
    if via is None or (site.role is Role.SENT_BY and via.span("host") != (site.before, site.before + stop - start)):
        return None
    default = DEFAULT_TLS_PORT if via["transport"].lower() == b"tls" else DEFAULT_PORT
    port = int(via["port"] or default)
    if port > LAST_PORT:
        return None
    digits = (via.start("port") + first, via.end("port") + first) if via["port"] and site.role is Role.SENT_BY else None
    if site.role is Role.VIA_MADDR:
        return HostPort(port)
    parameters: dict[bytes, Span] = {}
    for match in grammar.VIA_PARAMETER.finditer(text, via.end()):
        parameters.setdefault(match[1].lower(), match.span(2))
    rport = parameters.get(b"rport")
    if rport is not None and not re.fullmatch(rb"\d{1,5}", text[slice(*rport)]):
        rport = None
    if site.role is Role.RECEIVED and rport is not None:
        port = int(text[slice(*rport)])
    received = parameters.get(b"received")
    goes_with_this = received[0] == site.before if received else site.role is Role.SENT_BY
    if rport is None or not goes_with_this or not (site.first and grammar.in_first_via(data, first)):
        return HostPort(port, digits)
    return HostPort(port, digits, (rport[0] + first, rport[1] + first))
