"""The framer by itself: what is a message, what passes, what is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import Limits
from alg.errors import LimitExceeded, SipSyntaxError
from alg.sip.framing import Framed, MessageFramer, Passed, begins_message
from tests.helpers.feed import one_by_one
from tests.helpers.strategies import cuts, near_sip, sip_messages, streams

MESSAGE = b"MESSAGE sip:a SIP/2.0\r\nc: text/plain\r\nl: 5\r\n\r\nhello"
KEEP_ALIVE = b"\r\n\r\n"


def frames_of(pieces: list[bytes], limits: Limits | None = None, synchronised: bool = True) -> list[Framed | Passed]:
    """What comes out for these pieces, and what is held at the end as one passed stretch."""
    framer = MessageFramer(limits or Limits(), synchronised)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    rest = framer.close()
    return [*frames, Passed(rest)] if rest else frames


def messages_of(frames: list[Framed | Passed]) -> list[bytes]:
    """The whole messages among them."""
    return [frame.data for frame in frames if isinstance(frame, Framed)]


def errors_of(frames: list[Framed | Passed]) -> list[str]:
    """The rules that were broken."""
    return [frame.error.rule for frame in frames if isinstance(frame, Passed) and frame.error]


@given(st.lists(sip_messages(), max_size=3), st.data())
def test_messages_come_out_one_by_one(messages: list[bytes], data: st.DataObject) -> None:
    """Every message of a stream is framed once, whole, wherever TCP cuts."""
    stream = b"".join(messages)
    assert messages_of(frames_of([stream])) == messages
    assert messages_of(frames_of(data.draw(cuts(stream)))) == messages
    assert messages_of(frames_of(one_by_one(stream))) == messages


@given(sip_messages())
def test_landmarks_point_at_what_they_name(message: bytes) -> None:
    """The body starts behind the empty line; every Content-Length is found, its digits saying the body's size."""
    (frame,) = frames_of([message])
    assert isinstance(frame, Framed)
    assert frame.data[: frame.body].endswith(b"\r\n\r\n")
    assert frame.data[: frame.body].find(b"\r\n\r\n") == frame.body - 4
    assert all(int(frame.data[start:stop]) == len(message) - frame.body for start, stop in frame.lengths)
    names = {frame.data[start:stop].rstrip(b" \t:").lower() for start, stop in frame.content}
    assert names <= {b"content-type", b"c", b"content-encoding", b"e"}


@given(st.one_of(st.binary(max_size=200), near_sip(), streams()), st.data())
def test_nothing_is_lost(stream: bytes, data: st.DataObject) -> None:
    """Messages and passed stretches are the stream again."""
    limits = data.draw(st.sampled_from([Limits(), Limits(30, 5), Limits(1, 0)]))
    synchronised = data.draw(st.booleans())
    frames = frames_of(data.draw(cuts(stream)), limits, synchronised)
    assert b"".join(frame.data for frame in frames) == stream
    assert all(frame.data for frame in frames)


def test_message_in_pieces_is_held() -> None:
    """Until its last byte has come a message is held, and the framer knows how much."""
    framer = MessageFramer(Limits())
    for count, piece in enumerate(one_by_one(MESSAGE[:-1]), start=1):
        assert framer.feed(piece) == []
        assert framer.held == count
        assert not framer.at_boundary
    (frame,) = framer.feed(MESSAGE[-1:])
    assert frame.data == MESSAGE
    assert framer.at_boundary


def test_keep_alives_are_not_held() -> None:
    """Line ends between messages pass at once; those inside one belong to it."""
    framer = MessageFramer(Limits())
    assert [frame.data for frame in framer.feed(KEEP_ALIVE + MESSAGE + b"\r" + MESSAGE[:8])] == [
        KEEP_ALIVE,
        MESSAGE,
        b"\r",
    ]
    assert framer.held == 8
    assert framer.feed(KEEP_ALIVE)[0].data == MESSAGE[:8] + KEEP_ALIVE, "a header block may not begin like this"


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (b"", 0),
        (b"Content-Length: 5\r\n", 5),
        (b"CONTENT-LENGTH\t:\t5 \r\n", 5),
        (b"l:5\r\n", 5),
        (b"L:\r\n  5\r\n", 5),
        (b"l: 5\r\n \r\n", 5),
        (b"l: 000000000000000000000000005\r\n", 5),
        (b"l: 5\r\nContent-Length: 05\r\n", 5),
        (b"x: y\r\n l: 3\r\nl: 5\r\n", 5),
        (b"xl: 3\r\ncontent-lengths: 3\r\nl-x: 3\r\n", 0),
        (b"Subject: l: 3\r\n", 0),
        (b"x: y\nl: 5\r\n", 5),
    ],
)
def test_content_length(lines: bytes, size: int) -> None:
    """The body is as long as Content-Length says in any of its spellings, and empty without one."""
    message = b"MESSAGE sip:a SIP/2.0\r\n" + lines + b"\r\nhello"[: 2 + size]
    for pieces in ([message + MESSAGE], one_by_one(message + MESSAGE)):
        assert messages_of(frames_of(pieces)) == [message, MESSAGE]


