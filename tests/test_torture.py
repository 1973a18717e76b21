"""Torture messages of our own, after the subjects of RFC 4475 and RFC 5118.

Strategy: a message is written once, with HOST where a host stands that is mapped and SIZE where the length of the body
does; a mapped address that is written out is none. Filled in with the inside address it is what comes, with the outside
address what must leave.
"""

from __future__ import annotations

import re

import pytest

from tests.helpers.feed import UNMAPPED, one_by_one, through
from tests.helpers.reference import rewrite
from tests.helpers.vector import STATIC

INSIDE, OUTSIDE = b"10.0.30.2", b"64.100.0.10"

WELL_FORMED = {
    "everything at once": b"""\
iNvItE-x  sip:10.0.30.2;p=10.0.30.2@HOST;MADDR=HOST   SIP/2.0
TO :
 "10.0.30.2 \\"<sip:10.0.30.2>\\""   <  sip:ann@10.0.30.2 > ; tag=10.0.30.2
f: "\xc3\xa9 \\\\" <sip:10.0.30.2@HOST>;Tag = "10.0.30.2"
v : SIP  / 2.0
 /TCP	HOST : 5070
  ;branch=z9hG4bK.10.0.30.2
m:"Quoted, <sip:10.0.30.2>" <sip:HOST>;newparam= newvalue
 ;q=0.33, sip:HOST , tel:+10.0.30.2
NewFangledHeader:   continued
 here with <sip:10.0.30.2> and "quotes
l:0

""",
    "method of every token character": b"""\
!nT.er%Es*t_in+g`m'e~t-HOD sip:%31%30.0.30.2:a@HOST SIP/2.0
Via: SIP/2.0/UDP HOST
CSeq: 1 !nT.er%Es*t_in+g`m'e~t-HOD

""",
    "user part of every character": b"""\
OPTIONS sip:-_.!~*'()&=+$,;?/10.0.30.2:&=+$,10.0.30.2@HOST SIP/2.0
To: "BEL:\x07 NUL:\x00 DEL:\x7f" <sip:;x;y=10.0.30.2@HOST>
Extension-Header: \xef\xbb\xbf10.0.30.2

""",
    "escapes": b"""\
INVITE sip:%73ip%3A10.0.30.2@HOST;x%2Dy=10.0.30.2 SIP/2.0
Contact: <sip:null-%00-null@HOST>
Contact: <sip:%00@HOST;%6daddr=10.0.30.2>
From: <sip:%Z5%@HOST>

""",
    "no space before an angle bracket": b"""\
OPTIONS sip:a SIP/2.0
From: caller<sip:HOST>;tag=1
To:"x"<sip:HOST>
Contact:<sip:HOST>,<sips:HOST>

""",
    "long values": b"INVITE sip:" + b"a" * 3000 + b"@HOST SIP/2.0\n"
    b'From: "' + b"10.0.30.2" * 400 + b'" <sip:HOST' + b";p=10.0.30.2" * 300 + b">\n"
    b"Via: SIP/2.0/TCP HOST;branch=" + b"z" * 2000 + b"\n" + b"V: SIP/2.0/TCP HOST\n" * 80 + b"\n",
    "two requests at once": b"""\
REGISTER sip:HOST SIP/2.0
Contact: <sip:j@HOST>
Content-Length: 0

INVITE sip:HOST SIP/2.0
Content-Length: SIZE

sip:10.0.30.2
""",
    "semicolon and question mark in the user part": b"""\
OPTIONS sip:user;par=u%40example.net?10.0.30.2@HOST SIP/2.0
To: <sip:10.0.30.2;a=b@HOST;c=d>

""",
    "transports that nobody knows": b"""\
OPTIONS sip:a SIP/2.0
Via: SIP/2.0/UDP HOST;branch=1
Via: SIP/2.0/SCTP HOST;branch=2, SIP/2.0/TLS HOST:5061
Via: SIP/2.0/UNKNOWN HOST
Via: SIP/2.0/WSS HOST;received=HOST

""",
    "multipart with bytes of all kinds": b"""\
MESSAGE sip:a SIP/2.0
Content-Type: multipart/mixed;boundary=7a9cbec0
l: SIZE

--7a9cbec0
Content-Type: text/plain

c=IN IP4 10.0.30.2
--7a9cbec0
Content-Type: application/octet-stream

\x000\x82\x01R\x06\r*\x86H\r\r\xf7\x0d\x01 sip:10.0.30.2
--7a9cbec0
Content-Type: application/sdp

c=IN IP4 HOST

--7a9cbec0--
""",
    "reason phrase in another language": b"""\
SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe sip:10.0.30.2
Via: SIP/2.0/TCP HOST

""",
    "empty reason phrase": b"""\
SIP/2.0 100 \x20
Via: SIP/2.0/TCP HOST

""",
    "response code too large": b"""\
SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/TCP HOST

""",
    "empty elements between separators": b"""\
INVITE sip:a SIP/2.0
Contact: <sip:HOST>;;,,;,<sip:HOST>
Via: SIP/2.0/TCP HOST;;,;,,

""",
    "numbers too large": b"""\
REGISTER sip:HOST SIP/2.0
Via: SIP/2.0/TCP HOST;ttl=4294967296
CSeq: 36893488147419103232 REGISTER
Max-Forwards: 300
Expires: 10000000000000000000000000000000000000000
Contact: <sip:HOST>;expires=280297596632815

""",
    "port too large": b"""\
OPTIONS sip:10.0.30.2:65536 SIP/2.0
Via: SIP/2.0/TCP 10.0.30.2:99999
Contact: <sip:10.0.30.2:123456>, <sip:HOST:65535>

""",
    "quoted string without end": b"""\
INVITE sip:a SIP/2.0
To: "Mr. J. User <sip:j.user@10.0.30.2>
Contact: "x" <sip:HOST>, "y <sip:10.0.30.2>
From: <sip:HOST>;tag="1

""",
    "angle brackets around the Request-URI": b"""\
INVITE <sip:user@10.0.30.2> SIP/2.0
To: <sip:HOST>

""",
    "white space in the Request-URI": b"""\
INVITE sip:user@10.0.30.2; lr SIP/2.0
To: <sip:HOST>

""",
    "many spaces in the request line": b"""\
INVITE  sip:user@HOST   SIP/2.0  \x20
Contact: <sip:HOST>

""",
    "headers in the Request-URI": b"""\
INVITE sip:user@HOST?Route=%3Csip:10.0.30.2%3E&Contact=sip:10.0.30.2 SIP/2.0
Date: 10.0.30.2

""",
    "escaped header in Contact without brackets": b"""\
REGISTER sip:a SIP/2.0
Contact: sip:user@HOST?Route=%3Csip:10.0.30.2%3E
Contact: <sip:user@HOST?Route=%3Csip:10.0.30.2%3E>

""",
    "spaces in an address": b"""\
OPTIONS sip:a SIP/2.0
To: "Watson" < sip:t.watson@10.0.30.2 >
Contact: <sip: 10.0.30.2>, < sip:10.0.30.2>, <sip:HOST>

""",
    "display name that is no token": b"""\
OPTIONS sip:a SIP/2.0
To: I have spaces, 10.0.30.2 <sip:HOST>
From: Bell, Alexander <sip:HOST>;tag=43

""",
    "version that nobody knows": b"""\
OPTIONS sip:t.watson@HOST SIP/7.0
Via: SIP/7.0/UDP HOST

""",
    "methods that differ": b"""\
OPTIONS sip:HOST SIP/2.0
CSeq: 8 INVITE
Via: SIP/2.0/UDP HOST

""",
    "nothing but a start line": b"""\
NEWMETHOD sip:HOST SIP/2.0

""",
    "schemes that are not SIP": b"""\
OPTIONS nobodyKnowsThisScheme:10.0.30.2 SIP/2.0
To: <isbn:10.0.30.2>
From: <http://10.0.30.2/>;tag=1
Contact: <name:10.0.30.2>, <sip:HOST>, <tel:10.0.30.2>, <sips+x:10.0.30.2>, <:10.0.30.2>

""",
    "credentials and warnings": b"""\
REGISTER sip:HOST SIP/2.0
Authorization: Digest realm="10.0.30.2", uri="sip:10.0.30.2"
Warning: 307 10.0.30.2:5060 "10.0.30.2"
Call-ID: 1@10.0.30.2
User-Agent: sip:10.0.30.2
Proxy-Require: 10.0.30.2

""",
    "single values given twice": b"""\
INVITE sip:a SIP/2.0
From: <sip:HOST>;tag=1
From: <sip:HOST>;tag=2
To: <sip:HOST>, <sip:HOST>
Content-Type: application/sdp
Content-Type: text/plain
Max-Forwards: 1
Max-Forwards: 2
l: SIZE
l: SIZE

c=IN IP4 HOST
""",
    "broadcast address in Via": b"""\
SIP/2.0 200 OK
Via: SIP/2.0/UDP HOST;branch=1;received=255.255.255.255
Via: SIP/2.0/UDP 255.255.255.255;maddr=HOST

""",
    "body without a Content-Type": b"""\
MESSAGE sip:a SIP/2.0
Content-Length: SIZE

v=0
c=IN IP4 10.0.30.2
""",
    "type that nobody knows": b"""\
INVITE sip:HOST SIP/2.0
Content-Type: application/unknownformat
Content-Length: SIZE

<audio> sip:10.0.30.2 c=IN IP4 10.0.30.2 </audio>
""",
    "as old as RFC 2543": b"""\
INVITE sip:UserB@HOST SIP/2.0
Via: SIP/2.0/UDP HOST
From: sip:HOST
To: sip:10.0.30.2@HOST
Content-Type: application/sdp
Content-Length: SIZE

v=0
o=mhandley 29739 7272939 IN IP4 HOST
c=IN IP4 HOST
m=audio 49217 RTP/AVP 0
""",
    "IPv6 references": b"""\
REGISTER sip:[2001:db8::10] SIP/2.0
Via: SIP/2.0/TCP [2001:db8::9:1];received=[2001:db8::9:255];branch=1
Via: SIP/2.0/TCP [2001:db8::9:1];received=2001:db8::9:255
Contact: <sip:[2001:db8::10.0.30.2]:5060>, <sip:HOST>

""",
    "IPv6 without brackets": b"""\
REGISTER sip:2001:db8::10 SIP/2.0
Via: SIP/2.0/TCP 2001:db8::9:1;branch=1
To: sip:user@2001:db8::10:5070

""",
    "IPv4 inside IPv6": b"""\
INVITE sip:user@[::ffff:10.0.30.2] SIP/2.0
Via: SIP/2.0/TCP [::ffff:10.0.30.2]:19823
Contact: <sip:[::ffff:10.0.30.2]>, <sip:[:::10.0.30.2]>
Content-Type: application/sdp
l: SIZE

o=- 1 2 IN IP6 ::ffff:10.0.30.2
c=IN IP6 ::10.0.30.2
""",
    "both families in one message": b"""\
BYE sip:user@HOST SIP/2.0
Via: SIP/2.0/TCP HOST:5060, SIP/2.0/TCP [2001:db8::9:1]
Contact: <sip:[2001:db8::1]>, <sip:HOST>
Content-Type: application/sdp
l: SIZE

o=- 1 2 IN IP4 HOST
c=IN IP6 2001:db8::1
m=audio 6000 RTP/AVP 0
c=IN IP4 HOST
m=video 6024 RTP/AVP 107
c=IN IP6 2001:db8::1
""",
    "header names that begin alike": b"""\
OPTIONS sip:a SIP/2.0
Viaduct: SIP/2.0/TCP 10.0.30.2
X-Via: SIP/2.0/TCP 10.0.30.2
Contacts: <sip:10.0.30.2>
ViA:SIP/2.0/TCP HOST
Via SIP/2.0/TCP 10.0.30.2
Con tact: <sip:10.0.30.2>

""",
}
"""Can be framed, so that what is malformed about them is an endpoint's business."""

