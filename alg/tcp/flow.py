"""One TCP connection through an inline ALG: packets in, packets out, the connection stays one from end to end.

Theory of operation.

1. Each direction is a `Stream` between the numbers of its sender and those of its receiver (RFC 9293 3.4); both begin
   equal and drift apart as messages change their length. Whatever is acknowledged, windowed or SACKed in the outgoing
   numbers is told to the sender in its own, rounded so that nothing is acknowledged that the receiver lacks: part of
   a resized message counts as none of it.
2. Bytes reach the rewriter in order. A segment that comes too early waits, and the sender gets the duplicate ACK with
   SACK blocks that its receiver would have sent (RFC 5681 4.2, RFC 2018 4).
3. While the rewriter holds nothing back, the sender keeps its duty: each segment leaves as one segment, or as two
   where it outgrew the receiver's MSS, and the receiver's acknowledgments go back. What the sender sends again is
   answered from the bytes that left the first time, at their numbers.
4. When a message spans segments, what is held back is acknowledged to the sender by us, with room for more, or it
   might wait for ever. From then on, all up to that acknowledgment is ours to deliver: kept and sent again on our own
   timer (RFC 6298) until the receiver has it. If the receiver has no room for what we have, nothing more is
   acknowledged, and the edge of the window told to the sender stays where it is (RFC 9293 3.8.6).
5. A FIN releases what is held, unchanged, and follows behind it; so does `release`, after which nobody stands here
   any more, without a FIN. A RST passes with its number shifted.
6. A connection joined in mid-stream passes untouched, each direction until a boundary is certain (see `midstream`).
7. Bytes kept: what the rewriter holds, what the receiver has not acknowledged, and what waits for its turn; nothing
   is let in beyond the window that the sender was given.

Addresses are not touched here. Segments of our own copy addresses and ports from the latest of the same direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alg.direction import Direction
from alg.tcp.handshake import SMALLEST_SEGMENT, Handshake
from alg.tcp.midstream import begins_message
from alg.tcp.packet import ACK, FIN, RST, SYN, TcpSegment
from alg.tcp.reassembly import Stretch
from alg.tcp.seqspace import difference
from alg.tcp.stream import ETHERNET_SEGMENT_SIZE, Answer, FlowLimits, Stream, StreamRewriter
from alg.tcp.writer import Outgoing, SegmentWriter
from alg.trace import Record, Sink, StreamRecord


@dataclass(slots=True)
class Arrival:
    """A segment with data or a FIN, as far as it is let in."""

    segment: TcpSegment
    answer: Answer
    """What it tells the other direction's sender."""
    start: int
    """Incoming offset of its payload."""
    payload: bytes
    fin: bool
    whole: bool = True
    """Whether nothing was cut off."""

    @property
    def stop(self) -> int:
        """Incoming offset behind its payload."""
        return self.start + len(self.payload)


