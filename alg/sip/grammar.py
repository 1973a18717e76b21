"""The pieces of RFC 3261's grammar that an ALG needs, as compiled patterns over bytes.

Each pattern stands under the production it implements. They are lenient where a middlebox must be (any case, white
space where the RFC allows LWS) and strict where leniency would rewrite something that is no host.
"""

from __future__ import annotations

import re

LWS = rb"(?:[ \t]|\r?\n[ \t])"
"""LWS = [*WSP CRLF] 1*WSP (RFC 3261 25.1), one element of it; bare LF is taken for a line end as most stacks do."""

TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]"
"""token characters (RFC 3261 25.1)."""

START_LINE = re.compile(
    rb"(?:SIP/\d+\.\d+ +\d[^\r\n]*|" + TOKEN + rb"+ +[^ \r\n][^\r\n]* SIP/\d+\.\d+[ \t]*)\r\n", re.IGNORECASE
)
"""Request-Line or Status-Line (RFC 3261 7.1, 7.2), any version, tolerating more than one space."""

START_LINE_PREFIX = re.compile(rb"(?:" + TOKEN + rb"+(?: [^\r\n]*)?|SIP/[\d.]*(?: [^\r\n]*)?)\r?\Z", re.IGNORECASE)
"""What the beginning of a start line looks like before its CRLF has come."""

LANDMARK = re.compile(
    rb"\n(?=[\rcel])(?:(?<=\r\n)(?P<end>\r\n)"
    rb"|(?:content-length|l)[ \t]*:(?P<length>" + LWS + rb"*(?P<digits>\d+)(?=" + LWS + rb"*\r\n(?![ \t])))?"
    rb"|(?P<content>(?:content-(?:type|encoding)|[ce])[ \t]*:))",
    re.IGNORECASE,
)
"""What a framer steers by in a header block, whichever comes next: the empty line; a Content-Length (without
`digits` if it is malformed); a field that says what the body is. The look-ahead turns most lines away at their first
letter."""

FIELD_NAME = re.compile(rb"(" + TOKEN + rb"+)[ \t]*:")
"""header-name HCOLON (RFC 3261 7.3.1)."""

QUOTED_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:(")|\Z)', re.DOTALL)
"""quoted-string (RFC 3261 25.1), or one that is never closed, without group 1."""

SIP_URI = re.compile(
    rb"(?P<scheme>sips?):(?:(?P<user>[^@<>\"\s]*)@)?"
    rb"(?P<host>\[[^\]]*\]|[^\s:;?@<>\",\[\]]+)(?::(?P<port>\d{1,5}))?(?P<parameters>(?:;[^\s?<>\"@]*)?)",
    re.IGNORECASE,
)
"""SIP-URI without its headers (RFC 3261 19.1.1)."""

VIA_PARM = re.compile(
    LWS
    + rb"*SIP"
    + LWS
    + rb"*/"
    + LWS
    + rb"*[\d.]+"
    + LWS
    + rb"*/"
    + LWS
    + rb"*(?P<transport>"
    + TOKEN
    + rb"+)"
    + LWS
    + rb"+(?P<host>\[[^\]]*\]|[^\s:;,\[\]]+)(?:"
    + LWS
    + rb"*:"
    + LWS
    + rb"*(?P<port>\d{1,5}))?"
    + rb"(?="
    + LWS
    + rb"*(?:[;,?>]|\Z))",
    re.IGNORECASE,
)
"""via-parm up to its parameters (RFC 3261 20.42)."""

VIA_SENT_BY_PREFIX = re.compile(
    LWS + rb"*SIP" + LWS + rb"*/" + LWS + rb"*[\d.]+" + LWS + rb"*/" + LWS + rb"*" + TOKEN + rb"+" + LWS + rb"+\Z",
    re.IGNORECASE,
)
"""What stands before sent-by in a via-parm."""

VIA_PARAMETER_PREFIX = re.compile(rb";" + LWS + rb"*(received|maddr)" + LWS + rb"*=" + LWS + rb"*\Z", re.IGNORECASE)
"""What stands before the address of `received` or `maddr` (RFC 3261 18.2.1, 20.42)."""

VIA_PARAMETER = re.compile(
    rb";" + LWS + rb"*(received|rport)(?:" + LWS + rb"*=" + LWS + rb"*([^\s;,]*))?(?=" + LWS + rb"*(?:[;,]|\Z))",
    re.IGNORECASE,
)
"""`received` and `rport`, with or without a value (RFC 3261 18.2.1, RFC 3581 3)."""

_FIRST_VIA = re.compile(rb"\n(?:via|v)[ \t]*:", re.IGNORECASE)
"""The topmost Via header field."""

TRANSPORT = re.compile(rb";transport=([^;]*)", re.IGNORECASE)
"""The URI parameter that, as `tls`, moves the default port to 5061 (RFC 3261 19.1.2)."""

HOST_PORT_TAIL = re.compile(rb"(?::(\d{1,5}))?(?=[;?>, \t\r\n])")
"""[ ":" port ] and what may stand behind a hostport; group 1 is the port."""

IPV4 = re.compile(rb"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}")
"""IPv4address (RFC 3261 25.1)."""


def mask_quoted(text: bytes) -> bytes:
    """`text` with every complete quoted string replaced by as many `_`, so that what remains can be searched."""
    return QUOTED_STRING.sub(_masked, text) if b'"' in text else text


def _masked(quoted: re.Match[bytes]) -> bytes:
    return b"_" * len(quoted[0]) if quoted[1] else quoted[0]


def field_end(data: bytes, position: int) -> int:
    """Where the header field that `position` is in ends, folded lines included, before its line end."""
    end = data.find(b"\n", position)
    while end >= 0 and data[end + 1 : end + 2] in (b" ", b"\t"):
        end = data.find(b"\n", end + 1)
    if end < 0:
        return len(data)
    return end - 1 if data[end - 1 : end] == b"\r" else end


def in_first_via(data: bytes, position: int) -> bool:
    """Whether `position` is in the topmost Via header field."""
    via = _FIRST_VIA.search(data)
    return via is not None and via.end() <= position <= field_end(data, via.end())