BEYOND_FRAMING = {
    "Content-Length that is negative": b"INVITE sip:10.0.30.2 SIP/2.0\nContent-Length: -999\n\nbody",
    "Content-Lengths that contradict": b"OPTIONS sip:10.0.30.2 SIP/2.0\nContent-Length: 3\nl: 4\n\nbody",
    "Content-Length that is larger than the body": b"INVITE sip:10.0.30.2 SIP/2.0\nl: 9999\n\nc=IN IP4 10.0.30.2\n",
    "message that begins with white space": b" INVITE sip:10.0.30.2 SIP/2.0\nl: 0\n\n",
    "two lines for a request line": b"INVITE sip:10.0.30.2\n SIP/2.0\nl: 0\n\n",
    "version that is no version": b"INVITE sip:10.0.30.2 SIP/two\nl: 0\n\n",
    "status line without a code": b"SIP/2.0 \nVia: SIP/2.0/TCP 10.0.30.2\nl: 0\n\n",
    "no empty line": b"OPTIONS sip:10.0.30.2 SIP/2.0\nVia: SIP/2.0/TCP 10.0.30.2\n",
    "header without a start line": b"Via: SIP/2.0/TCP 10.0.30.2\nl: 0\n\n",
}
"""Where they end cannot be told: they and what follows pass as they came."""


