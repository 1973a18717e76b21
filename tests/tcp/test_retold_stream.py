"""Where a captured byte stood on the other side of the ALG."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from alg.direction import Direction
from alg.sip.framing import Framed
from alg.tcp.packet import TcpSegment
from alg.tcp.retold_stream import REMEMBERED, RetoldStream
from alg.trace import AnyRecord, MessageRecord, Record, Sink, StreamRecord
from tests.tcp.endpoint import write
from tests.tcp.network import INSIDE, OUTSIDE
from tests.tcp.rewriter import GROWTH, LineRewriter, rewritten

ORIGIN = 2**32 - 5


def ignore(record: AnyRecord) -> None:
    """Nobody listens."""


def stream() -> RetoldStream:
    """An outward one, from its SYN on."""
    one = RetoldStream(Direction.OUTWARD, Direction.OUTWARD, lambda way, sink: LineRewriter(), ignore)
    one.origin = ORIGIN
    return one


def segment(payload: bytes = b"", at: int = 0, ack: int = 0, window: int = 5000) -> TcpSegment:
    """A segment of the other direction, or of this one."""
    return TcpSegment(
        write((OUTSIDE, INSIDE), (5060, 40000), at, (ORIGIN + ack) % 2**32, 16, window, b"", payload),
    )


def test_a_message_that_grew() -> None:
    """Its parts stay as long as they are, the last one has the growth."""
    one = stream()
    one.feed(b"t\ngabc\nt\n", 0.0)
    assert [one.outgoing(offset) for offset in range(10)] == [0, 1, 2, 3, 4, 5, 6, 25, 26, 27]
    assert one.written == 27


def test_a_message_that_shrank() -> None:
    """What it has not any more stands at its end."""
    one = stream()
    one.feed(b"t\nsabcde\nt\n", 0.0)
    assert [one.outgoing(offset) for offset in range(12)] == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8]


def test_what_has_not_left() -> None:
    """All of it stands where the next byte will."""
    one = stream()
    one.feed(b"t\ngab", 0.0)
    assert [one.outgoing(offset) for offset in range(1, 9)] == [1, 2, 2, 2, 2, 2, 2, 2]
    assert one.held == 3
    one.feed(b"\n", 0.0)
    assert [one.outgoing(offset) for offset in range(1, 8)] == [1, 2, 3, 4, 5, 24, 24]


def test_behind_the_end() -> None:
    """The FIN is a byte."""
    one = stream()
    one.fin_at = 5
    one.feed(b"ga\ngb", 0.0)
    assert one.ended
    assert [one.outgoing(offset) for offset in (4, 5, 6)] == [22, 23, 24]


@given(
    st.lists(st.sampled_from([b"g", b"G", b"s", b"t", b"p"]).map(lambda kind: kind + b"xyz\n"), max_size=6), st.data()
)
def test_the_map_of_numbers(messages: list[bytes], data: st.DataObject) -> None:
    """However the bytes come, it never goes back, and whole messages stand where they left."""
    text = b"".join(messages)
    one, at = stream(), 0
    while at < len(text):
        size = data.draw(st.integers(1, len(text) - at))
        one.feed(text[at : at + size], 0.0)
        at += size
    numbers = [one.outgoing(offset) for offset in range(len(text) + 1)]
    assert numbers == sorted(numbers)
    for count in range(len(messages) + 1):
        before = b"".join(messages[:count])
        assert one.outgoing(len(before)) == len(rewritten(before))
    assert one.bytes_of((0, one.written)) == rewritten(text)


def test_an_acknowledgment() -> None:
    """What it says, whether that is news, and whether it stands for nothing."""
    one = stream()
    one.feed(b"ga\ngb", 0.0)
    answers = [one.answer(segment(ack=offset)) for offset in (0, 0, 3, 4, 5, 5)]
    assert [(answer.ack - ORIGIN) % 2**32 for answer in answers] == [0, 0, 21, 21, 21, 21]
    assert [answer.news for answer in answers] == [True, False, True, False, False, False]
    assert [answer.void for answer in answers] == [False, True, False, True, True, True]
    one.feed(b"\n", 0.0)
    assert [one.answer(segment(ack=offset)).void for offset in (6, 6)] == [False, False]


def test_a_window() -> None:
    """Void as what comes with it, unless it has moved of itself and is not the one told; news if it opens."""
    one = stream()
    one.feed(b"ga\ngb", 0.0)
    one.answer(segment(ack=3))
    assert one.answer(segment(ack=3, window=4000)).void
    one.window = 5000
    answers = [one.answer(segment(ack=ack, window=window)) for ack, window in ((3, 0), (3, 0), (5, 9), (5, 5000))]
    assert [answer.void for answer in answers] == [False, True, True, True]
    one.window = 0
    answers = [one.answer(segment(ack=ack, window=window)) for ack, window in ((4, 9), (4, 9), (4, 0), (4, 0))]
    assert [(answer.news, answer.void) for answer in answers] == [(True, False)] * 2 + [(False, True)] * 2


def test_what_the_receiver_has() -> None:
    """All before its acknowledgment; all that came, where none was seen."""
    one = stream()
    one.feed(b"ga\ng", 0.0)
    assert [one.settled(offset) for offset in (3, 4)] == [True, False]
    one.acknowledge((ORIGIN + 3) % 2**32)
    assert [one.settled(offset) for offset in (2, 3)] == [True, False]


def test_what_is_remembered() -> None:
    """So many bytes of it, and the numbers that go with them; the rest is forgotten."""
    one = stream()
    line = b"g" + bytes(997) + b"\n"
    grown = len(GROWTH) + len(line)
    count = REMEMBERED // grown + 10
    for _ in range(count):
        one.feed(line, 0.0)
        one.settle()
    assert one.written == count * grown
    assert one.bytes_of((0, 10)) == b""
    assert one.bytes_of((one.written - REMEMBERED - 5, one.written - REMEMBERED + 5)) == one.bytes_of(
        (one.written - REMEMBERED, one.written - REMEMBERED + 5)
    )
    assert len(one.bytes_of((0, one.written))) == REMEMBERED
    assert one.outgoing((count - 5) * len(line)) == (count - 5) * grown
    assert len(one._deltas) < count


def test_giving_up() -> None:
    """What was held leaves as it is; from there on the numbers stay as far apart as they are."""
    one = stream()
    one.feed(b"ga\ngb", 0.0)
    assert one.give_up() == b"gb"
    assert (one.passing, one.held, one.written) == (True, 0, 23)
    assert [one.outgoing(offset) for offset in (5, 9, 1000)] == [23, 27, 1018]
    one.pass_by(9, segment(b"xyz"))
    assert (one.received, one.written) == (12, 30)
    one.take_up(12)
    one.feed(b"gc\n", 0.0)
    assert [one.outgoing(offset) for offset in (12, 14, 15)] == [30, 32, 51]


def test_records_from_mid_stream() -> None:
    """They count from where the connection began, on both sides."""
    sinks: list[Sink] = []
    records: list[AnyRecord] = []

    def connect(direction: Direction, sink: Sink) -> LineRewriter:
        sinks.append(sink)
        return LineRewriter()

    one = RetoldStream(Direction.INWARD, Direction.OUTWARD, connect, records.append)
    one.origin = ORIGIN
    one.feed(b"ga\n", 0.0)
    one.give_up()
    one.take_up(3)
    framed = Framed(b"OPTIONS sip:x SIP/2.0\r\n\r\n", 25, [], [])
    sinks[1](MessageRecord(Direction.OUTWARD, 7, 8, framed.data, framed, ()))
    sinks[1](StreamRecord(Direction.OUTWARD, Record("hold", (33, 40), b"", b"", "why")))
    message, hold = records
    assert isinstance(message, MessageRecord)
    assert isinstance(hold, StreamRecord)
    assert (message.direction, message.offset_in, message.offset_out) == (Direction.INWARD, 10, 29)
    assert (hold.direction, hold.record.span) == (Direction.INWARD, (36, 43))
    assert one.about(29, 30) == one.about(53, 60) == (message,)
    assert one.about(0, 29) == one.about(54, 60) == ()


def test_where_a_passing_direction_can_be_taken_up() -> None:
    """Where new bytes follow on those that the receiver has said to have."""
    one = RetoldStream(Direction.OUTWARD, Direction.OUTWARD, lambda way, sink: LineRewriter(), ignore)
    one.join(ORIGIN)
    assert not one.follows_on(0)
    one.acknowledge(ORIGIN)
    assert one.follows_on(0)
    one.pass_by(0, segment(b"x"))
    assert not one.follows_on(0)
    assert not one.follows_on(1)
    one.acknowledge(ORIGIN + 1)
    assert one.follows_on(1)


def test_numbers_that_wrap() -> None:
    """Offsets go on counting."""
    one = stream()
    text = bytes(random.Random(1).randrange(256) for _ in range(100)).replace(b"\n", b"") + b"\n"
    one.feed(text, 0.0)
    assert one.offset((ORIGIN + 90) % 2**32) == 90
    assert one.number(90) == 85
