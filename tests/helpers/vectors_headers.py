"""Examples: hosts in the Request-URI and in header fields that carry addresses (RFC 3261 19.1, 20)."""

from __future__ import annotations

from tests.helpers.vector import (
    APPARENT,
    SECURE,
    SIGNALLING,
    STATIC,
    Vector,
    line,
    same_line,
)

REQUEST_LINES = (
    Vector(
        "request_uri_host",
        STATIC,
        "in",
        b"INVITE sip:bob@64.100.0.10 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:bob@10.0.30.2 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
    ),
    Vector(
        "request_uri_host_and_maddr",
        STATIC,
        "out",
        b"INVITE sip:10.0.30.2:5070;maddr=10.0.30.2;lr?x=10.0.30.2 SIP/2.0\r\n\r\n",
        b"INVITE sip:64.100.0.10:5070;maddr=64.100.0.10;lr?x=10.0.30.2 SIP/2.0\r\n\r\n",
    ),
    Vector(
        "request_uri_with_extra_spaces",
        STATIC,
        "out",
        b"INVITE  sip:10.0.30.2   SIP/2.0\r\n\r\n",
        b"INVITE  sip:64.100.0.10   SIP/2.0\r\n\r\n",
    ),
    Vector(
        "request_uri_default_port_is_written_when_it_changes",
        SIGNALLING,
        "out",
        b"OPTIONS sip:10.0.30.2;lr SIP/2.0\r\n\r\n",
        b"OPTIONS sip:64.100.0.10:5080;lr SIP/2.0\r\n\r\n",
    ),
    Vector(
        "request_uri_port_follows_mapping",
        SIGNALLING,
        "in",
        b"OPTIONS sip:64.100.0.10:5080 SIP/2.0\r\n\r\n",
        b"OPTIONS sip:10.0.30.2:5060 SIP/2.0\r\n\r\n",
    ),
    Vector(
        "request_uri_of_another_scheme",
        STATIC,
        "out",
        b"OPTIONS http://10.0.30.2/ SIP/2.0\r\nTo: <sip:10.0.30.2>\r\n\r\n",
        b"OPTIONS http://10.0.30.2/ SIP/2.0\r\nTo: <sip:64.100.0.10>\r\n\r\n",
    ),
    Vector(
        "reason_phrase_is_no_host",
        STATIC,
        "out",
        b"SIP/2.0 404 sip:10.0.30.2 unknown\r\nTo: <sip:10.0.30.2>\r\n\r\n",
        b"SIP/2.0 404 sip:10.0.30.2 unknown\r\nTo: <sip:64.100.0.10>\r\n\r\n",
    ),
)

EVERY_FIELD = (
    line("contact", b"Contact: <sip:ann@10.0.30.2>", b"Contact: <sip:ann@64.100.0.10>"),
    line("from", b"From: <sip:ann@10.0.30.2>;tag=7", b"From: <sip:ann@64.100.0.10>;tag=7"),
    line("to", b"To: <sip:ann@10.0.30.2>", b"To: <sip:ann@64.100.0.10>"),
    line("route", b"Route: <sip:10.0.30.2;lr>", b"Route: <sip:64.100.0.10;lr>"),
    line("record_route", b"Record-Route: <sip:10.0.30.2;lr>", b"Record-Route: <sip:64.100.0.10;lr>"),
    line("path", b"Path: <sip:10.0.30.2;lr;ob>", b"Path: <sip:64.100.0.10;lr;ob>"),
    line("service_route", b"Service-Route: <sip:10.0.30.2;lr>", b"Service-Route: <sip:64.100.0.10;lr>"),
    line(
        "asserted_identity",
        b'P-Asserted-Identity: "Ann" <sip:ann@10.0.30.2>',
        b'P-Asserted-Identity: "Ann" <sip:ann@64.100.0.10>',
    ),
    line(
        "preferred_identity",
        b"P-Preferred-Identity: <sip:ann@10.0.30.2>",
        b"P-Preferred-Identity: <sip:ann@64.100.0.10>",
    ),
    line(
        "remote_party_id",
        b"Remote-Party-ID: <sip:ann@10.0.30.2>;party=calling;screen=yes",
        b"Remote-Party-ID: <sip:ann@64.100.0.10>;party=calling;screen=yes",
    ),
    line(
        "refer_to_with_replaces",
        b"Refer-To: <sip:ann@10.0.30.2?Replaces=1%4010.0.30.2>",
        b"Refer-To: <sip:ann@64.100.0.10?Replaces=1%4010.0.30.2>",
    ),
    line(
        "referred_by",
        b'Referred-By: <sip:ann@10.0.30.2>;cid="1@10.0.30.2"',
        b'Referred-By: <sip:ann@64.100.0.10>;cid="1@10.0.30.2"',
    ),
    line("reply_to", b"Reply-To: sip:ann@10.0.30.2", b"Reply-To: sip:ann@64.100.0.10"),
    line(
        "diversion",
        b"Diversion: <sip:ann@10.0.30.2>;reason=no-answer, <sip:10.0.30.2>",
        b"Diversion: <sip:ann@64.100.0.10>;reason=no-answer, <sip:64.100.0.10>",
    ),
    line(
        "history_info",
        b"History-Info: <sip:ann@10.0.30.2?Reason=SIP%3Bcause%3D302>;index=1, <sip:10.0.30.2>;index=1.1",
        b"History-Info: <sip:ann@64.100.0.10?Reason=SIP%3Bcause%3D302>;index=1, <sip:64.100.0.10>;index=1.1",
    ),
)

