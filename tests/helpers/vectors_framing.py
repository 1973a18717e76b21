"""Examples: Content-Length, several messages, keep-alives, bytes that are no SIP (RFC 3261 7.5, 18.3)."""

from __future__ import annotations

from tests.helpers.vector import STATIC, Pairs, Vector, same_line

REQUEST = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nl: 0\r\n\r\n"
REQUEST_OUT = b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nl: 0\r\n\r\n"
OFFER = b"INVITE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\n"
SDP = b"\r\nc=IN IP4 10.0.30.2\r\n"
"""The empty line and a body of 20 bytes."""
SDP_OUT = b"\r\nc=IN IP4 64.100.0.10\r\n"
"""The empty line and a body of 22 bytes."""
TRANSLATED: Pairs = (("192.0.2.123", "10.1.1.1"),)
"""Three bytes shorter."""


def stream(name: str, before: bytes, after: bytes, direction: str = "out", maps: Pairs = STATIC) -> Vector:
    """A stream that changes."""
    return Vector(name, maps, direction, before, after)


def same_stream(name: str, before: bytes) -> Vector:
    """A stream that stays."""
    return stream(name, before, before)


CONTENT_LENGTH = (
    stream("length_grows", OFFER + b"Content-Length: 20\r\n" + SDP, OFFER + b"Content-Length: 22\r\n" + SDP_OUT),
    stream("length_shrinks", OFFER + b"l: 22\r\n" + SDP_OUT, OFFER + b"l: 20\r\n" + SDP, "in"),
    stream(
        "length_in_odd_case_with_spaces",
        OFFER + b"cONTENT-lENGTH \t: \t 20 \t\r\n" + SDP,
        OFFER + b"cONTENT-lENGTH \t: \t 22 \t\r\n" + SDP_OUT,
    ),
    stream("length_folded", OFFER + b"L:\r\n\t20\r\n \r\n" + SDP, OFFER + b"L:\r\n\t22\r\n \r\n" + SDP_OUT),
    stream("length_padded", OFFER + b"l: 0000020\r\n" + SDP, OFFER + b"l: 22\r\n" + SDP_OUT),
    stream(
        "length_padded_and_unchanged",
        OFFER + b"l: 0010\r\n\r\nv=0\r\ns=-\r\n" + REQUEST,
        OFFER + b"l: 0010\r\n\r\nv=0\r\ns=-\r\n" + REQUEST_OUT,
    ),
    stream(
        "length_given_several_times",
        OFFER + b"l: 20\r\nContent-Length: 020\r\n" + SDP,
        OFFER + b"l: 22\r\nContent-Length: 22\r\n" + SDP_OUT,
    ),
    stream(
        "length_gains_a_digit",
        OFFER + b"l: 99\r\n\r\nc=IN IP4 10.0.30.2\r\ns=" + b"x" * 75 + b"\r\n",
        OFFER + b"l: 101\r\n\r\nc=IN IP4 64.100.0.10\r\ns=" + b"x" * 75 + b"\r\n",
    ),
    stream(
        "length_loses_a_digit",
        OFFER + b"l: 1000\r\n\r\nc=IN IP4 64.100.0.10\r\ns=" + b"x" * 974 + b"\r\n",
        OFFER + b"l: 998\r\n\r\nc=IN IP4 10.0.30.2\r\ns=" + b"x" * 974 + b"\r\n",
        "in",
    ),
    stream(
        "length_missing_means_no_body",
        b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nc: application/sdp\r\n\r\n" + REQUEST,
        b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nc: application/sdp\r\n\r\n" + REQUEST_OUT,
    ),
    same_stream("length_missing_before_a_body", b"BYE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\n" + SDP),
    stream(
        "length_contradicting",
        REQUEST + OFFER + b"l: 20\r\nl: 21\r\n" + SDP + REQUEST,
        REQUEST_OUT + OFFER + b"l: 20\r\nl: 21\r\n" + SDP + REQUEST,
    ),
    same_stream("length_not_a_number", OFFER + b"l: twenty\r\n" + SDP + REQUEST),
    same_stream("length_with_a_sign", OFFER + b"l: +20\r\n" + SDP + REQUEST),
    same_stream("length_negative", OFFER + b"l: -1\r\n" + SDP + REQUEST),
    same_stream("length_empty", OFFER + b"l: \r\n" + SDP + REQUEST),
    same_stream("length_two_values", OFFER + b"l: 20, 20\r\n" + SDP + REQUEST),
    same_stream("length_in_hexadecimal", OFFER + b"l: 0x14\r\n" + SDP + REQUEST),
    stream(
        "length_counts_what_is_not_translated",
        b"MESSAGE sip:a@example.com SIP/2.0\r\nl: 14\r\n\r\nsip:10.0.30.2!" + REQUEST,
        b"MESSAGE sip:a@example.com SIP/2.0\r\nl: 14\r\n\r\nsip:10.0.30.2!" + REQUEST_OUT,
    ),
)

