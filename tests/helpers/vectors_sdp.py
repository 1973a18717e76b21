"""Examples: session descriptions (RFC 8866), RTCP attribute (RFC 3605), ICE candidates (RFC 8839)."""

from __future__ import annotations

from tests.helpers.vector import MEDIA, STATIC, Vector, offer, same_offer

BOTH = (("10.0.30.2", "64.100.0.10"), ("10.0.30.2:5004", "64.100.0.10:6004"))

ADDRESSES = (
    offer(
        "sdp_origin_and_connections",
        b"v=0\r\no=ann 1 2 IN IP4 10.0.30.2\r\ns=-\r\nc=IN IP4 10.0.30.2\r\nt=0 0\r\n"
        b"m=audio 5004 RTP/AVP 0\r\nc=IN IP4 10.0.30.2\r\nm=video 5006 RTP/AVP 31\r\nc=IN IP4 10.0.30.21\r\n",
        b"v=0\r\no=ann 1 2 IN IP4 64.100.0.10\r\ns=-\r\nc=IN IP4 64.100.0.10\r\nt=0 0\r\n"
        b"m=audio 5004 RTP/AVP 0\r\nc=IN IP4 64.100.0.10\r\nm=video 5006 RTP/AVP 31\r\n"
        b"c=IN IP4 10.0.30.21\r\n",
    ),
    offer(
        "sdp_inward",
        b"v=0\r\no=- 1 2 IN IP4 64.100.0.10\r\nc=IN IP4 64.100.0.10\r\n",
        b"v=0\r\no=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2\r\n",
        direction="in",
    ),
    offer(
        "sdp_lines_ended_by_lf_and_by_nothing",
        b"v=0\no=- 1 2 IN IP4 10.0.30.2\nc=IN IP4 10.0.30.2",
        b"v=0\no=- 1 2 IN IP4 64.100.0.10\nc=IN IP4 64.100.0.10",
    ),
    offer(
        "sdp_user_name_is_no_address",
        b"o=10.0.30.2 1 2 IN IP4 10.0.30.2\r\n",
        b"o=10.0.30.2 1 2 IN IP4 64.100.0.10\r\n",
    ),
    same_offer(
        "sdp_other_lines",
        b"s=10.0.30.2\r\ni=c=IN IP4 10.0.30.2\r\nu=http://10.0.30.2/\r\ne=ann@10.0.30.2\r\n"
        b"k=clear:10.0.30.2\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:10.0.30.2\r\n"
        b"a=x:IN IP4 10.0.30.2\r\n"
        b"a=source-filter: incl IN IP4 10.0.30.2 10.0.30.2\r\na=rtcp-fb:10.0.30.2\r\n",
    ),
    same_offer(
        "sdp_hold_and_multicast",
        b"c=IN IP4 0.0.0.0\r\nm=audio 5004 RTP/AVP 0\r\nc=IN IP4 224.2.17.12/127\r\n",
    ),
    same_offer("sdp_ip6", b"o=- 1 2 IN IP6 ::ffff:10.0.30.2\r\nc=IN IP6 ::ffff:10.0.30.2\r\n"),
    same_offer("sdp_lookalikes", b"c=IN IP4 110.0.30.2\r\nc=IN IP4 10.0.30.2.example.com\r\nc=IN IP4 10.0.30.02\r\n"),
    same_offer("sdp_odd_case", b"C=IN IP4 10.0.30.2\r\nc=in IP4 10.0.30.2\r\nc=IN ip4 10.0.30.2\r\n"),
    same_offer(
        "sdp_malformed_lines",
        b"o=- 1 IN IP4 10.0.30.2\r\no=- 1 2 3 IN IP4 10.0.30.2\r\no=-  1 2 IN IP4 10.0.30.2\r\n"
        b"c=IN IP4  10.0.30.2\r\n c=IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2 x\r\nc=IP4 10.0.30.2\r\n",
    ),
    same_offer(
        "sdp_malformed_ports",
        b"a=rtcp:x IN IP4 10.0.30.2\r\na=rtcp:65536 IN IP4 10.0.30.2\r\na=rtcp:5005 IN IP6 10.0.30.2\r\n"
        b"a=candidate:1 1 UDP 1 10.0.30.2 x typ host\r\n",
    ),
    offer(
        "sdp_several_ports_keep_their_number",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004/2 RTP/AVP 0\r\n",
        b"c=IN IP4 64.100.0.10\r\nm=audio 5004/2 RTP/AVP 0\r\n",
    ),
    offer(
        "sdp_connection_with_ttl",
        b"c=IN IP4 10.0.30.2/127\r\nc=IN IP4 10.0.30.2/127/3\r\n",
        b"c=IN IP4 64.100.0.10/127\r\nc=IN IP4 64.100.0.10/127/3\r\n",
    ),
    offer(
        "sdp_rtcp_address",
        b"m=audio 5004 RTP/AVP 0\r\na=rtcp:5005 IN IP4 10.0.30.2\r\na=rtcp:5005\r\n",
        b"m=audio 5004 RTP/AVP 0\r\na=rtcp:5005 IN IP4 64.100.0.10\r\na=rtcp:5005\r\n",
    ),
    offer(
        "sdp_candidates",
        b"a=candidate:10.0.30.2 1 UDP 2130706431 10.0.30.2 5004 typ host\r\n"
        b"a=candidate:2 1 UDP 1694498815 203.0.113.9 6004 typ srflx raddr 10.0.30.2 rport 5004\r\n"
        b"a=candidate:3 1 TCP 1 10.0.30.2 9 typ relay tcptype active raddr 10.0.30.2 rport 9 generation 0\r\n"
        b"a=remote-candidates:1 10.0.30.2 5004\r\n",
        b"a=candidate:10.0.30.2 1 UDP 2130706431 64.100.0.10 5004 typ host\r\n"
        b"a=candidate:2 1 UDP 1694498815 203.0.113.9 6004 typ srflx raddr 64.100.0.10 rport 5004\r\n"
        b"a=candidate:3 1 TCP 1 64.100.0.10 9 typ relay "
        b"tcptype active raddr 64.100.0.10 rport 9 generation 0\r\n"
        b"a=remote-candidates:1 10.0.30.2 5004\r\n",
    ),
    same_offer(
        "sdp_candidate_extensions_are_no_address",
        b"a=candidate:1 1 UDP 1 192.0.2.1 5004 typ host x 10.0.30.2 RADDR 10.0.30.2\r\n"
        b"a=candidate:1 1 UDP 1 10.0.30.2 5004 host typ\r\n",
    ),
)

