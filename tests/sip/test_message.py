"""Messages as people read them: fields and summaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.sip.message import field_value, header_fields, summarise
from tests.helpers.strategies import near_sip, sip_messages

MESSAGE = (
    b"INVITE sip:a SIP/2.0\r\n"
    b"Via : a \r\n"
    b"TO:\r\n <sip:b>\r\n\t;tag=1 \r\n"
    b"no field\r\n"
    b"Empty:\r\n"
    b"i: one@host\r\n"
    b"Call-ID: two@host\r\n"
    b"CSeq:  7 \r\n  INVITE\r\n"
    b"\r\n"
    b"Body: x\r\n"
)


def test_fields_with_their_places() -> None:
    """Each field is found with its folds; a line without a colon and the body are none."""
    fields = [(entry.name, MESSAGE[entry.value : entry.stop]) for entry in header_fields(MESSAGE)]
    assert fields == [
        (b"Via", b"a"),
        (b"TO", b"<sip:b>\r\n\t;tag=1"),
        (b"Empty", b""),
        (b"i", b"one@host"),
        (b"Call-ID", b"two@host"),
        (b"CSeq", b"7 \r\n  INVITE"),
    ]
    assert all(MESSAGE[entry.start :].startswith(entry.name) for entry in header_fields(MESSAGE))


def test_field_value_is_unfolded() -> None:
    """The first field of the name counts, in whichever form, on one line."""
    assert field_value(MESSAGE, b"call-id", b"i") == b"one@host"
    assert field_value(MESSAGE, b"to") == b"<sip:b> ;tag=1"
    assert field_value(MESSAGE, b"empty") == b""
    assert field_value(MESSAGE, b"body") is None


def test_summary_of_a_request() -> None:
    """A request is told by its method, its Call-ID and its CSeq."""
    summary = summarise(MESSAGE)
    assert (summary.method, summary.status, summary.call_id, summary.cseq) == ("INVITE", None, "one@host", "7 INVITE")
    assert (summary.title, summary.cseq_method) == ("INVITE", "INVITE")


@pytest.mark.parametrize(
    ("line", "status"),
    [(b"SIP/2.0 200 OK", 200), (b"sip/2.0   100", 100), (b"SIP/2.0 4294967301 x", 429496730), (b"SIP/3.1 6", 6)],
)
def test_summary_of_a_response(line: bytes, status: int) -> None:
    """A response is told by its status code, odd ones included."""
    summary = summarise(line + b"\r\nCSeq: 1 BYE\r\n\r\n")
    assert (summary.method, summary.status, summary.title, summary.cseq_method) == (None, status, str(status), "BYE")


def test_summary_of_what_is_missing_or_no_text() -> None:
    """A message without Call-ID, or with bytes that are no text, can be listed all the same."""
    summary = summarise(b"M\xff sip:a SIP/2.0\r\ni: \xff\r\n\r\n")
    assert (summary.method, summary.call_id, summary.cseq, summary.cseq_method) == ("M\ufffd", "\ufffd", "", "")


@given(st.one_of(st.binary(max_size=200), near_sip()))
def test_any_bytes_have_a_summary(data: bytes) -> None:
    """Whatever the bytes, listing them raises nothing, and fields lie within them in order."""
    summarise(data)
    last = 0
    for entry in header_fields(data):
        assert last <= entry.start < entry.value <= entry.stop <= len(data)
        last = entry.stop


@given(sip_messages())
def test_fields_of_a_message_are_in_its_header_block(message: bytes) -> None:
    """No field is read out of a body."""
    end = message.index(b"\r\n\r\n")
    assert all(entry.start < end for entry in header_fields(message))
