"""Which header fields hold hosts, and how to tell that an address found in one is a host: a table.

Strategy: an address was found somewhere in a header field. A rule gets what stands before it in the field's value, and
answers with a `Site` (this is a host, of that role) or None (a user part, a display name, a parameter, a longer token).
What stands behind the address is the translator's to check, since it may hold the port.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from alg.sip import grammar


class Role(Enum):
    """What kind of host an address is; decides which port goes with it and whether a port may be written."""

    URI_HOST = "host"
    """hostport of a SIP or SIPS URI."""
    URI_MADDR = "uri-maddr"
    """`maddr` of a URI; its port is the URI's."""
    SENT_BY = "sent-by"
    """sent-by of a Via."""
    RECEIVED = "received"
    """`received` of a Via; its port is `rport`."""
    VIA_MADDR = "via-maddr"
    """`maddr` of a Via; its port is that of sent-by."""


@dataclass(frozen=True, slots=True)
class Site:
    """An address that is a host, seen from the bytes before it."""

    rule: str
    """Name of the rule, as records print it: `Contact`, `Via received`."""
    role: Role
    before: int
    """Bytes from the start of the URI or via-parm to the address."""
    user_open: bool = False
    """No `@` yet: what looks like the host is a user part if one follows before the URI ends."""
    ending: re.Pattern[bytes] | None = None
    """What ends the URI; group 1 is set if it is the proper end."""
    first: bool = False
    """Via: no other via-parm stands before this one in the field."""
    parameters: bool = True
    """Parameters behind the URI are the URI's, not the header field's (RFC 3261 20.10)."""

    def decided_by(self, tail: bytes) -> bool:
        """Whether the bytes right behind the host, followed by any others, tell that the URI has its proper end."""
        return self.ending is None or (self.ending is not _REQUEST_URI_END and self.ending.search(tail) is not None)


Locator = Callable[[str, bytes], Site | None]

_BRACKETED_END = re.compile(rb"(>)|[\r\n]")
_BARE_END = re.compile(rb"([;,?\s])|[<>\"]")
_BARE_END_WITHOUT_USER = re.compile(rb"([,\s\"])|[<>]")
_REQUEST_URI_END = re.compile(rb"( +SIP/\d+\.\d+[ \t]*\r\n)|[ \r]")
_URI_START = re.compile(rb"sips?:", re.IGNORECASE)
_REQUEST_URI_PREFIX = re.compile(grammar.TOKEN + rb"+ +(?=[^ ])")


def _uri_site(rule: str, uri: bytes, ending: re.Pattern[bytes], parameters: bool) -> Site | None:
    """The site behind `uri`, the first part of a SIP URI, which ends where an address begins."""
    scheme = _URI_START.match(uri)
    if scheme is None:
        return None
    user, at, behind = uri[scheme.end() :].partition(b"@")
    if not at:
        user, behind = b"", user
    if b"@" in behind or re.search(rb"[\s<>\"]", user + behind):
        return None
    if not behind:
        return Site(rule, Role.URI_HOST, len(uri), not at, ending, parameters=parameters)
    if parameters and behind[-7:].lower() == b";maddr=" and b"?" not in behind:
        return Site(f"{rule} maddr", Role.URI_MADDR, len(uri), not at, ending)
    return None


def uri_hosts(rule: str, prefix: bytes) -> Site | None:
    """A comma-separated list of name-addr or addr-spec (RFC 3261 20.10): URI host, and `maddr` inside brackets."""
    text = grammar.mask_quoted(prefix)
    if b'"' in text:
        return None
    opened, closed = text.rfind(b"<"), text.rfind(b">")
    if opened > closed:
        if text.rfind(b"<", 0, opened) > closed:
            return None
        return _uri_site(rule, text[opened + 1 :], _BRACKETED_END, parameters=True)
    comma = text.rfind(b",")
    if closed > comma:
        return None
    uri = text[comma + 1 :].lstrip(b" \t\r\n")
    if b";" in uri:
        return None
    return _uri_site(rule, uri, _BARE_END if b"@" in uri else _BARE_END_WITHOUT_USER, parameters=False)


def via_hosts(rule: str, prefix: bytes) -> Site | None:
    """A comma-separated list of via-parm (RFC 3261 20.42): sent-by, `received`, `maddr`."""
    text = grammar.mask_quoted(prefix)
    if b'"' in text:
        return None
    comma = text.rfind(b",")
    parm, first = text[comma + 1 :], comma < 0
    if grammar.VIA_SENT_BY_PREFIX.match(parm):
        return Site(rule, Role.SENT_BY, len(parm), first=first)
    named = grammar.VIA_PARAMETER_PREFIX.search(parm)
    if named is None or grammar.VIA_PARM.match(parm) is None:
        return None
    parameter = named[1].lower().decode()
    role = Role.RECEIVED if parameter == "received" else Role.VIA_MADDR
    return Site(f"{rule} {parameter}", role, len(parm), first=first)


def request_uri_host(rule: str, prefix: bytes) -> Site | None:
    """The Request-URI (RFC 3261 7.1), its parameters being its own."""
    method = _REQUEST_URI_PREFIX.match(prefix)
    return _uri_site(rule, prefix[method.end() :], _REQUEST_URI_END, parameters=True) if method else None


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """One row: a header field that holds hosts."""

    name: str
    compact: str | None
    """Compact form (RFC 3261 7.3.3)."""
    locate: Locator
    source: str
    """Where the field is defined."""


HEADER_RULES = (
    HeaderRule("Request-URI", None, request_uri_host, "RFC 3261 8.1.1.1"),
    HeaderRule("Via", "v", via_hosts, "RFC 3261 20.42, RFC 3581"),
    HeaderRule("Contact", "m", uri_hosts, "RFC 3261 20.10"),
    HeaderRule("From", "f", uri_hosts, "RFC 3261 20.20"),
    HeaderRule("To", "t", uri_hosts, "RFC 3261 20.39"),
    HeaderRule("Route", None, uri_hosts, "RFC 3261 20.34"),
    HeaderRule("Record-Route", None, uri_hosts, "RFC 3261 20.30"),
    HeaderRule("Path", None, uri_hosts, "RFC 3327"),
    HeaderRule("Service-Route", None, uri_hosts, "RFC 3608"),
    HeaderRule("P-Asserted-Identity", None, uri_hosts, "RFC 3325 9.1"),
    HeaderRule("P-Preferred-Identity", None, uri_hosts, "RFC 3325 9.2"),
    HeaderRule("Remote-Party-ID", None, uri_hosts, "draft-ietf-sip-privacy-04"),
    HeaderRule("Refer-To", "r", uri_hosts, "RFC 3515 2.1"),
    HeaderRule("Referred-By", "b", uri_hosts, "RFC 3892 3"),
    HeaderRule("Reply-To", None, uri_hosts, "RFC 3261 20.31"),
    HeaderRule("Diversion", None, uri_hosts, "RFC 5806 4"),
    HeaderRule("History-Info", None, uri_hosts, "RFC 7044 5"),
)
"""Every header field whose hosts are rewritten. Fields that are not here are never touched."""
