"""Which SDP lines hold addresses and ports: a table, and one pattern made of it.

A line that no row matches is never touched. Rows match whole fields with single spaces as RFC 8866 writes them; the
groups `address` and `port` of a row are what may change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alg.sip.grammar import IPV4

_ADDRESS = IPV4.pattern
_END = rb"(?=[\r\n]|\Z)"


@dataclass(frozen=True, slots=True)
class SdpRule:
    """One row: a line type or attribute."""

    name: str
    pattern: bytes
    """The line from its first byte; groups are named `<letter>_address` and `<letter>_port`."""
    source: str


SDP_RULES = (
    SdpRule("o=", rb"o=(?:[^ \r\n]+ ){3}IN IP4 (?P<o_address>" + _ADDRESS + rb")" + _END, "RFC 8866 5.2"),
    SdpRule("c=", rb"c=(?:IN IP4 (?P<c_address>" + _ADDRESS + rb")(?=[/\r\n]|\Z))?", "RFC 8866 5.7"),
    SdpRule(
        "m=",
        rb"m=(?:[^ \r\n]+ (?P<m_port>\d{1,5})(?P<m_count>/\d+)? (?P<m_protocol>[^ \r\n]+)(?=[ \r\n]|\Z))?",
        "RFC 8866 5.14",
    ),
    SdpRule(
        "a=rtcp",
        rb"a=rtcp:(?P<r_port>\d{1,5})(?: IN IP4 (?P<r_address>" + _ADDRESS + rb"))?" + _END,
        "RFC 3605 2.1",
    ),
    SdpRule(
        "a=candidate",
        rb"a=candidate:[^ \r\n]+ \d+ [^ \r\n]+ \d+ (?:(?P<k_address>"
        + _ADDRESS
        + rb")|[^ \r\n]+) (?P<k_port>\d{1,5})(?P<k_extensions> typ [^\r\n]*)"
        + _END,
        "RFC 8839 5.1",
    ),
)
"""Every SDP line that is rewritten."""

SDP_LINE = re.compile(rb"\n(?:" + rb"|".join(rule.pattern for rule in SDP_RULES) + rb")")
"""Any of them, with the line feed before it."""

RELATED_ADDRESS = re.compile(
    rb" typ [^ ]+(?: [^ ]+ [^ ]+)*? raddr (?P<address>" + _ADDRESS + rb")(?: rport (?P<port>\d{1,5}))?(?= |\Z)"
)
"""`raddr` and `rport` in what follows a candidate's port (RFC 8839 5.1)."""