SPELLING = (
    line("compact_contact", b"m: <sip:ann@10.0.30.2>", b"m: <sip:ann@64.100.0.10>"),
    line("compact_from", b"f:sip:10.0.30.2;tag=1", b"f:sip:64.100.0.10;tag=1"),
    line("compact_to", b"t:\t<sip:10.0.30.2>", b"t:\t<sip:64.100.0.10>"),
    line("compact_refer_to", b"r: <sip:10.0.30.2>", b"r: <sip:64.100.0.10>"),
    line("compact_referred_by", b"B: <sip:10.0.30.2>", b"B: <sip:64.100.0.10>"),
    line("name_in_odd_case", b"cONTACT: <SiP:ann@10.0.30.2>", b"cONTACT: <SiP:ann@64.100.0.10>"),
    line("space_before_colon", b"Contact \t :<sip:10.0.30.2>", b"Contact \t :<sip:64.100.0.10>"),
    line(
        "folded_list",
        b"Contact: <sip:ann@10.0.30.2>,\r\n\t<sip:bob@10.0.30.2:5062>\r\n ;q=0.5",
        b"Contact: <sip:ann@64.100.0.10>,\r\n\t<sip:bob@64.100.0.10:5062>\r\n ;q=0.5",
    ),
    line("fold_before_value", b"To:\r\n <sip:10.0.30.2>", b"To:\r\n <sip:64.100.0.10>"),
    line("line_ended_by_lf", b"To: <sip:10.0.30.2>\nSubject: x", b"To: <sip:64.100.0.10>\nSubject: x"),
    line("bare_uri_before_fold", b"To: sip:10.0.30.2\r\n ;tag=1", b"To: sip:64.100.0.10\r\n ;tag=1"),
    same_line("fold_of_another_field", b"Subject: x\r\n Contact: <sip:10.0.30.2>"),
    same_line("star", b"Contact: *"),
)

