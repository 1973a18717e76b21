"""Messages taken apart and put together again."""

from __future__ import annotations

import pytest

from harness.fuzz.specimen import SAMPLE_PORT, SAMPLE_TOKEN, Specimen, name_of, under

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n y\r\nl : 3\r\nTo: z\r\n\r\nabc"


def test_parts() -> None:
    """Folds stay with their field."""
    specimen = Specimen.of(MESSAGE)
    assert specimen == Specimen(b"OPTIONS sip:a SIP/2.0", (b"Via: x\r\n y", b"l : 3", b"To: z"), b"abc")
    assert specimen.honest


@pytest.mark.parametrize(
    "data",
    [
        MESSAGE,
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n\r\nx",
        b"x",
        b"x\r\n",
        b"\r\n\r\n" + MESSAGE,
        MESSAGE[:40],
        b"x\r\n\r\n\r\n\r\n",
    ],
)
def test_any_bytes_come_back(data: bytes) -> None:
    """Also what is no message."""
    assert Specimen.of(data).data == data


def test_empty_lines_before_belong_to_the_start() -> None:
    """They do not hide what follows."""
    specimen = Specimen.of(b"\r\n\r\n" + MESSAGE)
    assert specimen.start.startswith(b"\r\n\r\nOPTIONS")
    assert specimen.honest


@pytest.mark.parametrize(
    ("fields", "honest"),
    [
        ((b"Content-Length: 3",), True),
        ((b"content-length\t:  003 ",), True),
        ((b"Content-Length:\r\n 3",), True),
        ((b"Content-Length: 4",), False),
        ((b"Content-Length: 3", b"l: 3"), False),
        ((b"Content-Length: 3x",), False),
        ((), False),
    ],
)
def test_honest(fields: tuple[bytes, ...], honest: bool) -> None:
    """One length that is right, and no other."""
    assert Specimen(b"x", fields, b"abc").honest is honest


def test_an_honest_length_stays_honest() -> None:
    """And one that was not is left alone."""
    assert Specimen.of(MESSAGE).with_body(b"four").data.endswith(b"\r\nl : 4\r\nTo: z\r\n\r\nfour")
    liar = Specimen(b"x", (b"l: 9",), b"abc")
    assert liar.with_body(b"four").fields == (b"l: 9",)


def test_names() -> None:
    """In lower case, as written."""
    assert [name_of(each) for each in (b"Via: x", b"V :y", b"odd")] == [b"via", b"v", b"odd"]


def test_sent_under_another_identity() -> None:
    """Address and token change, and nothing else."""
    data = b"Via: 10.0.0.1:%d;branch=z9hG4bK%s\r\nc=IN IP4 10.0.0.1" % (SAMPLE_PORT, SAMPLE_TOKEN.encode())
    sent = under(data, "10.0.0.1", ("10.0.0.1", 40000), "f" * 16)
    assert sent == b"Via: 10.0.0.1:40000;branch=z9hG4bKffffffffffffffff\r\nc=IN IP4 10.0.0.1"
