"""Messages that break the grammar, but whose end can be told.

What is expected goes by what is broken. Where it is something without which no response can be made (the start line,
Via, From, To, Call-ID, CSeq), a refusal, silence and a closed connection are equally right. Where it is a field that
this request can be answered without looking at (RFC 3261 16.3), there has to be a response, and any but 500 will do.
"""

from __future__ import annotations

from harness.fuzz.filling import request
from harness.fuzz.torture_case import TortureCase

REFUSED = "4xx silent closed reset"
"""It cannot be answered otherwise."""
GUESSED = "accepted 400 silent closed reset"
"""The same, or what is meant can be guessed."""
UNSEEN = "accepted 400"
"""It need not be looked at."""

CASES = (
    TortureCase(
        "stray-separators",
        "RFC 4475 3.1.2.1",
        request(
            b'Contact: "us" <sip:sipalg@{here}>;;,;;,',
            via=b"Via: SIP/2.0/{transport} {here};branch=z9hG4bK{token};;,;,,",
        ),
        "separators with nothing between them",
        GUESSED,
    ),
    TortureCase(
        "sequence-number-that-overflows",
        "RFC 4475 3.1.2.4",
        request(cseq=b"CSeq: 36893488147419103233 OPTIONS"),
        "2**65 + 1 is larger than 2**31 - 1, and not 1 either",
        REFUSED,
    ),
    TortureCase(
        "max-forwards-that-overflows",
        "RFC 4475 3.1.2.4",
        request(hops=b"Max-Forwards: 4294967296"),
        "no more than 255; an endpoint that forwards nothing need not care, but 483 says that it was cut to 0",
        "2xx 400 404 405 501",
    ),
    TortureCase(
        "seconds-that-overflow",
        "RFC 4475 3.1.2.4",
        request(
            b"Expires: 10000000000000000000000000000000000000000",
            b"Contact: <sip:sipalg@{here}>;expires=280297596632815",
            b"Retry-After: 99999999999 (a) ;duration=99999999999",
        ),
        "numbers that no clock has",
        UNSEEN,
    ),
    TortureCase(
        "response-numbers-that-overflow",
        "RFC 4475 3.1.2.5",
        b"""\
SIP/2.0 503 Service Unavailable
{via}
{from}
To: <sip:{target}>;tag=1
{call}
CSeq: 9292394834772304023312 OPTIONS
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0

""",
        "a response to nothing is dropped, whatever its numbers, and what follows is answered",
        sequel=True,
        unanswered=True,
    ),
    TortureCase(
        "status-that-overflows",
        "RFC 4475 3.1.2.19",
        b"""\
SIP/2.0 4294967496 is 200 in 32 bits
{via}
{from}
To: <sip:{target}>;tag=1
{call}
{cseq}
Content-Length: 0

""",
        "no status has ten digits; the connection may be given up, or what follows answered",
        "accepted closed reset silent",
        sequel=True,
        unanswered=True,
    ),
    TortureCase(
        "unterminated-quote-in-to",
        "RFC 4475 3.1.2.6",
        request(to=b'To: "Mr. J. User <sip:{target}>'),
        "where the display name ends cannot be told",
        GUESSED,
    ),
    TortureCase(
        "unterminated-quote-in-contact",
        "RFC 4475 3.1.2.6",
        request(b'Contact: "us" <sip:sipalg@{here}>, "us too <sip:sipalg@{here}>'),
        "the same where the request can be answered without it",
        UNSEEN,
    ),
    TortureCase(
        "unterminated-comment",
        "RFC 3261 25.1",
        request(b"User-Agent: sipalg (" + b"(" * 300 + b"\\"),
        "nobody need understand a comment",
        UNSEEN,
    ),
    TortureCase(
        "brackets-around-request-uri",
        "RFC 4475 3.1.2.7",
        request(start=b"OPTIONS <sip:{user}{target}> SIP/2.0"),
        "a Request-URI has no brackets",
        REFUSED,
    ),
    TortureCase(
        "space-in-request-uri",
        "RFC 4475 3.1.2.8",
        request(start=b"OPTIONS sip:{user}{target}; lr SIP/2.0"),
        "four words are no request line",
        REFUSED,
    ),
    TortureCase(
        "spaces-in-request-line",
        "RFC 4475 3.1.2.9",
        request(start=b"OPTIONS  sip:{user}{target}   SIP/2.0"),
        "one space each, though what is meant is clear",
        GUESSED,
    ),
    TortureCase(
        "spaces-behind-version",
        "RFC 4475 3.1.2.10",
        request(start=b"OPTIONS sip:{user}{target} SIP/2.0\x20\x20"),
        "the line ends behind the version, though what is meant is clear",
        GUESSED,
    ),
    TortureCase(
        "headers-in-request-uri",
        "RFC 4475 3.1.2.11",
        request(start=b"OPTIONS sip:{user}{target}?Route=%3Csip:{here}%3E&Max-Forwards=0 SIP/2.0"),
        "a Request-URI has no headers; they must not be obeyed",
        GUESSED,
    ),
    TortureCase(
        "date-that-is-none",
        "RFC 4475 3.1.2.12",
        request(b"Date: Fri, 31 Feb 2010 26:61:61 EST"),
        "GMT is the only time zone; nobody need read a Date",
        UNSEEN,
    ),
    TortureCase(
        "headers-in-contact-without-brackets",
        "RFC 4475 3.1.2.13",
        request(b"Contact: sip:sipalg@{here}?Route=%3Csip:{here}%3E"),
        "a URI with a question mark must stand in brackets (RFC 3261 20)",
        UNSEEN,
    ),
    TortureCase(
        "spaces-in-address",
        "RFC 4475 3.1.2.14",
        request(to=b'To: "them" < sip:{target} >'),
        "no spaces inside brackets, though what is meant is clear",
        GUESSED,
    ),
    TortureCase(
        "display-name-that-is-no-token",
        "RFC 4475 3.1.2.15",
        request(from_=b"From: Bell, Alexander <sip:sipalg@{here_host}>;tag={token}"),
        "a comma needs quotes",
        GUESSED,
    ),
    TortureCase(
        "version-nobody-knows",
        "RFC 4475 3.1.2.16",
        request(
            start=b"OPTIONS sip:{user}{target} SIP/7.0", via=b"Via: SIP/7.0/{transport} {here};branch=z9hG4bK{token}"
        ),
        "505 says so (RFC 3261 21.5.6)",
        "505 400 silent closed reset",
    ),
    TortureCase(
        "methods-that-differ",
        "RFC 4475 3.1.2.17",
        request(cseq=b"CSeq: 8 INVITE"),
        "CSeq repeats the method (RFC 3261 8.1.1.5)",
        REFUSED,
    ),
    TortureCase(
        "unknown-methods-that-differ",
        "RFC 4475 3.1.2.18",
        request(start=b"NEWMETHOD sip:{user}{target} SIP/2.0", cseq=b"CSeq: 8 OPTIONS"),
        "the same, or 501 for the method",
        f"{REFUSED} 501",
    ),
    TortureCase(
        "sequence-number-missing",
        "RFC 3261 20.16",
        request(cseq=b"CSeq: OPTIONS"),
        "a CSeq has two words",
        REFUSED,
    ),
    TortureCase(
        "sequence-number-negative",
        "RFC 3261 20.16",
        request(cseq=b"CSeq: -1 OPTIONS"),
        "a number is made of digits",
        REFUSED,
    ),
    TortureCase(
        "call-id-empty",
        "RFC 3261 20.8",
        request(call=b"Call-ID:"),
        "a Call-ID has a character at least",
        REFUSED,
    ),
    TortureCase(
        "line-that-is-no-field",
        "RFC 3261 7.3",
        request(
            b"this line has no colon", b"Con tact: <sip:sipalg@{here}>", b": no name", b"\x01\x02: name of controls"
        ),
        "lines that are no header fields",
        GUESSED,
    ),
    TortureCase(
        "nul-in-field",
        "RFC 3261 25.1",
        request(b"Subject: before\x00after", b'Organization: "\x00"'),
        "a zero byte is no text, and no end of the message either",
        f"{UNSEEN} closed",
    ),
    TortureCase(
        "text-that-is-no-utf-8",
        "RFC 3261 7",
        request(
            b"Subject: \xc0\x80 \xed\xa0\x80 \xff\xfe \xf4\x90\x80\x80 \xe2\x82",
            from_=b'From: "\xc3(\xa0\xa1" <sip:sipalg@{here_host}>;tag={token}',
        ),
        "overlong, surrogates, beyond Unicode, cut short",
        GUESSED,
    ),
    TortureCase(
        "escape-that-is-none",
        "RFC 3261 19.1.2",
        request(b"Contact: <sip:%zz%4@{here}>", start=b"OPTIONS sip:%zz%4%@{target} SIP/2.0"),
        "a percent sign in a URI begins an escape",
        GUESSED,
    ),
    TortureCase(
        "ports-that-overflow",
        "RFC 3261 25.1",
        request(
            b"Contact: <sip:sipalg@{here_host}:65536>, <sip:sipalg@{here_host}:-1>, <sip:sipalg@{here_host}:>",
            via=b"Via: SIP/2.0/{transport} {here_host}:70596;branch=z9hG4bK{token};rport",
        ),
        "70596 is 5060 in 16 bits; over TCP the response goes back on the connection anyway",
        GUESSED,
    ),
    TortureCase(
        "brackets-nested",
        "RFC 3261 25.1",
        request(b"Contact: " + b"<" * 500 + b"sip:sipalg@{here}" + b">" * 500),
        "brackets do not nest",
        UNSEEN,
    ),
    TortureCase(
        "line-of-commas",
        "RFC 3261 7.3.1",
        request(b"Supported: " + b"," * 4000, b"Contact: " + b"," * 4000),
        "four thousand values, each of them empty",
        f"{UNSEEN} 413 513 closed",
    ),
)
