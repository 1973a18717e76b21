"""Examples: Via, with received, rport and maddr (RFC 3261 18.2, 20.42; RFC 3581 4)."""

from __future__ import annotations

from tests.helpers.vector import APPARENT, SECURE, SIGNALLING, STATIC, Vector, line, same_line

VIA_VECTORS = (
    line(
        "via_sent_by",
        b"Via: SIP/2.0/UDP 10.0.30.2:5060;branch=z9hG4bK10.0.30.2",
        b"Via: SIP/2.0/UDP 64.100.0.10:5060;branch=z9hG4bK10.0.30.2",
    ),
    line("via_compact", b"v: SIP/2.0/TCP 10.0.30.2;rport", b"v: SIP/2.0/TCP 64.100.0.10;rport"),
    line(
        "via_every_one",
        b"Via: SIP/2.0/TCP 10.0.30.2;branch=1\r\nVIA: SIP/2.0/TCP 10.0.30.2;branch=2, SIP/2.0/UDP 10.0.30.2:5070",
        b"Via: SIP/2.0/TCP 64.100.0.10;branch=1\r\nVIA: SIP/2.0/TCP 64.100.0.10;branch=2, SIP/2.0/UDP 64.100.0.10:5070",
    ),
    line(
        "via_spaces_everywhere",
        b"Via: SIP / 2.0 / TCP\t10.0.30.2 : 5060 ; received = 10.0.30.2 ; maddr= 10.0.30.2 , SIP/2.0/TCP 10.0.30.2",
        b"Via: SIP / 2.0 / TCP\t64.100.0.10 : 5060 ; received = 64.100.0.10 ; maddr= 64.100.0.10 , "
        b"SIP/2.0/TCP 64.100.0.10",
    ),
    line(
        "via_folds_everywhere",
        b"Via:\r\n SIP/2.0/TCP\r\n 10.0.30.2\r\n\t:5070\r\n ;received\r\n =\r\n 10.0.30.2",
        b"Via:\r\n SIP/2.0/TCP\r\n 64.100.0.10\r\n\t:5070\r\n ;received\r\n =\r\n 64.100.0.10",
    ),
    line(
        "via_received_and_maddr_in_odd_case",
        b"Via: SIP/2.0/UDP example.com;MADDR=10.0.30.2;Received=10.0.30.2",
        b"Via: SIP/2.0/UDP example.com;MADDR=64.100.0.10;Received=64.100.0.10",
    ),
    same_line(
        "via_other_parameters",
        b'Via: SIP/2.0/UDP example.com;x=10.0.30.2;y="a;received=10.0.30.2,";receivedx=10.0.30.2;branch=10.0.30.2',
    ),
    same_line("via_lookalikes", b"Via: SIP/2.0/UDP 10.0.30.21;received=110.0.30.2;maddr=10.0.30.2.example.com"),
    same_line("via_ipv6", b"Via: SIP/2.0/UDP [::ffff:10.0.30.2];received=::ffff:10.0.30.2"),
    same_line("via_without_transport", b"Via: SIP/2.0 10.0.30.2"),
    same_line("via_malformed_port", b"Via: SIP/2.0/TCP 10.0.30.2:x"),
    line(
        "via_port_inserted",
        b"Via: SIP/2.0/TCP 10.0.30.2 ;branch=1",
        b"Via: SIP/2.0/TCP 64.100.0.10:5080 ;branch=1",
        SIGNALLING,
    ),
    line(
        "via_port_replaced",
        b"Via: SIP/2.0/TCP 10.0.30.2 : 27901;branch=1",
        b"Via: SIP/2.0/TCP 64.100.0.10 : 4401;branch=1",
        APPARENT,
    ),
    line("via_default_port_of_tls", b"Via: SIP/2.0/tls 10.0.30.2", b"Via: SIP/2.0/tls 64.100.0.10:5091", SECURE),
    same_line("via_tls_is_not_5060", b"Via: SIP/2.0/TLS 10.0.30.2;branch=1", SIGNALLING),
    line(
        "via_received_is_looked_up_with_rport",
        b"Via: SIP/2.0/UDP example.com:5070;rport=27901;received=10.0.30.2",
        b"Via: SIP/2.0/UDP example.com:5070;rport=4401;received=64.100.0.10",
        APPARENT,
    ),
    line(
        "via_received_without_rport_value_is_looked_up_with_the_sent_by_port",
        b"Via: SIP/2.0/UDP example.com:27901;rport;received=10.0.30.2, SIP/2.0/UDP example.com;received=10.0.30.2",
        b"Via: SIP/2.0/UDP example.com:27901;rport;received=64.100.0.10, SIP/2.0/UDP example.com;received=10.0.30.2",
        APPARENT,
    ),
    line(
        "via_maddr_is_looked_up_with_the_sent_by_port",
        b"Via: SIP/2.0/UDP example.com:27901;maddr=10.0.30.2;rport=9",
        b"Via: SIP/2.0/UDP example.com:27901;maddr=64.100.0.10;rport=9",
        APPARENT,
    ),
    line(
        "via_rport_of_the_topmost_only",
        b"Via: SIP/2.0/UDP 10.0.30.2:27901;rport=27901, SIP/2.0/UDP 10.0.30.2:27901;rport=27901\r\n"
        b"Via: SIP/2.0/UDP 10.0.30.2:27901;rport=27901;received=10.0.30.2",
        b"Via: SIP/2.0/UDP 64.100.0.10:4401;rport=4401, SIP/2.0/UDP 64.100.0.10:4401;rport=27901\r\n"
        b"Via: SIP/2.0/UDP 64.100.0.10:4401;rport=27901;received=64.100.0.10",
        APPARENT,
    ),
    line(
        "via_rport_belongs_to_received",
        b"Via: SIP/2.0/UDP 10.0.30.2:27901;received=192.0.2.7;rport=27901",
        b"Via: SIP/2.0/UDP 64.100.0.10:4401;received=192.0.2.7;rport=27901",
        APPARENT,
    ),
    same_line("via_rport_without_mapping", b"Via: SIP/2.0/UDP 10.0.30.2:5062;rport=5062", APPARENT),
    Vector(
        "via_of_a_response_inward",
        APPARENT,
        "in",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 10.0.30.9;received=64.100.0.10;RPORT = 4401;branch=z9hG4bK1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 10.0.30.9;received=10.0.30.2;RPORT = 27901;branch=z9hG4bK1\r\n\r\n",
    ),
    Vector(
        "via_static_keeps_rport",
        STATIC,
        "in",
        b"SIP/2.0 100 Trying\r\nVia: SIP/2.0/TCP 64.100.0.10:5062;received=64.100.0.10;rport=5062\r\n\r\n",
        b"SIP/2.0 100 Trying\r\nVia: SIP/2.0/TCP 10.0.30.2:5062;received=10.0.30.2;rport=5062\r\n\r\n",
    ),
)
