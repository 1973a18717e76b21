"""Messages larger than the ALG may hold: they pass on unrewritten, and the next one is rewritten again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import Limits, Malformed
from tests.helpers.feed import OUT, UNMAPPED, Listener, alg_for, one_by_one, send, through
from tests.helpers.strategies import cuts, near_sip, streams
from tests.helpers.vector import STATIC

REQUEST = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nl: 0\r\n\r\n"
REQUEST_OUT = b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nl: 0\r\n\r\n"
LIMITS = Limits(max_header_bytes=len(REQUEST), max_body_bytes=5)


def header(*lines: bytes) -> bytes:
    """A header block that is longer than that of REQUEST."""
    return b"".join(line + b"\r\n" for line in (b"MESSAGE sip:10.0.30.2 SIP/2.0", *lines, b""))


OVER_LONG = [
    header(b"Subject: a longer one"),
    header(b"Subject: a longer one", b"Content-Length: 6") + b"sip:10",
    header(b"Content-Length: 5", b"Subject: a longer one") + b"\r\n\r\nx",
    header(b"L :  05 ", b"l: 5", b"Subject: a longer one", b"Content-LENGTH:5") + b"12345",
    header(b"Subject:", b" a longer one", b"Xl: 9", b"l-x: 9", b"X: l: 9", b"l", b" : 9"),
    header(b"Subject: a longer one", b"l:5", b" ") + b"12345",
    header(b"Subject: a longer one", b"l:", b" 5") + b"12345",
    header(b"Subject: a longer one", b"Content-Length", b" : 5"),
    header(b"Subject: " + b"x" * 9000, b"l: 5") + b"12345",
    header(b"Subject: a longer one", b"c: application/sdp", b"l: 20") + b"c=IN IP4 10.0.30.2\r\n",
    b"OPTIONS sip:10.0.30.2:" + b"0" * 60 + b" SIP/2.0\r\n\r\n",
    b"SIP/2.0 200 OK\r\nl: 6\r\n\r\n123456",
    b"SIP/2.0 200 OK\r\nl: 39\r\n\r\n" + REQUEST,
]


@pytest.mark.parametrize("message", OVER_LONG)
@pytest.mark.parametrize("piece_size", [1, 2, 3, 7, 40, 100000])
def test_over_long_message_passes_and_the_next_is_rewritten(message: bytes, piece_size: int) -> None:
    """One large message costs its own rewriting, never that of the one after it, whatever the segments."""
    stream = REQUEST + message + REQUEST + b"\r\n\r\n" + REQUEST
    expected = REQUEST_OUT + message + REQUEST_OUT + b"\r\n\r\n" + REQUEST_OUT
    pieces = [stream[place : place + piece_size] for place in range(0, len(stream), piece_size)]
    assert through(pieces, STATIC, "out", limits=LIMITS) == expected


@pytest.mark.parametrize("place", range(1, 72))
def test_over_long_message_in_two_segments(place: int) -> None:
    """Wherever a large header block is cut, with its Content-Length folded, the next message is rewritten."""
    message = header(b"Subject: a longer one", b"l:", b" 5") + b"12345"
    stream = message + REQUEST
    assert through([stream[:place], stream[place:]], STATIC, "out", limits=LIMITS) == message + REQUEST_OUT


@pytest.mark.parametrize("length", [b"5\r\n 6", b"5x", b"-5", b"", b"5\r\nl: 6"])
@pytest.mark.parametrize("piece_size", [1, 2, 3, 7, 40, 100000])
def test_over_long_message_whose_end_cannot_be_told(length: bytes, piece_size: int) -> None:
    """An over-long header block with a malformed Content-Length ends the rewriting, wherever TCP cuts."""
    stream = header(b"Subject: a longer one", b"l: " + length) + b"12345" + REQUEST
    pieces = [stream[place : place + piece_size] for place in range(0, len(stream), piece_size)]
    listener = Listener()
    assert send(alg_for(STATIC, limits=LIMITS).connection(sink=listener), OUT, pieces) == stream
    assert "Content-Length" in listener.noted()[-1][2]


def test_limits_are_inclusive() -> None:
    """A header block and a body of exactly the limits are rewritten, one byte more is not."""
    at_limit = b"SIP/2.0 200 10.0.30.2\r\nl: 5\r\nm:sip:10.0.30.2\r\n\r\n12345"
    limits = Limits(max_header_bytes=len(at_limit) - 5, max_body_bytes=5)
    rewritten = at_limit.replace(b"sip:10.0.30.2", b"sip:64.100.0.10")
    more_body = at_limit.replace(b"l: 5", b"l: 6") + b"6"
    more_header = at_limit.replace(b"200", b"200 ")
    stream = at_limit + more_body + more_header + at_limit
    for pieces in ([stream], one_by_one(stream)):
        out = through(pieces, STATIC, "out", limits=limits)
        assert out == rewritten + more_body + more_header + rewritten


def test_over_long_body_passes_as_it_comes() -> None:
    """A large body is not held: its sender does not wait for an end that may be far away."""
    connection = alg_for(STATIC, limits=LIMITS).connection()
    head = header(b"l: 1000000")
    assert connection.feed(OUT, head) == head
    assert connection.feed(OUT, b"sip:10.0.30.2 " * 100) == b"sip:10.0.30.2 " * 100
    assert connection.held(OUT) == 0


def test_over_long_header_passes_as_it_comes() -> None:
    """Once a header block is past the limit nothing of it is held any more."""
    connection = alg_for(STATIC, limits=LIMITS).connection()
    start = header(b"Subject: a longer one")[:-2]
    assert connection.feed(OUT, start) == start
    assert connection.feed(OUT, b"To: <sip:10.0.30.2>") == b"To: <sip:10.0.30.2>"
    assert connection.held(OUT) == 0


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (OVER_LONG[0], f"header block exceeds max_header_bytes {len(REQUEST)} (offset {len(REQUEST)})"),
        (OVER_LONG[-2], "body of 6 bytes exceeds max_body_bytes 5 (offset 24)"),
    ],
)
def test_reason_names_the_limit(message: bytes, reason: str) -> None:
    """The record says which limit, its value, and where in the stream the message is."""
    listener = Listener()
    send(alg_for(STATIC, limits=LIMITS).connection(sink=listener), OUT, [REQUEST + message + REQUEST])
    assert listener.noted() == [("passthrough", (len(REQUEST), len(REQUEST) + len(message)), reason)]
    assert [record.after for record in listener.messages] == [REQUEST_OUT, REQUEST_OUT]


def test_defaults_hold_a_large_message() -> None:
    """A body of a megabyte is rewritten unless limits say otherwise."""
    body = b"c=IN IP4 10.0.30.2\r\na=" + b"x" * 1_000_000
    head = b"INVITE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\nl: %d\r\n\r\n"
    expected = head % (len(body) + 2) + body.replace(b"10.0.30.2", b"64.100.0.10")
    stream = head % len(body) + body
    pieces = [stream[place : place + 1460] for place in range(0, len(stream), 1460)]
    assert through(pieces, STATIC, "out") == expected


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "byte by byte"])
def test_close_on_malformed_lets_large_messages_through(whole: bool) -> None:
    """A message past a limit is no fault: what comes before the fault leaves, whatever the segments."""
    before = OVER_LONG[-2] + REQUEST
    connection = alg_for(STATIC, limits=LIMITS, malformed=Malformed.CLOSE).connection()
    stream = before + b"\x00" + REQUEST
    assert send(connection, OUT, [stream] if whole else one_by_one(stream)) == OVER_LONG[-2] + REQUEST_OUT
    assert connection.must_close is not None
    assert "start line" in connection.must_close


small_limits = st.builds(Limits, st.integers(1, 200), st.integers(0, 60))
segmented_bytes = st.one_of(streams(), near_sip()).flatmap(lambda data: st.tuples(st.just(data), cuts(data)))


@given(segmented_bytes, small_limits)
def test_tiny_limits_lose_nothing(cut: tuple[bytes, list[bytes]], limits: Limits) -> None:
    """Whatever the limits no byte is lost, and where TCP cuts makes no difference to what is rewritten."""
    data, pieces = cut
    assert through(pieces, UNMAPPED, "out", limits=limits) == data
    whole = through([data], STATIC, "out", limits=limits)
    assert through(pieces, STATIC, "out", limits=limits) == whole
    assert through(one_by_one(data), STATIC, "out", limits=limits) == whole
