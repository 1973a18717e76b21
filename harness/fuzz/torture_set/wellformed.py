"""Messages that are right, however odd they look: who does not take them has a parser that knows too little."""

from __future__ import annotations

from harness.fuzz.torture_case import TortureCase

CASES = (
    TortureCase(
        "odd-but-legal-fields",
        "RFC 4475 3.1.1.1",
        b"""\
OPTIONS sip:odd@{target};never-heard-of=it SIP/2.0
TO :
 <sip:odd@{target}>
fRoM: "A \\"quoted\\" name \\\\"   <sip:sipalg@{here_host}> ; tag = {token}
max-FORWARDS: 0070
i: {token}
cSeq: 0009
\tOPTIONS
v : SIP  / 2.0
 /{transport}   {here}
  ;branch = z9hG4bK{token}
s :
X-Never-Heard-Of: one line,
  and another ;; ,, "
k: path , timer
l  :  0

""",
        "any case, compact names, folds and white space around every separator are grammar, not errors",
        sequel=True,
    ),
    TortureCase(
        "method-of-every-character",
        "RFC 4475 3.1.1.2",
        b"""\
Od-.!%*_+`'~d7 sip:{user}{target} SIP/2.0
{usual}
Content-Length: 0

""",
        "a method is any token; one that is not known is answered with 501 or 405",
    ),
    TortureCase(
        "user-of-every-character",
        "RFC 4475 3.1.1.2",
        b"""\
OPTIONS sip:-_.!~*'()&=+$,;?/aZ09:&=+$,-pass@{target};p-_.!~*'()[]/:&+$=a%20b SIP/2.0
{usual}
Content-Length: 0

""",
        "user part, password and parameters may hold more than letters",
    ),
    TortureCase(
        "escapes-in-user",
        "RFC 4475 3.1.1.3",
        b"""\
OPTIONS sip:%6fdd%20us%65r%3B%40@{target};%6cr%2Dx=%41 SIP/2.0
{via}
{hops}
{from}
To: "%Z% is no escape here" <sip:%6fdd%20us%65r%3B%40@{target}>
{call}
{cseq}
Contact: <sip:a%3Bb%3Fc%40d@{here}>
Content-Length: 0

""",
        "a character may be escaped, whether it must be or not",
    ),
    TortureCase(
        "escaped-nulls",
        "RFC 4475 3.1.1.4",
        b"""\
OPTIONS sip:null-%00-null@{target} SIP/2.0
{via}
{hops}
From: <sip:%00@{here_host}>;tag={token}
To: <sip:null-%00-null@{target}>
{call}
{cseq}
Contact: <sip:%00@{here}>, <sip:%00%00@{here}>
Content-Length: 0

""",
        "an escaped zero is a character like any other, and no end of a string",
    ),
    TortureCase(
        "percent-that-is-no-escape",
        "RFC 4475 3.1.1.5",
        b"""\
OPTION%53 sip:{user}{target} SIP/2.0
{usual}
Content-Length: 0

""",
        "escapes belong to URIs: this method is unknown, not OPTIONS",
    ),
    TortureCase(
        "no-space-before-brackets",
        "RFC 4475 3.1.1.6",
        b"""\
OPTIONS sip:{user}{target} SIP/2.0
{via}
{hops}
From:caller<sip:sipalg@{here_host}>;tag={token}
To:"callee"<sip:{target}>
{call}
{cseq}
Contact:us<sip:sipalg@{here}>,"us too"<sip:sipalg2@{here}>
Content-Length:0

""",
        "white space between a display name and its bracket is optional",
    ),
    TortureCase(
        "long-values",
        "RFC 4475 3.1.1.7",
        b"OPTIONS sip:"
        + b"u" * 150
        + b"@{target};"
        + b"p" * 100
        + b"="
        + b"v" * 200
        + b""" SIP/2.0
Via: SIP/2.0/{transport} {here};branch=z9hG4bK{token}"""
        + b"b" * 400
        + b"""
"""
        + b"".join(b"Via: SIP/2.0/TCP hop%d.example.com;branch=z9hG4bK%d\n" % (n, n) for n in range(35))
        + b"""\
{hops}
From: "I have """
        + b"a very " * 150
        + b"""long name" <sip:sipalg@{here_host}>;tag={token};"""
        + b"longparameter" * 12
        + b"="
        + b"long" * 40
        + b"""
{to}
Call-ID: {token}"""
        + b"longcallid" * 20
        + b"""
{cseq}
X-"""
        + b"long-name-" * 15
        + b": "
        + b"unknown " * 60
        + b"""
Content-Length: 0

""",
        "no value has a largest length (fields of 3 kB in all)",
        sequel=True,
    ),
    TortureCase(
        "semicolons-in-user",
        "RFC 4475 3.1.1.9",
        b"""\
OPTIONS sip:user;par=u%40example.net?x=y@{target} SIP/2.0
{usual}
Content-Length: 0

""",
        "before the @, semicolons and question marks belong to the user part",
    ),
    TortureCase(
        "transports-nobody-knows",
        "RFC 4475 3.1.1.10",
        b"""\
OPTIONS sip:{user}{target} SIP/2.0
{via}
Via: SIP/2.0/SCTP one.example.com;branch=z9hG4bK1, SIP/2.0/UNKNOWN two.example.com;branch=z9hG4bK2
Via: SIP/2.0/TLS-SCTP three.example.com;branch=z9hG4bK3;ttl=1
v: SIP/2.0/udp 192.0.2.7;branch=z9hG4bK4
{hops}
{from}
{to}
{call}
{cseq}
Content-Length: 0

""",
        "what transport a message came over before is nobody's business here",
    ),
    TortureCase(
        "multipart-with-binary",
        "RFC 4475 3.1.1.11",
        b"""\
MESSAGE sip:{user}{target} SIP/2.0
{usual}
Content-Type: multipart/mixed;boundary="7a9 cbe:02"
MIME-Version: 1.0
Content-Length: {length}

--7a9 cbe:02
Content-Type: text/plain

--7a9 cbe:0
--7a9 cbe:02
Content-Type: application/octet-stream
Content-Transfer-Encoding: binary

\x00\x01\x82\xff\r\n\r\r\x7f INVITE sip:nobody SIP/2.0\r\n\r\n\x80
--7a9 cbe:02--
""",
        "bodies are bytes, zeros among them; only Content-Length tells where they end",
        sequel=True,
    ),
    TortureCase(
        "reason-in-another-script",
        "RFC 4475 3.1.1.12",
        b"""\
SIP/2.0 200 = 2**3 * 5**2 \xd0\xbe\xd0\xba, "fine;" <ok>
{via}
{from}
To: <sip:{target}>;tag=1
{call}
{cseq}
Content-Length: 0

""",
        "a reason phrase is any text; a response to nothing is dropped, and what follows is answered",
        sequel=True,
        unanswered=True,
    ),
    TortureCase(
        "empty-reason",
        "RFC 4475 3.1.1.13",
        b"""\
SIP/2.0 100\x20
{via}
{from}
{to}
{call}
CSeq: 1 INVITE
Content-Length: 0

""",
        "a reason phrase may be empty; the space before it stays",
        sequel=True,
        unanswered=True,
    ),
    TortureCase(
        "via-stack",
        "RFC 3261 7.3.1",
        b"OPTIONS sip:{user}{target} SIP/2.0\n{via}\nVia: "
        + b", ".join(
            b"SIP/2.0/TCP 192.0.2.%d:5060;branch=z9hG4bK%d;received=192.0.2.%d" % (n, n, n) for n in range(1, 61)
        )
        + b"\n{hops}\n{from}\n{to}\n{call}\n{cseq}\nContent-Length: 0\n\n",
        "values of one field with commas between them, as many as hops can have added",
    ),
    TortureCase(
        "nested-comments",
        "RFC 3261 25.1",
        b"""\
OPTIONS sip:{user}{target} SIP/2.0
{usual}
User-Agent: sipalg/1 (a \\) (b (c (d "e" \\( )) f)) "g" ("""
        + b"(" * 40
        + b"h"
        + b")" * 40
        + b""")
Content-Length: 0

""",
        "comments nest, and a parenthesis may be quoted",
    ),
    TortureCase(
        "separators-in-quotes",
        "RFC 3261 25.1",
        b"""\
OPTIONS sip:{user}{target} SIP/2.0
{via}
{hops}
From: "a, b; c <sip:x@y> \\" ; tag=wrong" <sip:sipalg@{here_host}>;x="a,b;c>d\\"";tag={token}
To: "\xd0\xbe \xe2\x82\xac \xf0\x9f\x93\x9e" <sip:{target}>
{call}
{cseq}
Contact: "<sip:first@{here}>, " <sip:second@{here}>;x=",;",<sip:third@{here}>
Content-Length: 0

""",
        "inside quotes there are no separators, and UTF-8 is allowed",
    ),
    TortureCase(
        "largest-numbers",
        "RFC 3261 8.1.1.5",
        b"""\
OPTIONS sip:{user}{target} SIP/2.0
{via}
Max-Forwards: 255
{from}
{to}
{call}
CSeq: 2147483647 OPTIONS
Expires: 4294967295
Content-Length: 0

""",
        "the largest numbers that are allowed",
    ),
    TortureCase(
        "session-of-many-lines",
        "RFC 4566 5",
        b"""\
INVITE sip:{user}{target} SIP/2.0
{usual}
{contact}
Content-Type: APPLICATION/sdp ; x="y"
Content-Length: {length}

v=0
o=- 18446744073709551615 18446744073709551615 IN IP4 {here_host}
s=\xe2\x98\x8e
i=a session with every line
u=http://example.com/
e=someone@example.com (someone)
c=IN IP4 {here_host}
b=X-YZ:128
b=AS:64
t=3034423619 3042462419
r=7d 1h 0 25h
z=2882844526 -1h 2898848070 0
t=0 0
a=inactive
m=audio 49170/1 RTP/AVP 0 8 96
i=sound
b=RS:0
a=rtpmap:96 telephone-event/8000
a=fmtp:96 0-15
a="""
        + b"x" * 300
        + b"""
m=nobodyknows 49172 X/Y/Z one
""",
        "every kind of line in the order of the RFC, and a medium that nobody knows",
    ),
)
