"""Hypothesis strategies for the header: hosts, URIs, Via, and fields that must stay (RFC 3261 25.1).

Strategy: the addresses are drawn from small fixed sets, the same that `map_lists` maps, so that hits are
frequent; among them are lookalikes and addresses that nobody maps. Spelling (case, folds, spaces) is drawn
separately.
"""

from __future__ import annotations

from hypothesis import strategies as st

Bytes = st.SearchStrategy[bytes]

INSIDE = (b"10.0.30.2", b"10.0.30.3", b"10.0.30.21", b"192.0.2.123")
OUTSIDE = (b"64.100.0.10", b"64.100.0.1", b"203.0.113.5", b"10.1.1.1")
PORTS = (5060, 5061, 5004, 5005, 27901, 4401)
NEVER_MAPPED = (
    *(
        b"110.0.30.2",
        b"10.0.30.2.example.com",
        b"10.0.30.2-x.invalid",
        b"010.0.30.2",
        b"10.0.30",
        b"64.100.0.101",
    ),
    *(b"192.0.2.77", b"example.com", b"pc33.example.com", b"0.0.0.0", b"127.0.0.1", b"[::ffff:10.0.30.2]"),
)
USERS = (
    *(
        b"ann",
        b"10.0.30.2",
        b"64.100.0.10",
        b"10.0.30.2;x=1",
        b"10.0.30.2:pw",
        b"sip:10.0.30.2",
        b"+1555010;ext=5",
    ),
    *(b"a?b", b"a,b", b"a%20b", b"*21#", b"maddr=10.0.30.2;maddr=10.0.30.2", b"a/b&c=d$"),
)
QUOTED = (
    *(
        b'""',
        b'"Ann"',
        b'"10.0.30.2"',
        b'"<sip:10.0.30.2>"',
        b'"a, <sip:ann@10.0.30.2>, b"',
        b'"\\"sip:10.0.30.2"',
    ),
    *(b'"\\\\"', b'"a;received=10.0.30.2"', b'"\xc3\xa4 sip:64.100.0.10\\""', b'"ann@64.100.0.10"'),
)

mapped = st.sampled_from(INSIDE[:1] * 5 + OUTSIDE[:1] * 5 + INSIDE + OUTSIDE)
hosts = st.one_of(mapped, mapped, st.sampled_from(NEVER_MAPPED))
ports = st.sampled_from([b"%d" % port for port in PORTS] * 2 + [b"05060", b"5070", b"65535"])
no_more = st.just(b"")
space = st.sampled_from([b" ", b" ", b" ", b"\t", b"  ", b"\r\n ", b"\r\n\t ", b" \r\n "])
"""At least one character of linear white space."""
optional_space = st.one_of(no_more, no_more, no_more, space)
values = st.one_of(st.sampled_from([b"1", b"tcp", b"z9hG4bKx", b"10.0.30.2"]), hosts, st.sampled_from(QUOTED))


def odd_case(text: bytes) -> Bytes:
    """Mostly as it is, sometimes in another case."""
    return st.sampled_from([text, text, text, text.lower(), text.upper(), text.swapcase()])


def chain(*parts: Bytes | bytes) -> Bytes:
    """The parts one after the other."""

    # A composite of its own prints as "joined()"; a tuple of tuples would print as many kilobytes.
    @st.composite
    def joined(draw: st.DrawFn) -> bytes:
        return b"".join(part if isinstance(part, bytes) else draw(part) for part in parts)

    return joined()


def maybe(part: Bytes) -> Bytes:
    """The part, or nothing."""
    return st.one_of(no_more, part)


def some(part: Bytes, most: int, separator: Bytes | bytes = b"") -> Bytes:
    """One to `most` parts."""
    return chain(part, st.lists(chain(separator, part), max_size=most - 1).map(b"".join))


hostports = chain(hosts, maybe(chain(b":", ports)))
users = maybe(chain(st.sampled_from(USERS), b"@"))
schemes = st.sampled_from([b"sip:", b"sip:", b"sip:", b"sips:", b"SIP:", b"SiPs:", b"tel:", b"sipx:"])
uri_parameters = st.one_of(
    chain(odd_case(b";maddr="), hosts),
    st.sampled_from([b";lr", b";transport=tcp", b";transport=tls", b";Transport=TLS", b";apparent", b";x=10.0.30.2"]),
)
uri_headers = st.sampled_from(
    [b"?Subject=10.0.30.2", b"?Replaces=1%4010.0.30.2&To=sip:10.0.30.2", b"?a=;maddr=10.0.30.2"]
)
uris = chain(schemes, users, hostports, st.lists(uri_parameters, max_size=3).map(b"".join), maybe(uri_headers))
"""As they stand in angle brackets or in a request line."""