@pytest.mark.parametrize(
    "lines",
    [
        *(
            b"l: five\r\n",
            b"l: 5 5\r\n",
            b"l: 5,5\r\n",
            b"l: -5\r\n",
            b"l: +5\r\n",
            b"l: 5.0\r\n",
            b"l: 0x5\r\n",
            b"l:\r\n",
        ),
        *(b"l: 5\r\n 6\r\n", b"l: 5\r\nl: 6\r\n", b"l: 5;x\r\n", b"l: \xd9\xa5\r\n", b"l: 99999999999999999999\r\n"),
        *(b"l: 5\r\nContent-Length: x\r\n", b"l: 5\r \r\n"),
    ],
)
def test_length_in_doubt(lines: bytes) -> None:
    """Where the end of a message cannot be told nothing after it is framed, and the reason is Content-Length."""
    stream = MESSAGE + b"MESSAGE sip:a SIP/2.0\r\n" + lines + b"\r\nhello" + MESSAGE
    for pieces in ([stream], one_by_one(stream)):
        frames = frames_of(pieces)
        assert messages_of(frames) == [MESSAGE]
        assert errors_of(frames) == ["content-length"]


@pytest.mark.parametrize(
    "line",
    [
        *(b"INVITE sip:a SIP/2.0", b"invite sip:a sip/2.0", b"A b SIP/3.14", b"x.!%*_+`'~-1  sip:a   SIP/2.0 \t"),
        *(b"INVITE sip:a b c SIP/2.0", b"SIP/2.0 200 OK", b"SIP/2.0 200", b"SIP/2.0  200  OK", b"sip/7.0 9 \xff"),
        *(b"INVITE \xff SIP/2.0", b"INVITE " + b"x" * 500 + b" SIP/2.0"),
    ],
)
def test_start_line(line: bytes) -> None:
    """Any version and any method is SIP, with or without a reason phrase."""
    message = line + b"\r\n\r\n"
    for pieces in ([message], one_by_one(message)):
        assert messages_of(frames_of(pieces)) == [message]


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"INVITE sip:a SIP/2",
            b"INVITE sip:a HTTP/1.1",
            b"INVITE SIP/2.0",
            b"INVITE sip:aSIP/2.0",
            b"SIP/2.0 OK",
            b"SIP/2.0200",
        ),
        *(
            b"INV\tITE sip:a SIP/2.0",
            b"INVITE\tsip:a SIP/2.0",
            b" INVITE sip:a SIP/2.0",
            b"INV(ITE sip:a SIP/2.0",
            b"x",
            b"SIP/2.0",
        ),
        *(b"INVITE sip:a SIP/2.0 x", b"INVITE sip:a\rSIP/2.0", b"INVITE xSIP/2.0", b"\x16\x03\x01", b"\x00", b"\xff"),
    ],
)
def test_line_that_starts_no_message(line: bytes) -> None:
    """What is no SIP is not taken for SIP, in any segmentation."""
    stream = line + b"\r\n\r\n" + MESSAGE
    for pieces in ([stream], one_by_one(stream)):
        frames = frames_of(pieces)
        assert messages_of(frames) == []
        assert errors_of(frames) == ["start-line"]


