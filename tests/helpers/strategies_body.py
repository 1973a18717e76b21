"""Hypothesis strategies for bodies: session descriptions, multiparts, other types (RFC 8866, RFC 2046).

Strategy: a body is drawn together with the header lines that describe it, as a tuple (header lines, body).
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.helpers.strategies_header import (
    INSIDE,
    OUTSIDE,
    PORTS,
    Bytes,
    chain,
    mapped,
    maybe,
    odd_case,
    ports,
    some,
)

Described = st.SearchStrategy[tuple[bytes, bytes]]
"""Header lines about the body, and the body."""

connection_addresses = st.one_of(
    mapped,
    mapped,
    mapped,
    st.sampled_from(
        [
            b"0.0.0.0",
            b"224.2.17.12/127",
            b"110.0.30.2",
            b"10.0.30.2.example.com",
            b"192.0.2.77",
            b"10.0.30.2/127",
        ]
    ),
)
line_end = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])
origins = chain(
    b"o=",
    st.sampled_from([b"-", b"ann", b"10.0.30.2"]),
    b" 1 2 ",
    st.one_of(chain(b"IN IP4 ", connection_addresses), st.just(b"IN IP6 2001:db8::1")),
    line_end,
)
connections = chain(
    st.one_of(
        chain(b"c=IN IP4 ", connection_addresses),
        st.sampled_from([b"c=IN IP6 ::ffff:10.0.30.2", b"c=in IP4 10.0.30.2"]),
    ),
    line_end,
)
related = chain(b" raddr ", connection_addresses, b" rport ", ports)
candidates = chain(
    b"a=candidate:",
    st.sampled_from([b"1", b"Hc0", b"10.0.30.2"]),
    st.sampled_from([b" 1 UDP 2130706431 ", b" 2 udp 1 ", b" 1 TCP 9 "]),
    connection_addresses,
    b" ",
    ports,
    st.sampled_from([b" typ host", b" typ srflx", b" typ relay tcptype active"]),
    maybe(related),
    st.sampled_from([b"", b" generation 0", b" x 10.0.30.2"]),
)
media_ports = st.one_of(ports, ports, st.sampled_from([b"0", b"5004/2"]))
media_attributes = chain(
    st.one_of(
        candidates,
        chain(b"a=rtcp:", ports),
        chain(b"a=rtcp:", ports, b" IN IP4 ", connection_addresses),
        st.sampled_from(
            [
                *(b"a=sendrecv", b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:10.0.30.2", b"a=x 10.0.30.2"),
                *(b"i=c=IN IP4 10.0.30.2", b"a=rtcp-fb:96 nack", b"b=AS:64", b"a=rtcp:x IN IP4 10.0.30.2"),
            ]
        ),
    ),
    line_end,
)
media_sections = chain(
    st.sampled_from([b"m=audio ", b"m=video "]),
    media_ports,
    b" RTP/AVP 0 8",
    line_end,
    maybe(connections),
    st.lists(media_attributes, max_size=4).map(b"".join),
)
odd_descriptions = chain(
    b"v=0\r\n",
    origins,
    st.sampled_from([b"s=-\r\n", b"s=10.0.30.2\r\n", b"s=-\ni=\xff 10.0.30.2\r\nu=sip:10.0.30.2\n"]),
    maybe(connections),
    b"t=0 0\r\n",
    st.lists(media_sections, max_size=3).map(b"".join),
    st.sampled_from([b"", b"", b"a=end", b"c=IN IP4 10.0.30.2"]),
)

media_numbers = st.sampled_from([b"%d" % port for port in PORTS])


def ordinary_descriptions(address: bytes) -> Bytes:
    """One address and ports that may be mapped throughout, so that c= and m= change together."""
    place = b"IN IP4 " + address + b"\r\n"
    section = chain(
        b"m=audio ",
        st.one_of(media_numbers, media_numbers, st.just(b"0")),
        b" RTP/AVP 0\r\n",
        st.sampled_from([b"", b"c=" + place, b"a=sendonly\r\n"]),
        maybe(chain(b"a=rtcp:", media_numbers, st.sampled_from([b"\r\n", b" " + place]))),
    )
    return chain(b"v=0\r\no=- 1 2 " + place + b"s=-\r\nc=" + place + b"t=0 0\r\n", some(section, 3))


descriptions = st.one_of(
    odd_descriptions,
    st.sampled_from([INSIDE[0], INSIDE[0], OUTSIDE[0], OUTSIDE[0], INSIDE[1]]).flatmap(ordinary_descriptions),
)

PLAIN = b"c=IN IP4 10.0.30.2\r\nContact: <sip:64.100.0.10>\r\n"
plain_bodies = st.one_of(st.sampled_from([b"", PLAIN, b"\r\n\r\n" + PLAIN]), st.binary(max_size=40))
header_line_end = st.sampled_from([b"\r\n", b"\r\n", b" \r\n"])


def described(name: Bytes, media_type: Bytes, body: Bytes) -> Described:
    """A body with its Content-Type line."""
    return st.tuples(chain(name, b": ", media_type, header_line_end), body)


sdp_type = chain(odd_case(b"application/sdp"), st.sampled_from([b"", b"", b";charset=utf-8", b" ; x=y"]))
plain_type = st.sampled_from(
    [b"text/plain", b"application/sdpx", b"application/xml;x=application/sdp", b"message/sipfrag"]
)


def leaves(name: Bytes) -> Described:
    """Bodies that are no multipart."""
    return st.one_of(
        described(name, sdp_type, descriptions),
        described(name, sdp_type, descriptions),
        described(name, plain_type, plain_bodies),
    )


def with_part_length(part: tuple[bytes, bytes], correction: int | None) -> bytes:
    """A part with a Content-Length that is right (0), wrong, or missing (None)."""
    lines, body = part
    if correction is not None:
        lines += b"Content-Length: %d\r\n" % (len(body) + correction)
    return lines + b"\r\n" + body


def parts(inner: Described) -> Bytes:
    """One part of a multipart, without delimiter lines."""
    return st.builds(with_part_length, inner, st.sampled_from([None, None, 0, 0, 1]))


def multipart(boundary: bytes, inner: Described) -> Bytes:
    """A multipart whose parts may hold anything but this boundary."""
    delimiter = chain(b"\r\n--" + boundary, st.sampled_from([b"\r\n", b"\r\n", b" \r\n"]))
    return chain(
        st.sampled_from([b"", b"preamble c=IN IP4 10.0.30.2"]),
        delimiter,
        some(parts(inner), 3, delimiter),
        st.sampled_from([b"--", b"--\r\n", b"--\r\nc=IN IP4 10.0.30.2\r\n"]).map(
            lambda tail: b"\r\n--" + boundary + tail
        ),
    )


PART_NAMES = st.sampled_from([b"Content-Type", b"Content-Type", b"content-type"])
MESSAGE_NAMES = st.sampled_from([b"Content-Type", b"Content-Type", b"c", b"C", b"CONTENT-TYPE"])


def boundary_parameter(boundary: bytes) -> Bytes:
    """The boundary, bare or quoted, in odd case, beside other parameters."""
    return chain(
        st.sampled_from([b"", b";charset=x"]),
        st.sampled_from([b";", b"; ", b" ;\r\n "]),
        odd_case(b"boundary"),
        st.sampled_from([b"=" + boundary, b'="' + boundary + b'"']),
    )


def multiparts(name: Bytes, boundary: bytes, inner: Described) -> Described:
    """A multipart with its Content-Type line."""
    media_type = chain(st.sampled_from([b"multipart/mixed", b"Multipart/Alternative"]), boundary_parameter(boundary))
    return described(name, media_type, multipart(boundary, inner))


inner_parts = st.one_of(leaves(PART_NAMES), multiparts(PART_NAMES, b"inner", leaves(PART_NAMES)))
described_bodies = st.one_of(
    st.just((b"", b"")),
    leaves(MESSAGE_NAMES),
    leaves(MESSAGE_NAMES),
    multiparts(MESSAGE_NAMES, b"outer-1", inner_parts),
    st.tuples(
        st.sampled_from(
            [b"Content-Encoding: gzip\r\nc: application/sdp\r\n", b"e: identity\r\nc: application/sdp\r\n"]
        ),
        descriptions,
    ),
)
