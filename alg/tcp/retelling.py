"""One TCP connection of a capture, told as the other side of the ALG saw it.

Theory of operation.

1. A capture shows both directions as one side saw them. The other side saw the same conversation with other addresses
   in it, in messages of other lengths: outward ones as the ALG sent them, inward ones as they were before the ALG. So
   both directions are rewritten the same way, and all numbers of a packet move with the bytes that they stand for.
2. Unlike a `TcpFlow` this stands between nobody. What is in the capture has happened: nothing is acknowledged in
   anybody's name, nothing is sent again on a timer, nothing waits for room in a window.
3. Bytes reach the rewriter in order. A message that spans segments leaves with the one that completes it; so does what
   waited for an earlier segment. Until then packets that would only acknowledge what has not left are left out, and
   other packets say no more than they can.
4. What the sender sent again leaves again, at the numbers of its first time. What was not complete then does not.
5. A FIN releases what is held, unchanged. A RST makes it void, as it does for the ALG.
6. A connection joined in mid-stream passes untouched, each direction until a boundary is certain: a segment begins with
   a whole header block where the receiver has acknowledged all that went before. (A `TcpFlow`
   never takes the first segment it sees: what passed before it looked may come again. In a capture nothing is at odds
   with that.) The same holds from where the capture lacks bytes: a segment cut by its snap length, or one
   that the receiver acknowledged but that is not there. What was held then leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alg.direction import Direction
from alg.tcp.handshake import SMALLEST_SEGMENT
from alg.tcp.midstream import begins_message
from alg.tcp.packet import ACK, FIN, PSH, RST, SYN, URG, TcpSegment
from alg.tcp.retold_stream import REMEMBERED, Answer, Connect, RetoldStream
from alg.tcp.seqspace import wrap
from alg.tcp.stream import ETHERNET_SEGMENT_SIZE
from alg.trace import MessageRecord, Record, Sink, StreamRecord

_LARGEST_PACKET = 0xFFFF
"""Bytes, headers included (RFC 791 3.1)."""


class Retold(NamedTuple):
    """A packet as the other side saw it."""

    direction: Direction
    data: bytes
    records: tuple[MessageRecord, ...] = ()
    """Of the messages that have bytes in it, when these left for the first time."""


class RetoldFlow:
    """The connection; `way` is Direction.OUTWARD for what was captured inside. Addresses are not touched here."""

    def __init__(
        self,
        way: Direction,
        connect: Connect,
        sink: Sink,
        starts_message: Callable[[bytes], bool] = begins_message,
    ) -> None:
        self._streams = (
            RetoldStream(Direction.OUTWARD, way, connect, sink),
            RetoldStream(Direction.INWARD, way, connect, sink),
        )
        self._sink = sink
        self._starts_message = starts_message
        self._reset = False

    @property
    def finished(self) -> bool:
        """Whether the connection is over: reset, or closed by both sides."""
        closed = (stream.fin_at is not None and stream.acknowledged > stream.fin_at for stream in self._streams)
        return self._reset or all(closed)

    @property
    def held(self) -> int:
        """Bytes that have not left: they wait for the rest of their message, or for an earlier segment."""
        return sum(stream.held + stream.waiting.size for stream in self._streams)

    def timer(self) -> None:
        """What has happened wants no waking."""

    def outgoing_sequence(self, direction: Direction, number: int) -> int:
        """The other side's number for one of a direction, such as an ICMP error quotes it."""
        stream = self._streams[direction]
        return number if stream.origin is None else stream.number(stream.outgoing(stream.offset(number)))

    def handle(self, direction: Direction, segment: TcpSegment, now: float, whole: bool = True) -> list[Retold]:
        """A packet of one direction; what stands for it. `whole` is False if the capture has cut it.

        A packet that was cut is the last of what is returned, its payload as it came.
        """
        stream, back = self._streams[direction], self._streams[direction.opposite]
        if segment.flags & SYN:
            return [Retold(direction, self._handshake(stream, back, segment))]
        self._join(stream, back, segment)
        stream.header = segment
        out: list[Retold] = []
        answer = Answer(segment.ack)
        if segment.flags & ACK:
            if back.acknowledge(segment.ack):
                out += self._skip(back)
            answer = back.answer(segment)
        start = stream.offset(segment.seq)
        if not whole and segment.payload_length:
            out += self._cut(stream, segment, answer, start)
        elif segment.flags & RST:
            out += self._handle_reset(stream, segment, answer, start)
        elif stream.passing and not self._taken_up(stream, segment, start):
            out.append(self._pass(stream, segment, answer, start))
        elif segment.flags & FIN or segment.payload_length:
            out += self._handle_data(stream, segment, answer, start, now)
        else:
            out += self._handle_bare(stream, segment, answer, start)
        for either in self._streams:
            either.settle()
        return out

    def _handshake(self, stream: RetoldStream, back: RetoldStream, segment: TcpSegment) -> bytes:
        """A SYN passes; one that carries data (RFC 7413) leaves its direction to be taken up behind that."""
        first = wrap(segment.seq + 1)
        if stream.origin != first and (stream.received or stream.passing or stream.ended):
            return segment.data
        stream.origin = first
        back.segment_size = max(SMALLEST_SEGMENT, segment.options.maximum_segment_size or back.segment_size)
        if segment.flags & ACK:
            if back.origin is None:
                back.origin = segment.ack
            back.acknowledge(segment.ack)
            back.answer(segment)
        if segment.payload_length:
            stream.passing = True
            stream.pass_by(0, segment)
        return segment.data

    def _join(self, stream: RetoldStream, back: RetoldStream, segment: TcpSegment) -> None:
        """Take up what was not seen from its SYN: it passes until a boundary is certain."""
        if stream.origin is None:
            stream.join(segment.seq)
        if back.origin is None and segment.flags & ACK:
            back.join(segment.ack)
        if stream.passing:
            stream.segment_size = max(stream.segment_size, min(segment.payload_length, ETHERNET_SEGMENT_SIZE))

    def _taken_up(self, stream: RetoldStream, segment: TcpSegment, start: int) -> bool:
        """Whether this segment of a passing direction is the certain beginning of a message."""
        if not segment.payload_length or not stream.follows_on(start) or not self._starts_message(segment.payload):
            return False
        stream.take_up(start)
        return True

    def _cut(self, stream: RetoldStream, segment: TcpSegment, answer: Answer, start: int) -> list[Retold]:
        """Its payload cannot be read: new bytes are passed by, such as came before keep their place."""
        if start + segment.payload_length <= stream.received:
            return [self._write(stream, segment, answer, stream.outgoing(start))]
        out = [] if stream.passing else self._skip(stream)
        return [*out, self._pass(stream, segment, answer, start)]

    def _skip(self, stream: RetoldStream) -> list[Retold]:
        """The capture lacks what comes next: all that is at hand leaves untouched, in its place."""
        model = stream.header
        assert model is not None, "what is held or waits has come in a segment"
        answer = self._streams[stream.direction.opposite].answer(model) if model.flags & ACK else Answer(model.ack)
        reason = "the capture lacks bytes; what follows passes until a message is certain to begin"
        self._note(stream, "gap", (stream.received, stream.received), reason)
        at, held = stream.written, stream.give_up()
        out = self._segments(stream, model, answer, at, held) if held else []
        for start, _ in sorted(stream.waiting.blocks()):
            data = stream.waiting.take(start)
            out += self._segments(stream, model, answer, stream.outgoing(start), data)
            stream.pass_over(start + len(data))
        if stream.fin_at is not None and not stream.ended:
            out += self._segments(stream, model, answer, stream.outgoing(stream.fin_at), b"", closing=True)
        return out

    def _pass(self, stream: RetoldStream, segment: TcpSegment, answer: Answer, start: int) -> Retold:
        out = self._write(stream, segment, answer, stream.outgoing(start))
        stream.pass_by(start, segment)
        return out

    def _handle_reset(self, stream: RetoldStream, segment: TcpSegment, answer: Answer, start: int) -> list[Retold]:
        self._reset = True
        if stream.held:
            span = (stream.received - stream.held, stream.received)
            self._note(stream, "reset", span, f"{stream.held} bytes of a message were held")
        return [self._write(stream, segment, answer, stream.outgoing(start))]

    def _handle_bare(self, stream: RetoldStream, segment: TcpSegment, answer: Answer, start: int) -> list[Retold]:
        """No data: an acknowledgment, or below what was acknowledged a probe (RFC 9293 3.8.4)."""
        probe = stream.settled(start)
        if answer.void and not probe:
            return []
        at = stream.written - 1 if probe and start + 1 == stream.received else stream.outgoing(start)
        return [self._write(stream, segment, answer, at)]

    def _handle_data(
        self, stream: RetoldStream, segment: TcpSegment, answer: Answer, start: int, now: float
    ) -> list[Retold]:
        """Data or a FIN, sorted by what of it was received before."""
        payload, fin = segment.payload, bool(segment.flags & FIN)
        out: list[Retold] = []
        if start < stream.base:
            head = payload[: stream.base - start]
            out += self._segments(stream, segment, answer, stream.outgoing(start), head)
            start, payload = start + len(head), payload[len(head) :]
            if not payload:
                return out
        stop = start + len(payload)
        early = start > stream.received
        if early and (stream.acknowledged > stream.received or stream.waiting.size > REMEMBERED):
            out += self._skip(stream)
            if not self._taken_up(stream, segment, start):
                return [*out, self._pass(stream, segment, answer, start)]
            early = False
        if fin and stream.fin_at is None and stop >= stream.received:
            stream.fin_at = stop
        if early:
            stream.waiting.add(start, payload)
            return out + self._bare(stream, segment, answer)
        if stop > stream.received or (fin and not stream.ended):
            return out + self._advance(stream, segment, answer, (start, payload), now)
        return out + self._repeat(stream, segment, answer, (start, stop))

    def _advance(
        self, stream: RetoldStream, segment: TcpSegment, answer: Answer, data: tuple[int, bytes], now: float
    ) -> list[Retold]:
        """A segment that brings the next bytes, perhaps with some before them that came already."""
        (start, payload), received = data, stream.received
        first = stream.outgoing(start) if start < received else stream.written
        fresh = payload[received - start :]
        fresh += stream.waiting.take(received + len(fresh))
        if stream.fin_at is not None:
            fresh = fresh[: max(0, stream.fin_at - received)]
        before = stream.ended
        stream.feed(fresh, now)
        closing = stream.ended and not before
        if first == stream.written and not closing:
            return self._bare(stream, segment, answer)
        return self._segments(stream, segment, answer, first, stream.bytes_of((first, stream.written)), closing)

    def _repeat(self, stream: RetoldStream, segment: TcpSegment, answer: Answer, span: tuple[int, int]) -> list[Retold]:
        """A segment that came before: it left before, or waits with the rest of its message."""
        start, stop = span
        again = bool(segment.flags & FIN) and stream.ended
        probe = stop - start <= 1 and start + 1 == stream.received and stream.settled(start)
        if probe and not (again or stream.held):
            return [self._write(stream, segment, answer, stream.written - 1)]
        first, last = stream.outgoing(start), stream.outgoing(stop)
        payload = stream.bytes_of((first, last))
        if not payload and not again:
            return self._bare(stream, segment, answer)
        return self._segments(stream, segment, answer, last - len(payload), payload, again)

    def _bare(self, stream: RetoldStream, segment: TcpSegment, answer: Answer) -> list[Retold]:
        """What a segment whose data does not leave has to say besides, if anything."""
        if not answer.news:
            return []
        flags = segment.flags & ~(FIN | PSH | URG)
        return [self._write(stream, segment, answer, stream.written, b"", flags)]

    def _segments(
        self, stream: RetoldStream, model: TcpSegment, answer: Answer, at: int, payload: bytes, closing: bool = False
    ) -> list[Retold]:
        """Segments with a payload that stands at an outgoing offset; more than one if it has outgrown the model's."""
        room = max(SMALLEST_SEGMENT, stream.segment_size - len(model.option_bytes), model.payload_length)
        room = min(room, _LARGEST_PACKET - model.data_at)
        out = []
        for start in range(0, len(payload) or 1, room):
            piece = payload[start : start + room]
            last = start + room >= len(payload)
            flags = model.flags & ~(FIN if last else FIN | PSH) | (FIN if last and closing else 0)
            out.append(self._write(stream, model, answer, at + start, piece, flags))
        return out

    def _write(
        self,
        stream: RetoldStream,
        segment: TcpSegment,
        answer: Answer,
        at: int,
        payload: bytes | None = None,
        flags: int | None = None,
    ) -> Retold:
        """The segment at an outgoing offset; payload and flags None: as they are."""
        number = stream.number(at)
        if segment.flags & ACK:
            self._streams[stream.direction.opposite].window = segment.window
        if payload == segment.payload:
            payload = None
        records = () if payload is None else stream.about(at, at + len(payload))
        same = (number, answer.ack) == (segment.seq, segment.ack) and flags in (None, segment.flags)
        if same and answer.options is None and payload is None:
            return Retold(stream.direction, segment.data)
        data = segment.revised(number, answer.ack, segment.window, flags=flags, options=answer.options, payload=payload)
        return Retold(stream.direction, data, records)

    def _note(self, stream: RetoldStream, rule: str, span: tuple[int, int], reason: str) -> None:
        self._sink(StreamRecord(stream.direction, Record(rule, span, b"", b"", reason)))
