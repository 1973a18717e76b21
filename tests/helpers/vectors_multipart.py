"""Examples: session descriptions inside multipart bodies (RFC 2046 5.1, RFC 5621)."""

from __future__ import annotations

from tests.helpers.vector import APPARENT, STATIC, Vector, in_offer

_SERVICE_BODY = (
    b"--boundary-1f\r\n"
    b"Content-Type: application/text\r\n"
    b"Content-Length: 88\r\n"
    b"\r\n"
    b"<methodCall><host>64.100.0.10</host><port>4401</port><x>sip:64.100.0.10</x></methodCall>\r\n"
    b"--boundary-1f\r\n"
    b"Content-Type: application/x-x509-ca-cert\r\n"
    b"\r\n"
    b"\x30\x82\x01\x0a\x00\xff64.100.0.10:4401\r\n"
    b"--boundary-1f--\r\n"
)


def _body(name: str, content_type: bytes, before: bytes, after: bytes, direction: str = "out") -> Vector:
    return Vector(name, STATIC, direction, in_offer(before, content_type), in_offer(after, content_type))


MULTIPART_VECTORS = (
    _body(
        "multipart_with_sdp_and_more",
        b"multipart/mixed;boundary=b1",
        b"preamble c=IN IP4 10.0.30.2\r\n"
        b"--b1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n\r\n"
        b"--b1  \r\nContent-Type: text/plain\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b1\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b1\r\ncontent-type : Application/SDP; x=y\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b1-- \r\n--b1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n--b1--\r\n",
        b"preamble c=IN IP4 10.0.30.2\r\n"
        b"--b1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 64.100.0.10\r\n\r\n"
        b"--b1  \r\nContent-Type: text/plain\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b1\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b1\r\ncontent-type : Application/SDP; x=y\r\n\r\nc=IN IP4 64.100.0.10\r\n"
        b"--b1-- \r\n--b1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n--b1--\r\n",
    ),
    _body(
        "multipart_quoted_boundary",
        b'Multipart/Mixed; charset=x ;\r\n Boundary = "a b\\"=1"',
        b'--a b"=1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n--a b"=1--',
        b'--a b"=1\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 64.100.0.10\r\n--a b"=1--',
    ),
    _body(
        "multipart_nested",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: multipart/alternative;boundary=bb\r\nContent-Length: 69\r\n\r\n"
        b"--bb\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n\r\n--bb--\r\n"
        b"\r\n--b--\r\n",
        b"--b\r\nContent-Type: multipart/alternative;boundary=bb\r\nContent-Length: 71\r\n\r\n"
        b"--bb\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 64.100.0.10\r\n\r\n--bb--\r\n"
        b"\r\n--b--\r\n",
    ),
    _body(
        "multipart_part_length_corrected_if_right",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Length :  20\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n\r\n"
        b"--b\r\nContent-Type: application/sdp\r\nContent-Length: 19\r\n\r\nc=IN IP4 10.0.30.2\r\n\r\n--b--",
        b"--b\r\nContent-Length :  22\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 64.100.0.10\r\n\r\n"
        b"--b\r\nContent-Type: application/sdp\r\nContent-Length: 19\r\n\r\nc=IN IP4 64.100.0.10\r\n\r\n"
        b"--b--",
    ),
    _body(
        "multipart_part_length_loses_a_digit",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: application/sdp\r\nContent-Length: 101\r\n\r\nc=IN IP4 64.100.0.10\r\ns="
        + b"x" * 75
        + b"\r\n\r\n--b--",
        b"--b\r\nContent-Type: application/sdp\r\nContent-Length: 99\r\n\r\nc=IN IP4 10.0.30.2\r\ns="
        + b"x" * 75
        + b"\r\n\r\n--b--",
        direction="in",
    ),
    _body(
        "multipart_last_part_without_delimiter",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n"
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n",
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 64.100.0.10\r\n"
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n",
    ),
    _body(
        "multipart_boundary_inside_a_line_or_longer",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: application/sdp\r\n\r\n"
        b"s=--b\r\nc=IN IP4 10.0.30.2\r\n--bx\r\n--b-\r\n --b\r\nc=IN IP4 10.0.30.2\r\n--b--",
        b"--b\r\nContent-Type: application/sdp\r\n\r\n"
        b"s=--b\r\nc=IN IP4 64.100.0.10\r\n--bx\r\n--b-\r\n --b\r\nc=IN IP4 64.100.0.10\r\n--b--",
    ),
    _body(
        "multipart_without_boundary_parameter",
        b"multipart/mixed",
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n--b--",
        b"--b\r\nContent-Type: application/sdp\r\n\r\nc=IN IP4 10.0.30.2\r\n--b--",
    ),
    _body(
        "multipart_coded_part",
        b"multipart/mixed;boundary=b",
        b"--b\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\nc=IN IP4 10.0.30.2\r\n--b--",
        b"--b\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\nc=IN IP4 10.0.30.2\r\n--b--",
    ),
    Vector(
        "service_request_with_apparent_route_inward",
        APPARENT,
        "in",
        b"SERVICE sip:serviceserver@cluster.example.com SIP/2.0\r\n"
        b"Via: SIP/2.0/TLS 192.0.2.20:7003;branch=z9hG4bK51;received=192.0.2.20;rport=7003\r\n"
        b"Call-ID: 51@64.100.0.10\r\n"
        b"From: <sip:serviceproxy@edge.example.com>;tag=51\r\n"
        b"To: <sip:serviceserver@cluster.example.com>\r\n"
        b"Route: <sip:64.100.0.10:4401;transport=tls;apparent;ds;lr>\r\n"
        b"Route: <sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>\r\n"
        b'Identity: "c2lwOjY0LjEwMC4wLjEwOjQ0MDE="\r\n'
        b"P-Asserted-Identity: <sip:serviceproxy@edge.example.com>\r\n"
        b"X-TAATag: 64.100.0.10:4401\r\n"
        b"Event: service\r\n"
        b"Content-Type: multipart/mixed;boundary=boundary-1f\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(_SERVICE_BODY), _SERVICE_BODY),
        b"SERVICE sip:serviceserver@cluster.example.com SIP/2.0\r\n"
        b"Via: SIP/2.0/TLS 192.0.2.20:7003;branch=z9hG4bK51;received=192.0.2.20;rport=7003\r\n"
        b"Call-ID: 51@64.100.0.10\r\n"
        b"From: <sip:serviceproxy@edge.example.com>;tag=51\r\n"
        b"To: <sip:serviceserver@cluster.example.com>\r\n"
        b"Route: <sip:10.0.30.2:27901;transport=tls;apparent;ds;lr>\r\n"
        b"Route: <sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>\r\n"
        b'Identity: "c2lwOjY0LjEwMC4wLjEwOjQ0MDE="\r\n'
        b"P-Asserted-Identity: <sip:serviceproxy@edge.example.com>\r\n"
        b"X-TAATag: 64.100.0.10:4401\r\n"
        b"Event: service\r\n"
        b"Content-Type: multipart/mixed;boundary=boundary-1f\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(_SERVICE_BODY), _SERVICE_BODY),
    ),
    Vector(
        "service_answer_outward",
        APPARENT,
        "out",
        b"SIP/2.0 408 Request Timeout\r\n"
        b"Via: SIP/2.0/TLS 192.0.2.20:7003;branch=z9hG4bK51;received=192.0.2.20;rport=7003\r\n"
        b"Record-Route: <sip:10.0.30.2:27901;transport=tls;lr>, <sip:10.0.30.2:5061;transport=tls;lr>\r\n"
        b'Warning: 399 10.0.30.2:27901 "Request Timeout"\r\n'
        b"Content-Length: 0\r\n\r\n",
        b"SIP/2.0 408 Request Timeout\r\n"
        b"Via: SIP/2.0/TLS 192.0.2.20:7003;branch=z9hG4bK51;received=192.0.2.20;rport=7003\r\n"
        b"Record-Route: <sip:64.100.0.10:4401;transport=tls;lr>, <sip:10.0.30.2:5061;transport=tls;lr>\r\n"
        b'Warning: 399 10.0.30.2:27901 "Request Timeout"\r\n'
        b"Content-Length: 0\r\n\r\n",
    ),
)
