"""One direction of a captured connection: where each of its bytes stood on the other side of the ALG.

Strategy: offsets count the bytes of the stream, 0 being the first behind the SYN. What came in order is fed to the
rewriter; where the result stands on the other side is `outgoing`, the one map for sequence numbers, acknowledgments and
SACK blocks alike. It keeps the cuts of a message that has changed its length: a part that the capture shows as one
segment remains one, of the same length but for the last, which takes the difference. Nothing that has not left yet is
ever acknowledged. The latest bytes are kept for the segments that the capture shows again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from alg.direction import Direction
from alg.tcp.deltas import DeltaHistory
from alg.tcp.options import SackBlock, with_sack
from alg.tcp.packet import FIN, TcpSegment
from alg.tcp.reassembly import Reassembly, Stretch
from alg.tcp.seqspace import unwrap, wrap
from alg.tcp.stream import DEFAULT_SEGMENT_SIZE, StreamRewriter
from alg.trace import AnyRecord, MessageRecord, Sink, StreamRecord

REMEMBERED = 1 << 20
"""Bytes of a direction that are kept for repetition, or that may wait for an earlier segment."""

Connect = Callable[[Direction, Sink], StreamRewriter]
"""Makes a rewriter for a direction, at a message boundary, that tells its records."""


class Answer(NamedTuple):
    """What a segment says about the other direction."""

    ack: int
    options: bytes | None = None
    """The option bytes with SACK blocks translated; None: as they are."""
    news: bool = False
    """Whether it says more than the one before."""
    void: bool = False
    """Whether what it says stands for nothing on the other side."""


class RetoldStream:
    """One direction. `way` is what its bytes are rewritten as, whichever way they go."""

    def __init__(self, direction: Direction, way: Direction, connect: Connect, sink: Sink) -> None:
        self.direction = direction
        self._way = way
        self._connect = connect
        self._sink = sink
        self._rewriter = connect(direction, self._note)
        self.origin: int | None = None
        """Sequence number of offset 0; None until a segment of either side has shown it."""
        self.header: TcpSegment | None = None
        """The sender's latest segment."""
        self.segment_size = DEFAULT_SEGMENT_SIZE
        """The most bytes of options and payload that its receiver takes in a segment."""
        self.passing = False
        """Nothing is touched until a message boundary is certain."""
        self.base = 0
        """Offset of the first byte that the rewriter got."""
        self._shift = 0
        """Bytes by which the stream had grown before that."""
        self.received = 0
        """All before this came in order and was fed to the rewriter."""
        self.written = 0
        """All before this, as the other side counts, has left."""
        self.acknowledged = -1
        """All before this was acknowledged in the capture, if it is not negative; a FIN counts as a byte."""
        self.waiting = Reassembly()
        self.fin_at: int | None = None
        """Offset of the sender's FIN, once seen."""
        self.ended = False
        """All up to the FIN was fed; the rewriter is closed."""
        self._told: tuple[int, int] | None = None
        """The latest acknowledgment: its offset in the capture, and on the other side."""
        self._window = 0
        """The window that came with it."""
        self.window: int | None = None
        """The latest that the other side was told, unscaled; None before any."""
        self._kept = bytearray()
        """The latest bytes that left."""
        self._records: list[MessageRecord] = []
        """Of the messages that have left just now."""

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their message."""
        return self._rewriter.held(self._way)

    @property
    def _deltas(self) -> DeltaHistory:
        return self._rewriter.deltas(self._way)

    def _note(self, record: AnyRecord) -> None:
        """A record, which counts from where its rewriter began, about this direction."""
        if isinstance(record, MessageRecord):
            base = self.base
            record = replace(
                record,
                direction=self.direction,
                offset_in=base + record.offset_in,
                offset_out=base + self._shift + record.offset_out,
            )
            self._records.append(record)
        elif isinstance(record, StreamRecord):
            start, stop = record.record.span
            moved = replace(record.record, span=(self.base + start, self.base + stop))
            record = StreamRecord(self.direction, moved)
        self._sink(record)

    def about(self, start: int, stop: int) -> tuple[MessageRecord, ...]:
        """The messages, of those that have left just now, with bytes between these outgoing offsets."""
        found = [record for record in self._records if record.offset_out < stop]
        return tuple(record for record in found if start < record.offset_out + len(record.after))

    def offset(self, number: int) -> int:
        """The offset of a sequence number of the capture."""
        assert self.origin is not None, "the origin is known once a segment was seen"
        return unwrap(number, self.origin, self.received)

    def number(self, offset: int) -> int:
        """The sequence number of an outgoing offset."""
        assert self.origin is not None, "the origin is known once a segment was seen"
        return wrap(self.origin + offset)

    def outgoing(self, offset: int) -> int:
        """Where what stands at an offset in the capture stood on the other side; never beyond what has left there."""
        if self.passing or offset <= self.base:
            return offset + self._shift
        if self.ended and self.fin_at is not None and offset > self.fin_at:
            return self.written + 1
        inside = offset - self.base
        start, end = self._deltas.outgoing(inside), self._deltas.outgoing_end(inside)
        if start != end:
            start = min(end, start + inside - self._deltas.incoming(start))
        return min(self.base + self._shift + start, self.written)

    def join(self, number: int) -> None:
        """Offset 0 is here; what went before was not seen."""
        self.origin = number
        self.passing = True

    def pass_by(self, start: int, segment: TcpSegment) -> None:
        """A segment of a passing direction."""
        stop = start + segment.payload_length
        if segment.flags & FIN:
            self.fin_at = stop
        self.pass_over(stop)

    def pass_over(self, stop: int) -> None:
        """All of a passing direction before an offset has left."""
        self.received = max(self.received, stop)
        self.written = self.received + self._shift

    def follows_on(self, start: int) -> bool:
        """Whether what begins here is new, and the receiver has all before it and no more."""
        return start == self.acknowledged and start >= self.received

    def take_up(self, start: int) -> None:
        """The passing direction begins a message here: from here on it is rewritten."""
        self.base = self.received = start
        self.written = self.base + self._shift
        self.passing = False

    def feed(self, data: bytes, now: float) -> None:
        """The next bytes in order, and the FIN if that is next."""
        self.received += len(data)
        if data:
            self._write(self._rewriter.feed(self._way, data, now))
        if self.fin_at == self.received and not self.ended:
            self.ended = True
            self._write(self._rewriter.close(self._way))

    def give_up(self) -> bytes:
        """The capture lacks what follows: what was held leaves, which is returned, and the rest passes.

        The numbers of both sides stay as far apart as they are.
        """
        self._write(held := self._rewriter.close(self._way))
        self._shift = self.written - self.received
        self.base = self.received
        self.passing = True
        self._kept.clear()
        self._rewriter = self._connect(self.direction, self._note)
        return held

    def _write(self, data: bytes) -> None:
        self._kept += data
        self.written += len(data)

    def bytes_of(self, span: Stretch) -> bytes:
        """What left between two outgoing offsets, as far as it is kept."""
        oldest = self.written - len(self._kept)
        return bytes(self._kept[max(0, span[0] - oldest) : max(0, span[1] - oldest)])

    def settle(self) -> None:
        """A packet is dealt with: forget what will not be asked about again."""
        self._records.clear()
        if len(self._kept) > REMEMBERED:
            del self._kept[:-REMEMBERED]
            oldest = self.written - len(self._kept) - self.base - self._shift
            self._deltas.prune(self._deltas.incoming(oldest))

    def settled(self, offset: int) -> bool:
        """Whether the receiver has what stands there, so that whoever sends from there only probes.

        It has all that was sent, if the capture lacks its acknowledgments.
        """
        return offset < (self.acknowledged if self.acknowledged >= 0 else self.received)

    def acknowledge(self, number: int) -> bool:
        """The other side has all before a number; whether the capture lacks some of that, and has what follows."""
        offset = self.offset(number)
        self.acknowledged = max(self.acknowledged, offset)
        return bool(self.waiting) and offset > self.received

    def answer(self, segment: TcpSegment) -> Answer:
        """What a segment of the other direction says about this one.

        A window that shrinks by what has not left is no news; one that moves of itself, or opens, is not void.
        """
        offset = self.offset(segment.ack)
        known, told, window = self._told, (offset, self.outgoing(offset)), self._window
        self._told, self._window = told, segment.window
        blocks, options = self._blocks(segment), None
        if blocks != list(segment.options.sack):
            options = with_sack(segment.option_bytes, segment.options, blocks)
        opened = self.window == 0 and segment.window > 0
        same = known is not None and known[1] == told[1] and not (blocks or opened)
        updated = known == told and self.window is not None and segment.window not in (window, self.window)
        void = same and not updated and (known != told or bool(self.held or self.waiting))
        return Answer(self.number(told[1]), options, not same, void)

    def _blocks(self, segment: TcpSegment) -> list[SackBlock]:
        """SACK blocks without those that stand for nothing which has left."""
        pairs = ([self.outgoing(self.offset(edge)) for edge in block] for block in segment.options.sack)
        return [(self.number(left), self.number(right)) for left, right in pairs if left < right]
