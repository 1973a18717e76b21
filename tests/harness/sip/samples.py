"""Messages that tests begin with, written by hand."""

from __future__ import annotations

from harness.sip.message import Request, Response, parse

INVITE = b"""\
INVITE sip:bob@192.0.2.2 SIP/2.0
v: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKp1, SIP/2.0/TCP 192.0.2.1
 ;branch=z9hG4bKa1
Max-Forwards: 70
f : "Alice, A." <sip:alice@192.0.2.1>;tag=a-tag
To: bob <sip:bob@192.0.2.2>
i: call-1
CSeq: 7  INVITE
Record-Route: <sip:192.0.2.9;lr>
m: <sip:alice@192.0.2.1:5080>
Content-Type: application/sdp
l: 4

v=0
""".replace(b"\n", b"\r\n")[:-1]


def wire(text: str) -> bytes:
    """Text as it goes over the wire."""
    return text.replace("\n", "\r\n").encode()


def request(method: str = "INVITE", branch: str = "z9hG4bKx", tag: str = "", number: int = 1, **more: str) -> Request:
    """A request with all that is required; `more` are fields, with `_` for `-`."""
    fields = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in more.items())
    to = f";tag={tag}" if tag else ""
    text = f"""\
{method} sip:bob@192.0.2.2 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}
Max-Forwards: 70
From: <sip:alice@192.0.2.1>;tag=a
To: <sip:bob@192.0.2.2>{to}
Call-ID: call-1
CSeq: {number} {method}
{fields}Content-Length: 0

"""
    parsed = parse(wire(text))
    assert isinstance(parsed, Request)
    return parsed


def response(to: Request, status: int, tag: str = "b", **more: str) -> Response:
    """A response to it."""
    fields = [(name.replace("_", "-"), value) for name, value in more.items()]
    return Response.to_request(to, status, "", fields, tag)
