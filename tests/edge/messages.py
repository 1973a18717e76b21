"""Messages as one side of the NAT and the other must see them: one template, two addresses.

Strategy: what the ALG is to make of a message is the same template filled in with the other address, its Content-Length
counted here. What the template spells out (a Call-ID, a display name, a subject) must stay.
"""

from __future__ import annotations

INSIDE = "10.0.30.2"
OUTSIDE = "64.100.0.10"
MAP = f"{INSIDE}={OUTSIDE}"

_SESSION = """\
v=0
o=alice 1 1 IN IP4 {host}
s=call from 10.0.30.2 or 64.100.0.10
c=IN IP4 {host}
t=0 0
m=audio {port} RTP/AVP 0
a=rtcp:{rtcp_port} IN IP4 {host}
{extra}"""

_REQUEST = """\
INVITE sip:bob@192.0.2.7 SIP/2.0
Via: SIP/2.0/TCP {host}:5060;branch=z9hG4bK{call}
v: SIP/2.0/TCP 192.0.2.9;received={host}
Max-Forwards: 70
FROM : "10.0.30.2 64.100.0.10" <sip:alice@{host}>;tag=1
To: <sip:bob@192.0.2.7>
Contact:
 <sip:alice@{host}:5060;transport=tcp>
Record-Route: <sip:{host};lr>, <sip:192.0.2.9;lr>
Call-ID: {call}@10.0.30.2.64.100.0.10
CSeq: {cseq} INVITE
Subject: sip:10.0.30.2 sip:64.100.0.10
Content-Type: application/sdp
Content-Length:   {length}

"""

_RESPONSE = """\
SIP/2.0 200 OK
Via: SIP/2.0/TCP {host}:5060;branch=z9hG4bK{call}
From: <sip:alice@{host}>;tag=1
To: <sip:bob@192.0.2.7>;tag=2
Contact: <sip:bob@192.0.2.7>
Call-ID: {call}@10.0.30.2.64.100.0.10
CSeq: 1 INVITE
Content-Type: application/sdp
l: {length}

"""


def request(host: str, call: str = "c1", port: int = 49170, cseq: int = 1, size: int = 0) -> bytes:
    """An INVITE whose sender has this address; `size` makes its body that many bytes longer."""
    return _filled(_REQUEST, host, port, size, {"call": call, "cseq": cseq})


def response(host: str, call: str = "c1", port: int = 49170, size: int = 0) -> bytes:
    """A 200 to an INVITE whose sender has this address."""
    return _filled(_RESPONSE, host, port, size, {"call": call})


def _filled(template: str, host: str, port: int, size: int, names: dict[str, str | int]) -> bytes:
    extra = f"a=note:{'x' * size}\n" if size else ""
    body = _SESSION.format(host=host, port=port, rtcp_port=port + 1, extra=extra).replace("\n", "\r\n")
    header = template.format(host=host, length=len(body), **names).replace("\n", "\r\n")
    return (header + body).encode()


def options(host: str, number: int = 1) -> bytes:
    """A short request without a body."""
    return (
        f"OPTIONS sip:bob@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/TCP {host};branch=z9hG4bK{number}\r\n"
        f"CSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()