STREAMS = (
    stream("several_messages", REQUEST * 3, REQUEST_OUT * 3),
    stream(
        "keep_alives_between_messages",
        b"\r\n\r\n" + REQUEST + b"\r\n\r\n\r\n" + REQUEST + b"\n\r\r\n",
        b"\r\n\r\n" + REQUEST_OUT + b"\r\n\r\n\r\n" + REQUEST_OUT + b"\n\r\r\n",
    ),
    same_stream("keep_alive_only", b"\r\n\r\n"),
    same_stream("nothing", b""),
    stream("response_then_request", b"SIP/2.0 200 OK\r\n\r\n" + REQUEST, b"SIP/2.0 200 OK\r\n\r\n" + REQUEST_OUT),
    stream(
        "garbage_after_a_message",
        REQUEST + b"\x16\x03\x01 sip:10.0.30.2\r\n" + REQUEST,
        REQUEST_OUT + b"\x16\x03\x01 sip:10.0.30.2\r\n" + REQUEST,
    ),
    same_stream("another_protocol", b"GET sip:10.0.30.2 HTTP/1.1\r\n\r\n" + REQUEST),
    stream(
        "request_line_of_four_words",
        b"OPTIONS sip:10.0.30.2 x SIP/2.0\r\n\r\n" + REQUEST,
        b"OPTIONS sip:10.0.30.2 x SIP/2.0\r\n\r\n" + REQUEST_OUT,
    ),
    same_stream("start_line_ended_by_lf", b"OPTIONS sip:10.0.30.2 SIP/2.0\nTo: <sip:10.0.30.2>\r\n\r\n" + REQUEST),
    same_stream("status_line_without_number", b"SIP/2.0 OK\r\n\r\n" + REQUEST),
    same_stream("method_that_is_no_token", b"OPT(IONS sip:10.0.30.2 SIP/2.0\r\n\r\n" + REQUEST),
    stream("incomplete_header", REQUEST + REQUEST[:-1], REQUEST_OUT + REQUEST[:-1]),
    stream("incomplete_body", REQUEST + OFFER + b"l: 21\r\n" + SDP, REQUEST_OUT + OFFER + b"l: 21\r\n" + SDP),
    stream(
        "body_that_looks_like_a_message",
        b"MESSAGE sip:10.0.30.2 SIP/2.0\r\nl: 39\r\n\r\n" + REQUEST + REQUEST,
        b"MESSAGE sip:64.100.0.10 SIP/2.0\r\nl: 39\r\n\r\n" + REQUEST + REQUEST_OUT,
    ),
    stream(
        "header_block_at_the_limit",
        b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nSubject: " + b"x" * 65492 + b"\r\n\r\n" + REQUEST,
        b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nSubject: " + b"x" * 65492 + b"\r\n\r\n" + REQUEST_OUT,
    ),
    stream(
        "header_block_past_the_limit",
        b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nSubject: " + b"x" * 65493 + b"\r\n\r\n" + REQUEST,
        b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nSubject: " + b"x" * 65493 + b"\r\n\r\n" + REQUEST_OUT,
    ),
    same_line(
        "identity_of_odd_bytes",
        b"SUBJECT :  \t a\x00\xff\xfe b \r\n  c\r\nsubject:\r\nx:y\r\nCSeq:1   OPTIONS",
    ),
    stream(
        "invite_of_509_bytes_leaves_with_497",
        b"INVITE sip:bob@example.com SIP/2.0\r\n"
        b"Via: SIP/2.0/TCP 192.0.2.123:8000;branch=z9hG4bKlab000509\r\n"
        b"From: Ann <sip:ann@192.0.2.123:8000>;tag=5094975094\r\n"
        b"To: Bob <sip:bob@example.com>\r\n"
        b"Call-ID: call-1-of-1-xx@lab.example.com\r\n"
        b"CSeq: 509497 INVITE\r\n"
        b"Contact: <sip:ann@192.0.2.123:8000>;expires=60\r\n"
        b"Max-Forwards: 70\r\n"
        b"Subject: lab1\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Content-Length: 133\r\n"
        b"\r\n"
        b"v=0\r\no=ann 10203040 506070809 IN IP4 pc.example.com\r\ns=-\r\nc=IN IP4 192.0.2.123\r\nt=0 0\r\n"
        b"m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
        b"INVITE sip:bob@example.com SIP/2.0\r\n"
        b"Via: SIP/2.0/TCP 10.1.1.1:8000;branch=z9hG4bKlab000509\r\n"
        b"From: Ann <sip:ann@10.1.1.1:8000>;tag=5094975094\r\n"
        b"To: Bob <sip:bob@example.com>\r\n"
        b"Call-ID: call-1-of-1-xx@lab.example.com\r\n"
        b"CSeq: 509497 INVITE\r\n"
        b"Contact: <sip:ann@10.1.1.1:8000>;expires=60\r\n"
        b"Max-Forwards: 70\r\n"
        b"Subject: lab1\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Content-Length: 130\r\n"
        b"\r\n"
        b"v=0\r\no=ann 10203040 506070809 IN IP4 pc.example.com\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\n"
        b"m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
        maps=TRANSLATED,
    ),
)

FRAMING_VECTORS = (*CONTENT_LENGTH, *STREAMS)