class TcpFlow:
    """The connection. `now` is in seconds of any clock that does not go backwards."""

    def __init__(
        self,
        rewriter: StreamRewriter,
        limits: FlowLimits | None = None,
        starts_message: Callable[[bytes], bool] = begins_message,
        sink: Sink | None = None,
    ) -> None:
        limits = limits or FlowLimits()
        self._rewriter = rewriter
        self._streams = (
            Stream(Direction.OUTWARD, rewriter, limits),
            Stream(Direction.INWARD, rewriter, limits),
        )
        self._starts_message = starts_message
        self._sink = sink
        self._handshake = Handshake(self._streams)
        self._write = SegmentWriter(self._streams, self._handshake)
        self._broken = ""
        """Why it is over before both sides have closed."""
        self._cut = False
        """Reset by us."""
        self._spoken = False
        """Whether a segment other than a SYN has come."""
        self._now = 0.0
        """Seconds, when the segment at hand came."""

    @property
    def finished(self) -> bool:
        """Whether the connection is over: reset, or closed by both sides."""
        return bool(self._broken) or all(stream.delivery.fin_acknowledged for stream in self._streams)

    @property
    def ending(self) -> str | None:
        """How it ended: `closed`, `reset`, or why we have cut it; None while it stands."""
        return (self._broken or "closed") if self.finished else None

    def offsets(self, direction: Direction) -> tuple[int, int]:
        """Bytes of one direction that are through: as they came in, and as they go out."""
        stream = self._streams[direction]
        if stream.passing:
            return stream.received, stream.received
        return stream.received - stream.held, stream.delivery.end

    def written(self, direction: Direction, number: int) -> tuple[int, int]:
        """Where a number of a segment that leaves stands in what the rewriter gave out.

        And where the first byte there does that is not acknowledged yet.
        """
        stream = self._streams[direction]
        settled = stream.delivery.acknowledged
        return settled + difference(number, stream.number(settled)) - stream.base, settled - stream.base

    def buffered(self, direction: Direction) -> int:
        """Bytes kept for one direction."""
        stream = self._streams[direction]
        return len(stream.delivery) + stream.held + stream.waiting.size

    def incoming_sequence(self, direction: Direction, number: int) -> int:
        """The sender's number for one that left in this direction, such as an ICMP error quotes it (RFC 5927 4.1)."""
        stream = self._streams[direction]
        if stream.origin is None:
            return number
        near = stream.delivery.acknowledged
        return stream.number(stream.incoming(near + difference(number, stream.number(near))))

    def limit_segments(self, direction: Direction, payload: int, now: float) -> list[Outgoing]:
        """The path takes no more than this many bytes of payload in a segment (RFC 1191 3).

        What we have acknowledged to its sender and the receiver lacks is sent again at once: nobody else will do it.
        """
        stream = self._streams[direction]
        delivery = stream.delivery
        size = max(SMALLEST_SEGMENT, min(delivery.segment_size, payload))
        if size == delivery.segment_size:
            return []
        delivery.segment_size = size
        if not delivery.owing:
            return []
        delivery.rewind(delivery.acknowledged)
        return self._write.segments(stream, delivery.fresh(now))

    def timer(self) -> float | None:
        """When `handle_timer` wants to be called, if at all."""
        deadlines = [stream.delivery.timer.deadline for stream in self._streams]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle_timer(self, now: float) -> list[Outgoing]:
        """What to send again, for the deadlines that have passed."""
        out: list[Outgoing] = []
        for stream in self._streams:
            delivery = stream.delivery
            if delivery.timer.deadline is None or delivery.timer.deadline > now:
                continue
            spans = delivery.expired(now)
            if delivery.timer.exhausted:
                reason = f"no acknowledgment after {delivery.timer.attempts - 1} repetitions"
                self._note(stream, "gave-up", delivery.acknowledged, 0, reason)
                return out + self._abort(reason)
            self._note(stream, "retransmission", spans[0][0], spans[-1][1] - spans[0][0], "timeout")
            out += self._write.segments(stream, spans)
            if stream.take_over():
                out.append(self._write.acknowledgment(stream))
        return out

    def release(self) -> list[Outgoing]:
        """Nobody looks into it any more: what has not left yet goes out once, as far as the receivers have room."""
        out: list[Outgoing] = []
        for stream in self._streams:
            if not (stream.passing or self._broken):
                stream.release()
                out += self._write.segments(stream, stream.delivery.remaining())
        return out

    def owed(self) -> int:
        """Bytes, as they leave, that their senders were acknowledged and the receivers have not acknowledged."""
        return sum(max(0, stream.delivery.owned - stream.delivery.acknowledged) for stream in self._streams)

    def handle(self, direction: Direction, segment: TcpSegment, now: float) -> list[Outgoing]:
        """A packet of one direction; the packets that leave in its place, of both directions."""
        self._now = now
        stream, back = self._streams[direction], self._streams[direction.opposite]
        if not segment.transport_checksum_right():
            self._note(stream, "damaged", stream.received, segment.payload_length, "dropped: wrong checksum")
            return []
        if segment.flags & SYN:
            return [Outgoing(direction, self._handshake.take(direction, segment, now))]
        if self._cut:
            return [] if segment.flags & RST else [self._write.refusal(direction, segment)]
        self._join(stream, back, segment)
        stream.see(segment)
        start = stream.offset(segment.seq)
        out: list[Outgoing] = []
        if segment.flags & ACK:
            out += self._write.segments(back, back.take_ack(segment, start, now))
            back.take_over()
        if segment.flags & RST:
            out.append(self._handle_reset(stream, back, segment, start))
        elif stream.passing and not self._taken_up(stream, segment, start):
            stream.pass_by(start, segment)
            out.append(self._write.forward(stream, segment, segment.seq, self._answer(back, segment)))
        elif segment.flags & FIN or segment.payload_length:
            out += self._handle_data(stream, back, segment, start)
        else:
            out += self._handle_bare(stream, back, segment, start)
        if self._rewriter.must_close is not None and not self._broken:
            out += self._abort(self._rewriter.must_close)
        for either in self._streams:
            either.delivery.arm(now)
        return out

    def _join(self, stream: Stream, back: Stream, segment: TcpSegment) -> None:
        """Take up what was not seen from both SYNs, one alone may come late: it passes until a boundary is certain."""
        if stream.origin is None:
            stream.join(segment.seq)
        if back.origin is None and segment.flags & ACK:
            back.join(segment.ack)
        if not self._spoken:
            self._spoken = True
            for either in self._streams:
                either.passing = either.passing or not self._handshake.complete
        if stream.passing:
            delivery = stream.delivery
            delivery.segment_size = max(delivery.segment_size, min(segment.payload_length, ETHERNET_SEGMENT_SIZE))

    def _taken_up(self, stream: Stream, segment: TcpSegment, start: int) -> bool:
        """Whether this segment of a passing direction is the certain beginning of a message."""
        if not segment.payload_length or not stream.follows_on(start) or not self._starts_message(segment.payload):
            return False
        stream.take_up(start)
        return True

    def _handle_reset(self, stream: Stream, back: Stream, segment: TcpSegment, start: int) -> Outgoing:
        """A RST is exact or it is void (RFC 5961 3.2): its number is what the receiver expects next."""
        number = stream.bare_number(start)
        if start == stream.told and not stream.passing and (self._broken or stream.told < stream.received):
            number = stream.number(stream.delivery.acknowledged)
        if stream.passing or (stream.told <= start and (stream.told_edge is None or start <= stream.told_edge + 1)):
            self._end("reset")
        answer = self._answer(back, segment)
        return self._write.forward(stream, segment, number, answer)

    def _handle_bare(self, stream: Stream, back: Stream, segment: TcpSegment, start: int) -> list[Outgoing]:
        """No data: an acknowledgment, or below what was acknowledged a probe (RFC 9293 3.8.4)."""
        answer = self._answer(back, segment)
        probe = start < stream.told
        if back.owning and not (answer.news or probe or answer.sack):
            return []
        out = [self._write.forward(stream, segment, stream.bare_number(start), answer)]
        if probe and stream.owning:
            out.append(self._write.acknowledgment(stream))
        return out

    def _handle_data(self, stream: Stream, back: Stream, segment: TcpSegment, start: int) -> list[Outgoing]:
        """Data or a FIN, sorted by what of it was received before."""
        new = Arrival(segment, self._answer(back, segment), start, segment.payload, bool(segment.flags & FIN))
        out: list[Outgoing] = []
        if start < stream.base:
            head = new.payload[: stream.base - start]
            flags = segment.flags & ~FIN
            out.append(self._write.forward(stream, segment, segment.seq, new.answer, payload=head, flags=flags))
            new.start, new.payload, new.whole = start + len(head), new.payload[len(head) :], False
            if not new.payload:
                return out
        self._trim(stream, new)
        if new.start > stream.received:
            stream.waiting.add(new.start, new.payload)
            out += self._write.bare(stream, segment, new.answer)
            out.append(self._write.acknowledgment(stream))
        elif new.stop > stream.received or (new.fin and not stream.ended):
            out += self._advance(stream, new)
        else:
            out += self._repeat(stream, new)
        return out

    def _trim(self, stream: Stream, new: Arrival) -> None:
        """Cut off what the sender had no leave to send; one byte may probe the window (RFC 9293 3.8.6.1)."""
        room = len(new.payload) if stream.told_edge is None else max(0, stream.told_edge + 1 - new.start)
        if len(new.payload) > room:
            self._note(stream, "beyond-window", new.start + room, len(new.payload) - room, "dropped: no leave to send")
            new.payload, new.fin, new.whole = new.payload[:room], False, False
        if new.fin and stream.fin_at is None and new.stop >= stream.received:
            stream.fin_at = new.stop

    def _advance(self, stream: Stream, new: Arrival) -> list[Outgoing]:
        """A segment that brings the next bytes, perhaps with some before them that came already."""
        delivery, received = stream.delivery, stream.received
        simple = new.whole and new.start == received and stream.idle
        fresh = new.payload[received - new.start :]
        if stream.waiting:
            fresh += stream.waiting.take(received + len(fresh))
        if stream.fin_at is not None:
            fresh = fresh[: stream.fin_at - received]
        written = stream.feed(fresh, self._now)
        if simple and len(written) == len(new.payload) and not stream.held and new.fin == stream.ended:
            number = stream.number(delivery.next)
            delivery.forwarded(len(written))
            changed = None if written == new.payload else written
            return [self._write.forward(stream, new.segment, number, new.answer, payload=changed)]
        if new.start < received:
            delivery.rewind(stream.outgoing(new.start))
        out = self._write.segments(stream, delivery.fresh(self._now), new.segment, new.answer)
        if not out:
            out = self._write.bare(stream, new.segment, new.answer)
        if stream.take_over():
            self._note(stream, "spoofed-ack", received, stream.received - received, f"{stream.held} bytes are held")
            out.append(self._write.acknowledgment(stream))
        elif not new.whole:
            out.append(self._write.acknowledgment(stream))
        return out

    def _repeat(self, stream: Stream, new: Arrival) -> list[Outgoing]:
        """A segment that came before: sent again, or acknowledged if the sender only missed the acknowledgment."""
        delivery = stream.delivery
        if len(new.payload) <= 1 and new.start + 1 == stream.told and not new.fin:
            number = stream.number(delivery.acknowledged - 1)
            payload = None if stream.untouched else b""
            out = [self._write.forward(stream, new.segment, number, new.answer, payload=payload)]
            return [*out, self._write.acknowledgment(stream)] if stream.owning else out
        spans: list[Stretch] = []
        if new.stop + new.fin > stream.told:
            spans = delivery.again(stream.outgoing(new.start), stream.outgoing_end(new.stop))
        spans += delivery.fresh(self._now)
        if spans:
            return self._write.segments(stream, spans, new.segment, new.answer)
        return [*self._write.bare(stream, new.segment, new.answer), self._write.acknowledgment(stream)]

    def _answer(self, back: Stream, segment: TcpSegment) -> Answer:
        """What the segment tells the other direction's sender."""
        if segment.flags & ACK:
            return back.answer(segment)
        return Answer(segment.ack, segment.window)

    def _abort(self, reason: str) -> list[Outgoing]:
        """Cut the connection: a RST to each side, at the number that it expects."""
        self._cut = True
        self._end(reason)
        return [self._write.reset(stream) for stream in self._streams if stream.header is not None]

    def _end(self, reason: str) -> None:
        self._broken = self._broken or reason
        for stream in self._streams:
            stream.delivery.drop()

    def _note(self, stream: Stream, rule: str, start: int, length: int, reason: str) -> None:
        if self._sink is not None:
            record = Record(rule, (start, start + length), b"", b"", reason)
            self._sink(StreamRecord(stream.direction, record))