def filled(template: bytes, host: bytes) -> bytes:
    """The message with its hosts, its line ends, and the size of its body."""
    message = re.sub(rb"(?<!\r)\n", b"\r\n", template).replace(b"HOST", host)
    body = message.partition(b"SIZE")[2].partition(b"\r\n\r\n")[2]
    return message.replace(b"SIZE", b"%d" % len(body))


named = pytest.mark.parametrize("name", WELL_FORMED)


def test_there_are_enough() -> None:
    """Every subject has its message."""
    assert len(WELL_FORMED) + len(BEYOND_FRAMING) >= 40


@named
@pytest.mark.parametrize("direction", ["out", "in"])
def test_identity(name: str, direction: str) -> None:
    """Odd as it is, a message without a mapped address passes as it came."""
    message = filled(WELL_FORMED[name], INSIDE)
    assert through([message], UNMAPPED, direction) == message


@named
def test_only_hosts_change(name: str) -> None:
    """Hosts are mapped, whatever stands around them, and nothing that only looks like one."""
    came, left = (filled(WELL_FORMED[name], host) for host in (INSIDE, OUTSIDE))
    assert through([came], STATIC, "out") == left
    assert through(one_by_one(came), STATIC, "out") == left
    assert rewrite(came, list(STATIC), "out") == left, "the judge agrees"


@named
def test_way_back(name: str) -> None:
    """Inward the same hosts change back, and the message is what it was."""
    came, left = (filled(WELL_FORMED[name].replace(INSIDE, b"192.0.2.99"), host) for host in (INSIDE, OUTSIDE))
    assert through([left], STATIC, "in") == came


@named
def test_next_message_is_rewritten(name: str) -> None:
    """A torture message does not spoil the connection for those after it."""
    came, left = (filled(WELL_FORMED[name], host) for host in (INSIDE, OUTSIDE))
    assert through([came + came], STATIC, "out") == left + left


@pytest.mark.parametrize("name", BEYOND_FRAMING)
def test_message_beyond_framing_passes(name: str) -> None:
    """A message whose end cannot be told passes as it came, and is not held for ever when the sender closes."""
    message = BEYOND_FRAMING[name].replace(b"\n", b"\r\n")
    assert through([message], STATIC, "out") == message
    assert through(one_by_one(message), STATIC, "out") == message