MEDIA_PORTS = (
    same_offer("sdp_static_keeps_ports", b"c=IN IP4 192.0.2.9\r\nm=audio 5004 RTP/AVP 0\r\n"),
    offer(
        "sdp_media_port_and_session_connection",
        b"o=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"o=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\n",
        MEDIA,
    ),
    offer(
        "sdp_media_port_and_media_connection",
        b"c=IN IP4 192.0.2.9\r\nm=audio 5004 RTP/AVP 0\r\nm=audio 5004 RTP/AVP 0\r\nc=IN IP4 10.0.30.2\r\n",
        b"c=IN IP4 192.0.2.9\r\nm=audio 5004 RTP/AVP 0\r\nm=audio 6004 RTP/AVP 0\r\nc=IN IP4 64.100.0.10\r\n",
        MEDIA,
    ),
    offer(
        "sdp_media_ports_inward",
        b"c=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\na=rtcp:6005 IN IP4 64.100.0.10\r\n",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\na=rtcp:5005 IN IP4 10.0.30.2\r\n",
        MEDIA,
        "in",
    ),
    same_offer(
        "sdp_one_media_port_of_two_is_not_mapped",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\nm=video 5006 RTP/AVP 31\r\n",
        MEDIA,
    ),
    same_offer(
        "sdp_media_ports_go_to_different_addresses",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\nm=video 5006 RTP/AVP 31\r\n",
        (("10.0.30.2:5004", "64.100.0.10:6004"), ("10.0.30.2:5006", "64.100.0.11:6006")),
    ),
    offer(
        "sdp_rejected_media_does_not_count",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n",
        b"c=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n",
        MEDIA,
    ),
    same_offer("sdp_several_ports_stay", b"c=IN IP4 10.0.30.2\r\nm=audio 5004/2 RTP/AVP 0\r\n", MEDIA),
    same_offer("sdp_connection_without_media", b"c=IN IP4 10.0.30.2\r\nm=audio 0 RTP/AVP 0\r\n", MEDIA),
    offer(
        "sdp_rtcp_port_with_its_own_address",
        b"m=audio 5004 RTP/AVP 0\r\na=rtcp:5005 IN IP4 10.0.30.2\r\na=rtcp:5007 IN IP4 10.0.30.2\r\n",
        b"m=audio 5004 RTP/AVP 0\r\na=rtcp:6005 IN IP4 64.100.0.10\r\na=rtcp:5007 IN IP4 10.0.30.2\r\n",
        MEDIA,
    ),
    offer(
        "sdp_rtcp_port_with_the_connection_address",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\na=rtcp:5005\r\n",
        b"c=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\na=rtcp:6005\r\n",
        MEDIA,
    ),
    offer(
        "sdp_candidate_ports",
        b"a=candidate:1 1 UDP 1 10.0.30.2 5004 typ host\r\na=candidate:1 2 UDP 1 10.0.30.2 5007 typ host\r\n"
        b"a=candidate:2 1 UDP 1 203.0.113.9 5004 typ srflx raddr 10.0.30.2 rport 5005\r\n"
        b"a=candidate:2 1 UDP 1 203.0.113.9 5004 typ srflx raddr 10.0.30.2 rport 5007\r\n",
        b"a=candidate:1 1 UDP 1 64.100.0.10 6004 typ host\r\n"
        b"a=candidate:1 2 UDP 1 10.0.30.2 5007 typ host\r\n"
        b"a=candidate:2 1 UDP 1 203.0.113.9 5004 typ srflx raddr 64.100.0.10 rport 6005\r\n"
        b"a=candidate:2 1 UDP 1 203.0.113.9 5004 typ srflx raddr 10.0.30.2 rport 5007\r\n",
        MEDIA,
    ),
    offer(
        "sdp_port_and_address_mapping_together",
        b"o=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"o=- 1 2 IN IP4 64.100.0.10\r\nc=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\n",
        BOTH,
    ),
    offer(
        "sdp_session_connection_without_media_of_its_own",
        b"o=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2\r\nm=audio 5060 RTP/AVP 0\r\nc=IN IP4 10.0.30.3\r\n",
        b"o=- 1 2 IN IP4 10.0.30.2\r\nc=IN IP4 10.0.30.2\r\nm=audio 5060 RTP/AVP 0\r\nc=IN IP4 64.100.0.11\r\n",
        (("10.0.30.2:5060", "64.100.0.10:5080"), ("10.0.30.3", "64.100.0.11")),
    ),
)

