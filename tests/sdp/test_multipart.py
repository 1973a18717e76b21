"""Where session descriptions are found in a body, and which lengths go with them."""

from __future__ import annotations

import pytest
from hypothesis import given

from alg.config import Limits
from alg.sdp.multipart import sdp_bodies
from alg.sip.framing import Framed, MessageFramer
from tests.helpers.strategies import near_sip
from tests.helpers.vector import in_offer

SDP = b"v=0\r\nc=IN IP4 10.0.30.2\r\n"


def framed(message: bytes) -> Framed:
    """A whole message as the framer gives it."""
    (frame,) = MessageFramer(Limits()).feed(message)
    assert isinstance(frame, Framed)
    return frame


def found(body: bytes, content_type: bytes) -> list[tuple[bytes, list[bytes]]]:
    """Each session description, with the digits of the part lengths around it, outermost first."""
    message = framed(in_offer(body, content_type))
    return [
        (message.data[entry.start : entry.stop], [message.data[slice(*part.digits)] for part in entry.enclosing])
        for entry in sdp_bodies(message)
    ]


def part(content: bytes, content_type: bytes = b"application/sdp", *lines: bytes) -> bytes:
    """One part of a multipart."""
    return b"Content-Type: " + content_type + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + content


def multipart(*parts: bytes, boundary: bytes = b"b") -> bytes:
    """The parts between their delimiters."""
    return b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in parts) + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize(
    "content_type",
    [
        *(b"application/sdp", b"Application/SDP", b"application/sdp;charset=utf-8", b" application / sdp ; x=y"),
        *(b"application/sdp \r\n ;x=y", b"application\r\n /sdp", b"application/sdp\t"),
    ],
)
def test_body_that_is_a_session_description(content_type: bytes) -> None:
    """However the type is spelt, the whole body is the session description."""
    assert found(SDP, content_type) == [(SDP, [])]


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain",
        b"application/sdpx",
        b"xapplication/sdp",
        b"application/xml;x=application/sdp",
        b"",
        b"application",
        b"sdp",
    ],
)
def test_body_that_is_none(content_type: bytes) -> None:
    """Other types are not looked into."""
    assert found(SDP, content_type) == []


@pytest.mark.parametrize(
    ("encoding", "looked_into"), [(b"gzip", False), (b"identity", True), (b"IDENTITY ", True), (b"", True)]
)
@pytest.mark.parametrize("name", [b"Content-Encoding", b"e", b"E "])
def test_compressed_body(name: bytes, encoding: bytes, looked_into: bool) -> None:
    """A compressed body is left alone, whichever header comes first."""
    for lines in ([name + b": " + encoding, b"c: application/sdp"], [b"c: application/sdp", name + b": " + encoding]):
        message = framed(b"INVITE sip:a SIP/2.0\r\n" + b"\r\n".join(lines) + b"\r\nl: %d\r\n\r\n" % len(SDP) + SDP)
        assert bool(sdp_bodies(message)) is looked_into


def test_parts() -> None:
    """Every part that is a session description is found, with its own length if it has one that is right."""
    body = multipart(
        part(b"x", b"text/plain"),
        part(SDP),
        part(SDP, b"application/sdp", b"Content-Length: %d" % len(SDP)),
        part(SDP, b"application/sdp", b"Content-Length: 7"),
        b"\r\n" + SDP,
    )
    assert found(body, b"multipart/mixed;boundary=b") == [(SDP, []), (SDP, [b"%d" % len(SDP)]), (SDP, [])]


@pytest.mark.parametrize(
    "parameter",
    [
        b";boundary=b",
        b' ; x=y; Boundary = "b"',
        b';\r\n boundary="\\b"',
        b";boundary=b;charset=x",
        b';x="y";boundary=b',
    ],
)
def test_spellings_of_the_boundary(parameter: bytes) -> None:
    """The boundary is found bare, quoted, escaped, folded, in any case, among other parameters."""
    assert found(multipart(part(SDP)), b"multipart/mixed" + parameter) == [(SDP, [])]


@pytest.mark.parametrize(
    "parameter", [b"", b";boundary=", b';boundary=""', b";xboundary=b", b";boundary=c", b'; x="boundary=b"']
)
def test_boundary_that_is_none(parameter: bytes) -> None:
    """Without its boundary a multipart cannot be read, so it stays."""
    assert found(multipart(part(SDP)), b"multipart/mixed" + parameter) == []


def test_nested_parts_know_all_their_lengths() -> None:
    """A description three levels deep is found with the lengths of all parts around it."""
    inner = multipart(part(SDP, b"application/sdp", b"Content-Length: %d" % len(SDP)), boundary=b"c")
    outer = part(inner, b"multipart/alternative;boundary=c", b"content-length : %d " % len(inner))
    assert found(multipart(outer), b"multipart/mixed;boundary=b") == [(SDP, [b"%d" % len(inner), b"%d" % len(SDP)])]


def test_nesting_ends_somewhere() -> None:
    """A hostile nest of a hundred multiparts raises nothing; what is too deep is left alone."""
    body, content_type = SDP, b"application/sdp"
    for level in range(100):
        boundary = b"b%dx" % level
        body, content_type = (
            multipart(part(body, content_type), boundary=boundary),
            b"multipart/mixed;boundary=" + boundary,
        )
    assert found(body, content_type) == []


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n" + part(SDP),
        b"--b\r\n" + part(SDP) + b"\r\n--bx--\r\n",
        b"--b--\r\n--b\r\n" + part(SDP) + b"\r\n--b--",
        b"x--b\r\n" + part(SDP) + b"\r\n--b--",
        b"--b\n" + part(SDP) + b"\r\n--b--",
        b"--b\r\n" + part(SDP).replace(b"\r\n\r\n", b"\r\n") + b"--b--",
    ],
)
def test_part_without_beginning_or_end(body: bytes) -> None:
    """A part is one only between two delimiter lines, before the closing one."""
    assert found(body, b"multipart/mixed;boundary=b") == []


@pytest.mark.parametrize(
    ("encoding", "looked_into"),
    [(b"7bit", True), (b"8BIT", True), (b"binary", True), (b"base64", False), (b"quoted-printable", False)],
)
def test_encoded_part(encoding: bytes, looked_into: bool) -> None:
    """A part in base64 is left alone."""
    body = multipart(part(SDP, b"application/sdp", b"Content-Transfer-Encoding: " + encoding))
    assert bool(found(body, b"multipart/mixed;boundary=b")) is looked_into


def test_compact_names_are_no_names_in_a_part() -> None:
    """`c:` in a part is a MIME header field that nobody knows."""
    assert found(multipart(b"c: application/sdp\r\n\r\n" + SDP), b"multipart/mixed;boundary=b") == []


@given(near_sip())
def test_any_body_can_be_looked_into(stream: bytes) -> None:
    """Damaged bodies raise nothing, and what is found lies in the body, in order."""
    for frame in MessageFramer(Limits()).feed(stream):
        if isinstance(frame, Framed):
            last = frame.body
            for entry in sdp_bodies(frame):
                assert last <= entry.start <= entry.stop <= len(frame.data)
                last = entry.stop
                assert all(int(frame.data[slice(*p.digits)]) == p.body[1] - p.body[0] for p in entry.enclosing)
