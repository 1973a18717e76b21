"""Messages that can be read, and mean something odd: transactions, applications, other bodies, older rules."""

from __future__ import annotations

from harness.fuzz.filling import request
from harness.fuzz.torture_case import TortureCase
from harness.fuzz.torture_set.malformed import GUESSED, REFUSED, UNSEEN

DECLINED = "4xx 501 6xx"
"""What is asked for cannot be done."""
INVITE = b"INVITE sip:{user}{target} SIP/2.0"
SESSION = b"Content-Type: application/sdp"
_NESTED = 60
"""How deep multipart bodies go."""


def _parts(depth: int) -> bytes:
    """A multipart body in a multipart body, and so on."""
    opened = b"".join(
        b"--b%d\nContent-Type: multipart/mixed;boundary=b%d\n\n" % (level, level + 1) for level in range(depth)
    )
    closed = b"".join(b"--b%d--\n" % level for level in range(depth, -1, -1))
    return opened + b"--b%d\nContent-Type: text/plain\n\ndeep\n" % depth + closed


CASES = (
    TortureCase(
        "branch-of-nothing-but-the-cookie",
        "RFC 4475 3.2.1",
        request(via=b"Via: SIP/2.0/{transport} {here};branch=z9hG4bK"),
        "the cookie says that the branch is unique, and it is not",
        UNSEEN,
    ),
    TortureCase(
        "almost-everything-missing",
        "RFC 4475 3.3.1",
        request(hops=b"", from_=b"", to=b"", call=b""),
        "From, To and Call-ID must be there",
        REFUSED,
    ),
    TortureCase("via-missing", "RFC 4475 3.3.1", request(via=b""), "nobody knows where to answer", REFUSED),
    TortureCase("from-missing", "RFC 4475 3.3.1", request(from_=b""), "it must be there", REFUSED),
    TortureCase("to-missing", "RFC 4475 3.3.1", request(to=b""), "it must be there", REFUSED),
    TortureCase("call-id-missing", "RFC 4475 3.3.1", request(call=b""), "it must be there", REFUSED),
    TortureCase("sequence-missing", "RFC 4475 3.3.1", request(cseq=b""), "it must be there", REFUSED),
    TortureCase(
        "scheme-nobody-knows",
        "RFC 4475 3.3.2",
        request(start=b"OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0"),
        "416, or 404",
        DECLINED,
    ),
    TortureCase(
        "scheme-that-is-not-sip",
        "RFC 4475 3.3.3",
        request(start=b"OPTIONS urn:example:a-b-c SIP/2.0"),
        "416, or 404",
        DECLINED,
    ),
    TortureCase(
        "schemes-nobody-knows-in-fields",
        "RFC 4475 3.3.4",
        request(
            b"Contact: <name:someone>",
            from_=b"From: <http://www.example.com/>;tag={token}",
            to=b"To: <isbn:2983792873>",
        ),
        "what From and To say need not be understood",
        UNSEEN,
    ),
    TortureCase(
        "extensions-nobody-knows",
        "RFC 4475 3.3.5",
        request(b"Require: nothingSupportsThis, nothingSupportsThisEither"),
        "an extension that is required and not supported is declined with 420 (RFC 3261 8.2.2.3)",
        DECLINED,
    ),
    TortureCase(
        "content-type-nobody-knows",
        "RFC 4475 3.3.6",
        request(
            b"{contact}", b"Content-Type: application/unknownformat", start=INVITE, body=b"<audio><pcmu/></audio>\n"
        ),
        "a body that must be understood and is not is declined with 415 (RFC 3261 8.2.3)",
        DECLINED,
    ),
    TortureCase(
        "content-encoding-nobody-knows",
        "RFC 3261 8.2.3",
        request(b"{contact}", SESSION, b"Content-Encoding: rot13", start=INVITE, body=b"i=0\n"),
        "the same",
        DECLINED,
    ),
    TortureCase(
        "credentials-nobody-knows",
        "RFC 4475 3.3.7",
        request(b'Authorization: NoOneKnowsThisScheme opaque-data=here, x="=,"', b"Authorization: Digest"),
        "credentials that were not asked for",
        UNSEEN,
    ),
    TortureCase(
        "single-fields-twice",
        "RFC 4475 3.3.8",
        request(
            b"CSeq: 5 OPTIONS",
            b"Call-ID: another-{token}",
            b"Max-Forwards: 5",
            b"From: <sip:another@{here_host}>;tag=another",
            b"To: <sip:another@{target}>",
        ),
        "which of the two is meant cannot be told",
        REFUSED,
    ),
    TortureCase(
        "broadcast-in-via",
        "RFC 4475 3.3.10",
        b"""\
SIP/2.0 200 OK
{via}
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKsaved
{from}
To: <sip:{target}>;tag=1
{call}
{cseq}
Content-Length: 0

""",
        "a response to nothing is dropped, not sent on to everybody",
        sequel=True,
        unanswered=True,
    ),
    TortureCase("no-hops-left", "RFC 4475 3.3.11", request(hops=b"Max-Forwards: 0"), "483, or an answer"),
    TortureCase(
        "parameters-of-contact",
        "RFC 4475 3.3.12",
        request(b"Contact: sip:+19725550100@{here};unknownparam, <sip:+19725550100;unknownparam@{here}>;q=0.5"),
        "without brackets parameters are those of the field",
    ),
    TortureCase(
        "accept-of-nothing-known",
        "RFC 4475 3.3.15",
        request(b"Accept: text/nobodyKnowsThis", b"Accept-Encoding: nobody", b"Accept-Language: tlh"),
        "406, or an answer without a body",
    ),
    TortureCase(
        "as-old-as-rfc-2543",
        "RFC 4475 3.4.1",
        request(
            via=b"Via: SIP/2.0/{transport} {here}",
            hops=b"",
            from_=b"From: sip:sipalg@{here_host}",
            call=b"Call-ID: {token}@{here_host}",
        ),
        "no branch, no tag, no Max-Forwards: RFC 3261 still answers it",
    ),
    TortureCase(
        "sequence-number-one-too-large",
        "RFC 3261 8.1.1.5",
        request(cseq=b"CSeq: 2147483648 OPTIONS"),
        "less than 2**31, or negative where it is signed",
        UNSEEN,
    ),
    TortureCase(
        "dialog-nobody-knows",
        "RFC 3261 12.2.2",
        request(start=b"BYE sip:{user}{target} SIP/2.0", to=b"To: <sip:{target}>;tag=nobody"),
        "481; a 200 would hang up what was never there",
        DECLINED,
    ),
    TortureCase(
        "cancel-of-nothing",
        "RFC 3261 9.2",
        request(start=b"CANCEL sip:{user}{target} SIP/2.0"),
        "481; a 200 would cancel what was never there",
        DECLINED,
    ),
    TortureCase(
        "route-through-the-target-again-and-again",
        "RFC 3261 16.4",
        request(*[b"Route: <sip:{target};lr>"] * 60),
        "each is removed in its turn, or it is a loop",
        f"{UNSEEN} 5xx closed",
    ),
    TortureCase(
        "parts-in-parts",
        "RFC 2046 5.1",
        request(b"Content-Type: multipart/mixed;boundary=b0", body=_parts(_NESTED)),
        f"multipart bodies {_NESTED} deep",
        UNSEEN,
    ),
    TortureCase(
        "boundary-missing",
        "RFC 2046 5.1.1",
        request(b"Content-Type: multipart/mixed;boundary=", body=b"--\n\nx\n----\n"),
        "an empty boundary is everywhere",
        UNSEEN,
    ),
    TortureCase(
        "session-that-is-none",
        "RFC 4566 5",
        request(b"{contact}", SESSION, start=INVITE, body=b"this is no session description\n"),
        "488, or 400",
        DECLINED,
    ),
    TortureCase(
        "session-of-nonsense",
        "RFC 4566 9",
        request(
            b"{contact}",
            SESSION,
            start=INVITE,
            body=b"""\
v=-1
o=- 99999999999999999999999999 -1 IN IP9 {here_host}
s=-
c=IN IP4 999.999.999.999
t=-1 99999999999999999999
m=audio 4294967296/-1 RTP/AVP 256 -1 99999999999
a=rtpmap:-1 //
a=inactive
m=
=
""",
        ),
        "488, or 400; whoever answers such an offer with a call reads no numbers",
        DECLINED,
    ),
    TortureCase(
        "body-without-a-type",
        "RFC 3261 20.15",
        request(body=b"what is this?\n"),
        "a body must say what it is",
        GUESSED,
    ),
)