simple_users = st.sampled_from([b"", b"ann@", b"10.0.30.2@", b"64.100.0.10:pw@"])
bare_uris = chain(schemes, simple_users, hostports)
"""Without angle brackets neither parameters nor headers belong to the URI (RFC 3261 20)."""

header_parameters = chain(
    optional_space,
    b";",
    optional_space,
    st.sampled_from([b"tag", b"q", b"expires", b"maddr", b"received", b"+sip.instance"]),
    maybe(chain(b"=", values)),
)
display_names = maybe(
    st.one_of(chain(st.sampled_from(QUOTED), optional_space), st.sampled_from([b"Ann ", b"Desk 10.0.30.2 "]))
)
addresses = chain(
    st.one_of(chain(display_names, b"<", uris, b">"), chain(display_names, b"<", uris, b">"), bare_uris),
    st.lists(header_parameters, max_size=2).map(b"".join),
)
address_lists = st.one_of(addresses, some(addresses, 3, chain(optional_space, b",", optional_space)))

slash = chain(optional_space, b"/", optional_space)
via_parameters = chain(
    optional_space,
    b";",
    optional_space,
    st.one_of(
        chain(odd_case(b"received"), optional_space, b"=", optional_space, hosts),
        chain(odd_case(b"maddr"), optional_space, b"=", optional_space, hosts),
        chain(odd_case(b"rport"), maybe(chain(optional_space, b"=", optional_space, ports))),
        st.sampled_from([b"rport=", b"branch=z9hG4bK10.0.30.2", b"ttl=1", b"x=10.0.30.2", b"receivedx=10.0.30.2"]),
        chain(b"y=", st.sampled_from(QUOTED)),
    ),
)
vias = chain(
    odd_case(b"SIP"),
    slash,
    b"2.0",
    slash,
    st.sampled_from([b"TCP", b"UDP", b"TLS", b"tls"]),
    space,
    hosts,
    maybe(chain(optional_space, b":", optional_space, ports)),
    st.lists(via_parameters, max_size=4).map(b"".join),
)
via_lists = some(vias, 2, chain(optional_space, b",", optional_space))

ADDRESS_NAMES = (
    *(
        b"Contact",
        b"From",
        b"To",
        b"Route",
        b"Record-Route",
        b"Path",
        b"Service-Route",
        b"P-Asserted-Identity",
    ),
    *(b"P-Preferred-Identity", b"Remote-Party-ID", b"Refer-To", b"Referred-By", b"Reply-To", b"Diversion"),
    *(b"History-Info", b"m", b"f", b"t", b"r", b"b"),
)
OTHER_NAMES = (
    *(
        b"Call-ID",
        b"i",
        b"Identity",
        b"Identity-Info",
        b"Authorization",
        b"Proxy-Authorization",
        b"WWW-Authenticate",
    ),
    *(
        b"Session-ID",
        b"Warning",
        b"Subject",
        b"s",
        b"X-Via",
        b"Contact-X",
        b"User-Agent",
        b"Alert-Info",
        b"k",
    ),
)
other_values = st.one_of(
    address_lists,
    via_lists,
    st.sampled_from(
        [
            b"",
            b"1@10.0.30.2",
            b'399 10.0.30.2:5061 "x"',
            b"\xff\x00 10.0.30.2",
            b"a\r\n Contact: sip:10.0.30.2",
        ]
    ),
)
colon = st.sampled_from([b": ", b": ", b": ", b":", b" : ", b"\t:\t", b":\r\n "])
line_end = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b" \r\n", b"\r\n \r\n"])


def field(name: Bytes, value: Bytes) -> Bytes:
    """One logical header field with its line ending."""
    return chain(name.flatmap(odd_case), colon, value, line_end)


address_fields = field(st.sampled_from(ADDRESS_NAMES), address_lists)
via_fields = field(st.sampled_from([b"Via", b"Via", b"v"]), via_lists)
other_fields = field(st.sampled_from(OTHER_NAMES), other_values)
header_fields = st.one_of(address_fields, address_fields, via_fields, other_fields)

methods = st.sampled_from([b"INVITE", b"OPTIONS", b"SERVICE", b"x-Y.z"])
status_codes = st.sampled_from([b"100", b"200", b"408", b"603"])
reasons = st.sampled_from([b"", b" OK", b" sip:10.0.30.2", b" Sch\xc3\xb6n 10.0.30.2"])
start_lines = st.one_of(
    chain(
        methods,
        st.sampled_from([b" ", b" ", b"  "]),
        uris,
        st.sampled_from([b" ", b" ", b"   "]),
        b"SIP/2.0\r\n",
    ),
    chain(b"SIP/2.0 ", status_codes, reasons, b"\r\n"),
)
