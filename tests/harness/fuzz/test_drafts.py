"""Messages before they grow, built in and out of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.drafts import METHODS, Body, Sender, Template, built_in
from harness.fuzz.growing import PLACES, grow, natural
from tests.harness.fuzz.messages import HERE, SENDER, content_length, split

OTHER = Sender(("192.0.2.9", 1), "fedcba9876543210")

TEMPLATE = """\
INVITE sip:bob@192.0.2.7 SIP/2.0
v: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKold;rport
Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKolder
f: "Alice; tag=no" <sip:alice@192.0.2.1>;tag=old
To: <sip:bob@192.0.2.7>
Subject: a
 folded line
i: old-call@192.0.2.1
CSeq: 7 INVITE
Content-Length: 999
c: application/sdp

v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 4000 RTP/AVP 0
"""


def template(tmp_path: Path, text: str) -> Template:
    """A template out of a file."""
    path = tmp_path / "template.sip"
    path.write_text(text, newline="")
    return Template(str(path))


@pytest.mark.parametrize("method", METHODS)
def test_a_built_in_request_says_who_sends_it(method: str) -> None:
    """Address and token are in the places where RFC 3261 wants them, and the length is right."""
    message = natural(built_in(method, "sip:far.example.com", Body.PLAIN, SENDER))
    lines = message.split(b"\r\n")
    assert lines[0] == f"{method} sip:far.example.com SIP/2.0".encode()
    assert b"Via: SIP/2.0/TCP 127.0.0.1:54321;branch=z9hG4bK0123456789abcdef" in lines
    assert b"From: <sip:sipalg@127.0.0.1>;tag=0123456789abcdef" in lines
    assert b"Call-ID: 0123456789abcdef" in lines
    assert f"CSeq: 1 {method}".encode() in lines
    assert content_length(message) == len(split(message)[1])


def test_over_tls_via_says_so() -> None:
    """The transport in Via is the one that is used (RFC 3261 18.1.1)."""
    secure = Sender(HERE, SENDER.token, secure=True)
    assert b"\r\nVia: SIP/2.0/TLS " in natural(built_in("OPTIONS", "sip:x", Body.PLAIN, secure))
    assert b";transport=tls>" in natural(built_in("INVITE", "sip:x", Body.PLAIN, secure))


def test_a_template_gets_another_identity(tmp_path: Path) -> None:
    """Branch, tag, Call-ID and Content-Length are ours; every other byte is the file's, folds and compact names too."""
    lines = TEMPLATE.replace("\n", "\r\n")
    message = natural(template(tmp_path, lines).draft(None, OTHER)).decode()
    expected = (
        lines.replace("branch=z9hG4bKold;", "branch=z9hG4bKfedcba9876543210;")
        .replace(";tag=old", ";tag=fedcba9876543210")
        .replace("i: old-call@192.0.2.1", "i: fedcba9876543210")
        .replace("Content-Length: 999\r\n", "")
    )
    body = lines.partition("\r\n\r\n")[2]
    assert message == expected.replace("\r\n\r\n", f"\r\nContent-Length: {len(body)}\r\n\r\n", 1)


def test_a_template_may_have_the_line_ends_of_an_editor(tmp_path: Path) -> None:
    """A file without any CRLF is taken to mean CRLF."""
    unix, network = (
        natural(template(tmp_path, text).draft(None, OTHER)) for text in (TEMPLATE, TEMPLATE.replace("\n", "\r\n"))
    )
    assert unix == network


def test_the_request_uri_of_a_template_can_be_replaced(tmp_path: Path) -> None:
    """--uri wins over the file."""
    made = natural(template(tmp_path, TEMPLATE).draft("sip:carol@192.0.2.8", OTHER))
    assert made.startswith(b"INVITE sip:carol@192.0.2.8 SIP/2.0\r\n")


def test_a_display_name_that_looks_like_a_tag_is_left_alone(tmp_path: Path) -> None:
    """Only the tag of From is replaced, not what a person is called."""
    assert b'f: "Alice; tag=no" <' in natural(template(tmp_path, TEMPLATE).draft(None, OTHER))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SIP/2.0 200 OK\r\n\r\n", "no request line"),
        ("OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/TCP x;branch=y\nTo: x\nCall-ID: x\nCSeq: 1 OPTIONS\n\n", "no from field"),
        ("", "no request line"),
    ],
)
def test_a_file_that_is_no_request(tmp_path: Path, text: str, complaint: str) -> None:
    """The complaint names the option, the file and what is missing."""
    with pytest.raises(ConfigError, match=rf"^--method .*template\.sip: .*{complaint}"):
        template(tmp_path, text)


def test_a_missing_file() -> None:
    """Neither a method nor a file."""
    with pytest.raises(ConfigError, match=r"^--method OPTION: No such file"):
        Template("OPTION")


def test_a_multipart_template_grows_by_a_part(tmp_path: Path) -> None:
    """The new part stands behind the others, delimited by the file's own boundary (RFC 2046 5.1.1)."""
    body = '--"x"\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--"x"--\r\n'.replace('"x"', "a b")
    head = TEMPLATE.partition("\n\n")[0].replace("application/sdp", 'multipart/mixed; Boundary="a b"')
    found = template(tmp_path, head.replace("\n", "\r\n") + "\r\n\r\n" + body)
    assert found.body is Body.MULTIPART
    message = grow(found.draft(None, OTHER), PLACES["multipart"], 1000, OTHER.address)
    parts = split(message)[1].split(b"--a b")
    assert [part[:32].strip() for part in parts[1:]] == [
        b"Content-Type: application/sdp",
        b"Content-Type: text/plain\r\n\r\nab",
        b"--",
    ]


def test_a_multipart_template_without_its_end(tmp_path: Path) -> None:
    """Nothing can be added in front of a delimiter that is not there."""
    head = TEMPLATE.partition("\n\n")[0].replace("application/sdp", "multipart/mixed;boundary=b")
    with pytest.raises(ConfigError, match="no closing delimiter"):
        template(tmp_path, head + "\n\n--b\n\nx\n").draft(None, OTHER)
