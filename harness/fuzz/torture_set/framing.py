"""Where a message ends on a stream, and what may stand between two.

Where the end cannot be told the connection is of no more use: a refusal, silence, and closing are right. An answer
other than a refusal says that some number was cut, or one of two believed.
"""

from __future__ import annotations

from harness.fuzz.filling import PLAIN, request
from harness.fuzz.torture_case import TortureCase

NO_END = "4xx silent closed reset"
EITHER = "accepted 400 silent closed reset"

INNER = b"""\
OPTIONS sip:inside@{target} SIP/2.0
Via: SIP/2.0/{transport} {here};branch=z9hG4bKinside{token}
{hops}
From: <sip:inside@{here_host}>;tag=inside
{to}
Call-ID: inside-{token}
{cseq}
Content-Length: 0

"""
"""Stands in a body."""

TEXT = b"Content-Type: text/plain"

CASES = (
    TortureCase(
        "length-larger-than-body",
        "RFC 4475 3.1.2.2",
        request(TEXT, length=b"Content-Length: 9999", body=b"this is all\n"),
        "the rest never comes",
        NO_END,
    ),
    TortureCase(
        "length-negative",
        "RFC 4475 3.1.2.3",
        request(length=b"Content-Length: -999"),
        "no body has fewer than no bytes",
        NO_END,
    ),
    TortureCase(
        "length-that-overflows-32-bits",
        "RFC 4475 3.1.2.4",
        request(length=b"Content-Length: 4294967296"),
        "2**32 is not 0",
        f"{NO_END} 513",
    ),
    TortureCase(
        "length-that-overflows-64-bits",
        "RFC 4475 3.1.2.4",
        request(length=b"Content-Length: 18446744073709551616"),
        "2**64 is not 0",
        f"{NO_END} 513",
    ),
    TortureCase(
        "length-negative-in-32-bits",
        "RFC 4475 3.1.2.4",
        request(length=b"Content-Length: 4294967295"),
        "2**32 - 1 is not -1",
        f"{NO_END} 513",
    ),
    TortureCase(
        "lengths-that-contradict",
        "RFC 4475 3.3.9",
        request(TEXT, b"Content-Length: 3", length=b"l: 30", body=b"abc"),
        "which of the two is meant cannot be told",
        NO_END,
    ),
    TortureCase(
        "length-twice-the-same",
        "RFC 3261 7.3.1",
        request(b"Content-Length: 0", length=b"l: 0"),
        "one too many, but no doubt where the end is",
        EITHER,
    ),
    TortureCase(
        "length-in-hexadecimal",
        "RFC 3261 20.14",
        request(TEXT, length=b"Content-Length: 0x4", body=b"abcd"),
        "a length is made of digits; 0 is not what was meant",
        NO_END,
    ),
    TortureCase(
        "length-with-a-sign",
        "RFC 3261 20.14",
        request(length=b"Content-Length: +0"),
        "a length is made of digits, though what is meant is clear",
        EITHER,
    ),
    TortureCase(
        "length-empty",
        "RFC 3261 20.14",
        request(length=b"Content-Length:"),
        "a length has a digit at least",
        EITHER,
    ),
    TortureCase(
        "length-missing",
        "RFC 3261 18.3",
        request(length=b""),
        "a stream needs one; whether no body was meant can be guessed",
        EITHER,
    ),
    TortureCase(
        "length-with-leading-zeros",
        "RFC 3261 20.14",
        request(TEXT, length=b"Content-Length: 00000000000000000000000000000004", body=b"abcd"),
        "zeros before a number change nothing",
        sequel=True,
    ),
    TortureCase(
        "length-folded",
        "RFC 3261 7.3.1",
        request(TEXT, length=b"content-LENGTH\t :\n \t4", body=b"abcd"),
        "a length may stand on a line of its own",
        sequel=True,
    ),
    TortureCase(
        "length-in-front",
        "RFC 3261 7.3.1",
        b"OPTIONS sip:{user}{target} SIP/2.0\nL:{length}\n{usual}\nc: text/plain\n\nabcd",
        "fields stand in any order",
        sequel=True,
    ),
    TortureCase(
        "length-shorter-than-body",
        "RFC 3261 18.3",
        request(TEXT, length=b"Content-Length: 4", body=b"abcdefgh\n"),
        "the message ends where it says; what follows is none",
        f"{EITHER} garbled",
    ),
    TortureCase(
        "two-requests-at-once",
        "RFC 4475 3.1.1.8",
        PLAIN,
        "on a stream a message may begin where another ends",
        sequel=True,
    ),
    TortureCase(
        "empty-lines-before",
        "RFC 3261 7.5",
        b"\n\n\n\n" + PLAIN,
        "empty lines before a start line are ignored",
        sequel=True,
    ),
    TortureCase(
        "request-in-a-body",
        "RFC 3261 18.3",
        request(b"Content-Type: message/sip", body=INNER),
        "a body is no message of its own: an answer to it gives itself away by its Call-ID",
        sequel=True,
    ),
    TortureCase(
        "body-of-empty-lines",
        "RFC 3261 18.3",
        request(TEXT, body=b"\n\n\n\n\n\n"),
        "the empty lines of a body are not those between messages",
        sequel=True,
    ),
    TortureCase(
        "ack-of-nothing",
        "RFC 3261 17.1.1.3",
        request(start=b"ACK sip:{user}{target} SIP/2.0"),
        "an ACK is never answered, and what follows is",
        sequel=True,
        unanswered=True,
    ),
    TortureCase(
        "line-feeds-alone",
        "RFC 3261 7",
        request().replace(b"\n", b"{lf}"),
        "lines end with CRLF; a receiver may be liberal",
        EITHER,
    ),
    TortureCase(
        "carriage-return-alone",
        "RFC 3261 7",
        request(b"Subject: one\rl: 5\rtwo", b"X-Odd: \r"),
        "a carriage return without a line feed ends no line",
        EITHER,
    ),
    TortureCase(
        "header-without-end",
        "RFC 3261 7",
        b"OPTIONS sip:{user}{target} SIP/2.0\n{usual}\nContent-Length: 0\n",
        "the empty line never comes",
        NO_END,
    ),
    TortureCase(
        "space-before-the-method",
        "RFC 3261 7.1",
        request(start=b" OPTIONS sip:{user}{target} SIP/2.0"),
        "a fold of nothing",
        EITHER,
    ),
    TortureCase(
        "request-line-folded",
        "RFC 3261 7.3.1",
        request(start=b"OPTIONS sip:{user}{target}\n SIP/2.0"),
        "fields fold, start lines do not",
        NO_END,
    ),
    TortureCase(
        "noise-before",
        "RFC 3261 7.5",
        b"\x16\x03\x01\x00\xff\x00\x80noise\n\n" + PLAIN,
        "what is no SIP may be skipped, or the connection given up",
        f"{EITHER} garbled",
    ),
)
