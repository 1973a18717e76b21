"""IPv6 and IPv4 addresses where SIP has hosts, in every odd form (after the subjects of RFC 5118)."""

from __future__ import annotations

from harness.fuzz.filling import request
from harness.fuzz.torture_case import TortureCase
from harness.fuzz.torture_set.malformed import GUESSED, REFUSED, UNSEEN

_INVITE = b"INVITE sip:{user}{target} SIP/2.0"
_SESSION = b"Content-Type: application/sdp"
_BELOW = b"{via}\nVia: SIP/2.0/TCP "

CASES = (
    TortureCase(
        "ipv6-in-every-field",
        "RFC 5118 4.1",
        request(
            b"Contact: <sip:sipalg@[2001:db8::1]>, <sip:sipalg@[2001:DB8:0:0:0:0:0:2]:5070;transport=tcp>",
            via=_BELOW + b"[2001:db8::9:1]:5060;branch=z9hG4bKbelow",
            from_=b"From: <sip:sipalg@[2001:db8::1]>;tag={token}",
            to=b"To: <sip:[2001:db8::10]>",
        ),
        "an IPv6 address in brackets is a host",
    ),
    TortureCase(
        "ipv6-without-brackets",
        "RFC 5118 4.2",
        request(start=b"OPTIONS sip:2001:db8::10 SIP/2.0"),
        "without brackets it is no host",
        REFUSED,
    ),
    TortureCase(
        "ipv6-port-that-may-be-none",
        "RFC 5118 4.3",
        request(b"Contact: <sip:sipalg@[2001:db8::1:5070]>", to=b"To: <sip:[2001:db8::10:5070]>"),
        "what stands in the brackets belongs to the address",
    ),
    TortureCase(
        "ipv6-with-port",
        "RFC 5118 4.4",
        request(b"Contact: <sip:sipalg@[2001:db8::1]:5070>", to=b"To: <sip:[2001:db8::10]:5070>"),
        "what stands behind the brackets is the port",
    ),
    TortureCase(
        "ipv6-received-with-brackets",
        "RFC 5118 4.5",
        request(via=_BELOW + b"[2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKbelow"),
        "some write brackets in `received`, and are to be understood",
    ),
    TortureCase(
        "ipv6-received-without-brackets",
        "RFC 5118 4.5",
        request(via=_BELOW + b"[2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKbelow"),
        "as the grammar has it",
    ),
    TortureCase(
        "ipv6-via-without-brackets",
        "RFC 5118 4.5",
        request(via=_BELOW + b"2001:db8::9:1;branch=z9hG4bKbelow"),
        "below the topmost Via: who does not forward need not look",
        GUESSED,
    ),
    TortureCase(
        "ipv6-in-session",
        "RFC 5118 4.6",
        request(
            b"{contact}",
            _SESSION,
            start=_INVITE,
            body=b"v=0\no=- 1 1 IN IP6 ::1\ns=-\nc=IN IP6 ::1\nt=0 0\nm=audio 6000 RTP/AVP 0\na=inactive\n",
        ),
        "488 if it is not to be had",
    ),
    TortureCase(
        "both-families-in-fields",
        "RFC 5118 4.7",
        request(
            b"Contact: <sip:sipalg@{here}>, <sip:sipalg@[2001:db8::1]>",
            b"Record-Route: <sip:[2001:db8::9:1];lr>, <sip:{here};lr>",
            via=_BELOW + b"[2001:db8::9:1]:6050;branch=z9hG4bK1, SIP/2.0/TCP 192.0.2.1:9012;branch=z9hG4bK2",
        ),
        "a message may have come through both",
    ),
    TortureCase(
        "both-families-in-session",
        "RFC 5118 4.8",
        request(
            b"{contact}",
            _SESSION,
            start=_INVITE,
            body=b"v=0\no=- 1 1 IN IP4 {here_host}\ns=-\nt=0 0\nm=audio 6000 RTP/AVP 0\nc=IN IP4 {here_host}\n"
            b"a=inactive\nm=video 6024 RTP/AVP 107\nc=IN IP6 ::1\na=rtpmap:107 H263-1998/90000\na=inactive\n",
        ),
        "a medium each",
    ),
    TortureCase(
        "ipv4-inside-ipv6",
        "RFC 5118 4.9",
        request(
            b"Contact: <sip:sipalg@[::ffff:192.0.2.10]>, <sip:sipalg@[::ffff:192.0.2.2]:19823>",
            via=_BELOW + b"[::ffff:192.0.2.10]:19823;branch=z9hG4bKbelow",
        ),
        "the last four bytes may be written as an IPv4 address",
    ),
    TortureCase(
        "ipv6-with-three-colons",
        "RFC 5118 4.10",
        request(b"Contact: <sip:sipalg@[2001:db8:::192.0.2.1]>"),
        "the grammar of RFC 3261 allowed it by mistake",
        UNSEEN,
    ),
    TortureCase(
        "ipv6-that-is-none",
        "RFC 3986 3.2.2",
        request(
            b"Contact: <sip:a@[1:2:3:4:5:6:7:8:9]>, <sip:a@[::1::]>, <sip:a@[g::]>, <sip:a@[]>, <sip:a@[::1>",
            b"Record-Route: <sip:[" + b"0:" * 300 + b"1];lr>",
        ),
        "too many groups, two gaps, no digit, nothing, no end, and three hundred groups",
        UNSEEN,
    ),
    TortureCase(
        "ipv6-with-a-zone",
        "RFC 6874 2",
        request(b"Contact: <sip:sipalg@[fe80::1%25eth0]>, <sip:sipalg@[fe80::1%eth0]>"),
        "a zone means something on one machine only",
        UNSEEN,
    ),
    TortureCase(
        "ipv4-that-is-none",
        "RFC 3261 25.1",
        request(
            b"Contact: <sip:a@256.256.256.256>, <sip:a@127.1>, <sip:a@0177.0.0.1>, <sip:a@2130706433>",
            to=b"To: <sip:999.999.999.999>",
        ),
        "numbers that are no address, and no host name either",
        UNSEEN,
    ),
    TortureCase(
        "host-names-at-their-limits",
        "RFC 1035 2.3.4",
        request(
            b"Contact: <sip:a@" + b".".join([b"a" * 63] * 4) + b">, <sip:a@" + b"b" * 64 + b".example.com>",
            b"Record-Route: <sip:example.com.;lr>, <sip:" + b"c." * 200 + b"com;lr>",
        ),
        "labels of 63 and 64 letters, names of 255 and more, a dot at the end",
        UNSEEN,
    ),
)