NOT_READ = (
    Vector(
        "sdp_bytes_of_another_type",
        STATIC,
        "out",
        b"MESSAGE sip:example.com SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\n"
        b"c=IN IP4 10.0.30.2\r\n",
        b"MESSAGE sip:example.com SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\n"
        b"c=IN IP4 10.0.30.2\r\n",
    ),
    Vector(
        "sdp_bytes_without_type",
        STATIC,
        "out",
        b"MESSAGE sip:10.0.30.2 SIP/2.0\r\nContent-Length: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n",
        b"MESSAGE sip:64.100.0.10 SIP/2.0\r\nContent-Length: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n",
    ),
    Vector(
        "sdp_coded",
        STATIC,
        "out",
        b"INVITE sip:10.0.30.2 SIP/2.0\r\ne: gzip\r\nc: application/sdp\r\nl: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n",
        b"INVITE sip:64.100.0.10 SIP/2.0\r\ne: gzip\r\nc: application/sdp\r\nl: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n",
    ),
    Vector(
        "sdp_coded_as_itself",
        STATIC,
        "out",
        b"INVITE sip:a@example.com SIP/2.0\r\nContent-Encoding: Identity\r\nc:\r\n APPLICATION/Sdp ;"
        b"x=y\r\nl: 20\r\n\r\n"
        b"c=IN IP4 10.0.30.2\r\n",
        b"INVITE sip:a@example.com SIP/2.0\r\nContent-Encoding: Identity\r\nc:\r\n APPLICATION/Sdp ;"
        b"x=y\r\nl: 22\r\n\r\n"
        b"c=IN IP4 64.100.0.10\r\n",
    ),
    Vector(
        "first_content_type_counts",
        STATIC,
        "out",
        b"INVITE sip:a@example.com SIP/2.0\r\nc: text/plain\r\nc: application/sdp\r\nl: 20\r\n\r\n"
        b"c=IN IP4 10.0.30.2\r\n",
        b"INVITE sip:a@example.com SIP/2.0\r\nc: text/plain\r\nc: application/sdp\r\nl: 20\r\n\r\n"
        b"c=IN IP4 10.0.30.2\r\n",
    ),
)

SDP_VECTORS = (*ADDRESSES, *MEDIA_PORTS, *NOT_READ)