NOT_A_HOST = (
    same_line("user_part", b"To: <sip:10.0.30.2@example.com>"),
    same_line("user_part_with_parameter", b"To: <sip:10.0.30.2;x=1@example.com>"),
    same_line("user_part_with_password", b"To: <sip:10.0.30.2:pw@example.com>"),
    same_line("user_part_with_question_mark", b"To: <sip:10.0.30.2?x@example.com>"),
    same_line("bare_user_part_with_parameter", b"To: sip:10.0.30.2;x=1@example.com"),
    line("user_part_and_host", b"To: <sip:10.0.30.2@10.0.30.2>", b"To: <sip:10.0.30.2@64.100.0.10>"),
    line(
        "user_part_that_looks_like_a_uri",
        b"To: <sip:sip:10.0.30.2;maddr=10.0.30.2@10.0.30.2:5060>",
        b"To: <sip:sip:10.0.30.2;maddr=10.0.30.2@64.100.0.10:5060>",
    ),
    line(
        "quoted_display_name",
        b'From: "<sip:10.0.30.2>, \\"sip:10.0.30.2\\" 10.0.30.2" <sip:10.0.30.2>;tag=1',
        b'From: "<sip:10.0.30.2>, \\"sip:10.0.30.2\\" 10.0.30.2" <sip:64.100.0.10>;tag=1',
    ),
    line(
        "display_name_of_tokens",
        b"From: Desk 10.0.30.2 <sip:10.0.30.2>",
        b"From: Desk 10.0.30.2 <sip:64.100.0.10>",
    ),
    same_line("display_name_before_other_host", b'To: "10.0.30.2" <sip:example.com>'),
    same_line("unclosed_quoted_string", b'To: "Ann <sip:10.0.30.2>'),
    same_line("unclosed_angle_bracket", b"To: <sip:10.0.30.2"),
    line(
        "header_parameter_that_looks_like_a_host",
        b'Contact: <sip:10.0.30.2>;x=10.0.30.2;maddr=10.0.30.2;y="<sip:10.0.30.2>"',
        b'Contact: <sip:64.100.0.10>;x=10.0.30.2;maddr=10.0.30.2;y="<sip:10.0.30.2>"',
    ),
    line(
        "uri_parameter_that_looks_like_a_host",
        b"Contact: <sip:10.0.30.2;x=10.0.30.2;transport=tcp>",
        b"Contact: <sip:64.100.0.10;x=10.0.30.2;transport=tcp>",
    ),
    line(
        "maddr_of_a_bare_uri_is_a_header_parameter",
        b"Contact: sip:10.0.30.2;maddr=10.0.30.2",
        b"Contact: sip:64.100.0.10;maddr=10.0.30.2",
    ),
    line(
        "comma_list_of_bare_uris",
        b"Contact: sip:10.0.30.2 , sip:a@10.0.30.2:5070;q=1,sip:10.0.30.21",
        b"Contact: sip:64.100.0.10 , sip:a@64.100.0.10:5070;q=1,sip:10.0.30.21",
    ),
    line(
        "comma_inside_brackets_and_quotes",
        b'Contact: "a,b" <sip:a,b@10.0.30.2>,<sip:c@10.0.30.2>',
        b'Contact: "a,b" <sip:a,b@64.100.0.10>,<sip:c@64.100.0.10>',
    ),
    same_line("longer_address_before", b"Contact: <sip:110.0.30.2>"),
    same_line("longer_address_after", b"Contact: <sip:10.0.30.21>, <sip:10.0.30.2.1>"),
    same_line("part_of_a_name", b"Contact: <sip:10.0.30.2.example.com>, <sip:x-10.0.30.2>"),
    same_line("leading_zeros", b"Contact: <sip:010.0.30.2>, <sip:10.0.30.002>"),
    same_line("ipv6_reference", b"Contact: <sip:[::ffff:10.0.30.2]:5060>, <sip:[2001:db8::10:0:30:2]>"),
    line(
        "maddr_beside_ipv6",
        b"Contact: <sip:[2001:db8::1]:5060;maddr=10.0.30.2>",
        b"Contact: <sip:[2001:db8::1]:5060;maddr=64.100.0.10>",
    ),
    same_line("other_schemes", b"Contact: <tel:10.0.30.2>, <http://10.0.30.2/>, <sipx:10.0.30.2>"),
    same_line("host_followed_by_something_else", b"Contact: <sip:10.0.30.2/x>, <sip:10.0.30.2&x>"),
    same_line("maddr_that_is_longer", b"Contact: <sip:example.com;maddr=10.0.30.21;maddrx=10.0.30.2>"),
    line(
        "several_mappings",
        b"Contact: <sip:10.0.30.2>, <sip:10.0.30.3>, <sip:10.0.30.21>",
        b"Contact: <sip:64.100.0.10>, <sip:64.100.0.3>, <sip:64.100.0.2>",
        (*STATIC, ("10.0.30.21", "64.100.0.2"), ("10.0.30.3", "64.100.0.3")),
    ),
    same_line("port_of_six_digits", b"Contact: <sip:10.0.30.2:050601>"),
    same_line("port_too_large", b"Contact: <sip:10.0.30.2:65536>"),
    same_line("port_missing_after_colon", b"Contact: <sip:10.0.30.2:>"),
    same_line("port_followed_by_letters", b"Contact: <sip:10.0.30.2:5060x>"),
    same_line("mapping_of_another_direction", b"Contact: <sip:64.100.0.10>"),
)