@pytest.mark.parametrize(
    "first", [b"\x16", b"\x00", b"{", b"@", b"\xc3", b" ", b"INV\x01", b"GET/", b"INVITE\t", b"SIP/x"]
)
def test_bytes_that_cannot_become_a_start_line_are_not_held(first: bytes) -> None:
    """Another protocol is passed on with the first byte that gives it away."""
    framer = MessageFramer(Limits())
    (frame,) = framer.feed(first)
    assert isinstance(frame, Passed)
    assert isinstance(frame.error, SipSyntaxError)
    assert framer.lost
    assert framer.held == 0
    assert framer.feed(MESSAGE) == [Passed(MESSAGE)]


def test_only_the_first_piece_of_a_stretch_has_the_reason() -> None:
    """One fault is one record."""
    framer = MessageFramer(Limits(max_body_bytes=3))
    (first,) = framer.feed(MESSAGE[:-2])
    assert isinstance(first, Passed)
    assert isinstance(first.error, LimitExceeded)
    assert framer.feed(MESSAGE[-2:]) == [Passed(MESSAGE[-2:])]
    assert framer.at_boundary


def test_body_limit_is_noticed_with_the_header() -> None:
    """A body that is announced as too long is not waited for."""
    framer = MessageFramer(Limits(max_body_bytes=4))
    (frame,) = framer.feed(MESSAGE[:-5])
    assert isinstance(frame, Passed)
    assert str(frame.error) == f"body of 5 bytes exceeds max_body_bytes 4 (offset {len(MESSAGE) - 5})"


def test_header_limit_is_noticed_at_once() -> None:
    """A header block without an end is held up to the limit and no byte further."""
    framer = MessageFramer(Limits(max_header_bytes=30))
    assert framer.feed(MESSAGE[:30]) == []
    (frame,) = framer.feed(MESSAGE[30:31])
    assert isinstance(frame, Passed)
    assert frame.data == MESSAGE[:31]
    assert str(frame.error) == "header block exceeds max_header_bytes 30 (offset 30)"


@pytest.mark.parametrize("piece", [b"llo\r\n" + MESSAGE, MESSAGE[:-12], b"\r\n", b"", MESSAGE[:-12] + b"\r\n"])
def test_framer_that_starts_in_mid_stream(piece: bytes) -> None:
    """Bytes pass until a piece begins with a whole header block; from there on messages are framed."""
    framer = MessageFramer(Limits(), synchronised=False)
    assert [frame for frame in framer.feed(piece) if isinstance(frame, Framed)] == []
    assert framer.held == 0
    (frame,) = framer.feed(MESSAGE)
    assert isinstance(frame, Framed)
    assert framer.feed(MESSAGE[:3]) == []


@pytest.mark.parametrize(
    ("data", "begins"),
    [
        (MESSAGE, True),
        (b"SIP/2.0 200 OK\r\n\r\n", True),
        (b"SERVICE sip:a SIP/2.0\r\nl: 9\r\n\r\n", True),
        (MESSAGE[:-8], False),
        (b"\r\n" + MESSAGE, False),
        (b"S" + MESSAGE, False),
        (MESSAGE[1:], False),
        (b"NEWMETHOD sip:a SIP/2.0\r\n\r\n", False),
        (b"invite sip:a SIP/2.0\r\n\r\n", False),
        (b"", False),
    ],
)
def test_what_certainly_begins_a_message(data: bytes, begins: bool) -> None:
    """In mid-stream only a known method or a status, with its whole header block, is taken for a beginning."""
    assert begins_message(data) is begins
    assert begins_message(b"xyz" + data, 3) is begins


def test_framer_in_mid_stream_holds_the_body_it_expects() -> None:
    """A whole header block is enough to begin with: its body may come later."""
    framer = MessageFramer(Limits(), synchronised=False)
    assert framer.feed(b"\r\n" + MESSAGE[:-2]) == [Passed(b"\r\n")]
    assert [frame.data for frame in framer.feed(MESSAGE[-2:])] == [MESSAGE]


def test_long_messages_byte_by_byte_take_linear_time() -> None:
    """A slow sender of a large message does not slow the ALG down: no byte is searched again and again."""
    body = b"x" * 300_000
    message = b"MESSAGE sip:a SIP/2.0\r\nSubject: " + b"y" * 30_000 + b"\r\nl: %d\r\n\r\n" % len(body) + body
    framer = MessageFramer(Limits())
    head = one_by_one(message[:30_100])
    pieces = head + [message[place : place + 100] for place in range(30_100, len(message), 100)]
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert [frame.data == message for frame in frames] == [True]