UNTOUCHED_FIELDS = (
    same_line("call_id", b"Call-ID: 1@10.0.30.2\r\ni: sip:10.0.30.2"),
    same_line(
        "authorization",
        b'Authorization: Digest uri="sip:10.0.30.2", realm="10.0.30.2"\r\n'
        b'Proxy-Authorization: Digest uri="sip:10.0.30.2"\r\nWWW-Authenticate: Digest realm="10.0.30.2"',
    ),
    same_line("identity", b'Identity: "abc";info=<sip:10.0.30.2>\r\nIdentity-Info: <sip:10.0.30.2>'),
    same_line("session_id", b"Session-ID: 10.0.30.2;remote=10.0.30.2"),
    same_line("warning", b'Warning: 399 10.0.30.2:5061 "Request Timeout"'),
    same_line("unknown_field", b"X-Contact: <sip:10.0.30.2>\r\nAlert-Info: <sip:10.0.30.2>"),
    same_line("no_header_field", b"Contact <sip:10.0.30.2>\r\nCon tact: <sip:10.0.30.2>"),
)

PORTS = (
    line("port_mapped", b"Route: <sip:10.0.30.2:27901>", b"Route: <sip:64.100.0.10:4401>", APPARENT),
    line(
        "port_mapped_back",
        b"Route: <sip:64.100.0.10:4401;lr>",
        b"Route: <sip:10.0.30.2:27901;lr>",
        APPARENT,
        "in",
    ),
    same_line("port_not_mapped", b"Route: <sip:10.0.30.2:27902>, <sip:10.0.30.2>", APPARENT),
    line("port_inserted", b"To: <sip:ann@10.0.30.2;lr>", b"To: <sip:ann@64.100.0.10:5080;lr>", SIGNALLING),
    line("port_inserted_in_bare_uri", b"To: sip:10.0.30.2;tag=1", b"To: sip:64.100.0.10:5080;tag=1", SIGNALLING),
    line(
        "port_not_inserted_when_it_stays",
        b"To: <sip:10.0.30.2>, <sip:10.0.30.2:5060>",
        b"To: <sip:64.100.0.10>, <sip:64.100.0.10:5060>",
        (("10.0.30.2:5060", "64.100.0.10:5060"),),
    ),
    line("default_port_of_sips", b"To: <sips:10.0.30.2>", b"To: <sips:64.100.0.10:5091>", SECURE),
    same_line("sips_is_not_5060", b"To: <sips:10.0.30.2>, <sip:10.0.30.2;transport=TLS>", SIGNALLING),
    line(
        "default_port_of_transport_tls",
        b"To: <sip:10.0.30.2;lr;Transport=TlS>",
        b"To: <sip:64.100.0.10:5091;lr;Transport=TlS>",
        SECURE,
    ),
    same_line("transport_of_a_bare_uri_is_a_header_parameter", b"To: sip:10.0.30.2;transport=tls", SECURE),
    line(
        "exact_mapping_wins_over_address",
        b"To: <sip:10.0.30.2:27901>, <sip:10.0.30.2:5070>",
        b"To: <sip:64.100.0.10:4401>, <sip:64.100.0.11:5070>",
        (("10.0.30.2", "64.100.0.11"), *APPARENT),
    ),
    line(
        "maddr_is_looked_up_with_the_port_of_the_uri",
        b"To: <sip:example.com:27901;maddr=10.0.30.2>, <sip:example.com;maddr=10.0.30.2>",
        b"To: <sip:example.com:27901;maddr=64.100.0.10>, <sip:example.com;maddr=10.0.30.2>",
        APPARENT,
    ),
)

HEADER_VECTORS = (*REQUEST_LINES, *EVERY_FIELD, *SPELLING, *NOT_A_HOST, *UNTOUCHED_FIELDS, *PORTS)
