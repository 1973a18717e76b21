"""One direction of a connection: what the sender numbers so, the receiver numbers otherwise.

Strategy: offsets count the bytes of the stream, 0 being the first behind the SYN; both sides start with the same
sequence number, and a direction's deltas say how they drift apart. On the sender's side stands what was received in
order, fed to the rewriter, and told to the sender in acknowledgments; on the receiver's side a `Delivery`. `answer`
turns the receiver's acknowledgment, window and SACK blocks into what the sender is to be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from alg.direction import Direction
from alg.tcp.delivery import Delivery
from alg.tcp.deltas import DeltaHistory
from alg.tcp.options import with_sack
from alg.tcp.packet import FIN, SYN, TcpSegment
from alg.tcp.reassembly import Reassembly, Stretch
from alg.tcp.rto import RetransmissionLimits
from alg.tcp.seqspace import difference, unwrap, wrap

DEFAULT_SEGMENT_SIZE = 536
"""Bytes of payload where no MSS option was seen (RFC 9293 3.7.1)."""
ETHERNET_SEGMENT_SIZE = 1460
"""Bytes of payload that an Ethernet frame holds (RFC 6691)."""


class StreamRewriter(Protocol):
    """What rewrites the payload; `alg.connection.AlgConnection` with its deltas kept is one."""

    @property
    def must_close(self) -> str | None:
        """Why the connection is to be cut, if it is."""

    def feed(self, direction: Direction, data: bytes, now: float = 0.0) -> bytes:
        """The next bytes of one direction; the bytes to send on."""

    def close(self, direction: Direction) -> bytes:
        """No more will come; the bytes held back."""

    def held(self, direction: Direction) -> int:
        """Bytes held back."""

    def deltas(self, direction: Direction) -> DeltaHistory:
        """Which offsets correspond; ours to prune."""


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """How much a flow promises to hold, and for how long it tries."""

    hold_window: int = 65535
    """Bytes that a sender may have under way beyond what is held back of its message, whatever its receiver's window;
    what can be held is the rewriter's limit."""
    unscaled_window: int = 1 << 20
    """Bytes let in beyond the last acknowledgment where the window scale was not seen."""
    retransmission: RetransmissionLimits = field(default_factory=RetransmissionLimits)


class Answer(NamedTuple):
    """What a segment that acknowledges a direction is to tell its sender."""

    ack: int
    window: int
    """As it stands in the header, unscaled."""
    options: bytes | None = None
    """The option bytes with SACK blocks translated; None: as they are."""
    news: bool = False
    """Whether acknowledgment or window are other than the sender was told before."""
    sack: bool = False
    """Whether SACK blocks are among the options."""


class Stream:
    """One direction; its sender's numbers are `incoming`, its receiver's `outgoing`."""

    def __init__(self, direction: Direction, rewriter: StreamRewriter, limits: FlowLimits) -> None:
        self.direction = direction
        self._rewriter = rewriter
        self._limits = limits
        self.origin: int | None = None
        """Sequence number of offset 0; None until a segment of either side has shown it."""
        self.header: TcpSegment | None = None
        """The sender's latest segment."""
        self.clock: int | None = None
        """The sender's highest TSval."""
        self.passing = False
        """Joined in mid-stream; nothing is touched until a message boundary is certain."""
        self.shown: int | None = None
        """How far the sender of a passing direction has come, by all that was seen; None before its first segment."""
        self._confirmed: int | None = None
        """All before this the receiver of a passing direction has acknowledged; None before its first segment."""
        self.base = 0
        """Offset of the first byte that the rewriter got."""
        self.received = 0
        """All before this was received in order and fed to the rewriter."""
        self.waiting = Reassembly()
        self.fin_at: int | None = None
        """Offset of the sender's FIN, once seen."""
        self.ended = False
        """All up to the FIN was fed; the rewriter is closed."""
        self.told = 0
        """All before this was acknowledged to the sender, whoever did it; a FIN counts as a byte."""
        self.told_window = 0
        self.told_edge: int | None = None
        """The furthest window edge that the sender was ever given; None before the first window."""
        self.spoofed = 0
        """All before this was acknowledged by us."""
        self.scale: int | None = None
        """The receiver's window scale, in bits; None while it is not known."""
        self._window = 0
        self._window_order: int | None = None
        """Offset, in the other direction, of the segment that the window is from (SND.WL1)."""
        self.delivery = Delivery(0, DEFAULT_SEGMENT_SIZE, limits.retransmission)

    @property
    def held(self) -> int:
        """Bytes that the rewriter holds back."""
        return self._rewriter.held(self.direction)

    @property
    def _deltas(self) -> DeltaHistory:
        return self._rewriter.deltas(self.direction)

    @property
    def owning(self) -> bool:
        """Whether the sender was acknowledged more than the receiver has."""
        return self.spoofed > self.incoming(self.delivery.acknowledged)

    @property
    def idle(self) -> bool:
        """Whether nothing is held, waiting, unsent, or ours to deliver: a segment can pass as it is cut."""
        delivery = self.delivery
        return not (self.waiting or self.held or delivery.unsent or delivery.owing)

    @property
    def untouched(self) -> bool:
        """Whether both sides have the same numbers for all that is under way."""
        deltas = self._deltas
        return len(deltas) == 1 and not deltas.growth and self.idle

    @property
    def current(self) -> int:
        """Where a segment without data of our own stands, so that the receiver takes it; behind the FIN that passed."""
        return self.received + (self.fin_at is not None) if self.passing else self.delivery.current

    def offset(self, number: int) -> int:
        """The incoming offset of a sequence number of the sender's."""
        assert self.origin is not None, "the origin is known once a segment was seen"
        return unwrap(number, self.origin, self.received)

    def number(self, offset: int) -> int:
        """The sequence number of an offset, of either side."""
        assert self.origin is not None, "the origin is known once a segment was seen"
        return wrap(self.origin + offset)

    def outgoing(self, offset: int) -> int:
        """Where an incoming byte left; inside a resized message, where that began."""
        return offset if offset <= self.base else self.base + self._deltas.outgoing(offset - self.base)

    def outgoing_end(self, offset: int) -> int:
        """As `outgoing`, but inside a resized message, where that ended."""
        return offset if offset <= self.base else self.base + self._deltas.outgoing_end(offset - self.base)

    def incoming(self, offset: int) -> int:
        """Which incoming byte an outgoing one stands for; inside a resized message, where that began."""
        return offset if offset <= self.base else self.base + self._deltas.incoming(offset - self.base)

    def incoming_end(self, offset: int) -> int:
        """As `incoming`, but inside a resized message, where that ended."""
        return offset if offset <= self.base else self.base + self._deltas.incoming_end(offset - self.base)

    def see(self, segment: TcpSegment) -> None:
        """Remember the sender's latest header and clock, for segments of our own."""
        self.header = segment
        if segment.options.timestamps is not None:
            value = segment.options.timestamps[0]
            if self.clock is None or difference(value, self.clock) > 0:
                self.clock = value

    def join(self, number: int) -> None:
        """Offset 0 is here; what went before was not seen."""
        self.origin = number
        self.passing = True

    def follows_on(self, start: int) -> bool:
        """Whether what begins here is new, and the receiver has said that it has all before it and no more."""
        return start == self.shown == self._confirmed

    def take_up(self, start: int) -> None:
        """The passing direction begins a message here: from here on it is rewritten."""
        self.base = self.received = self.told = self.spoofed = start
        edge = self.delivery.edge
        self.delivery = Delivery(start, self.delivery.segment_size, self._limits.retransmission)
        self.delivery.edge = edge
        self.passing = False

    def pass_by(self, start: int, segment: TcpSegment) -> None:
        """A segment of a passing direction goes on untouched; where it ends, new bytes may follow."""
        stop = start + segment.payload_length
        self._show(stop)
        if segment.flags & FIN:
            self.fin_at = stop
        self.received = max(self.received, stop)

    def _show(self, offset: int) -> None:
        self.shown = offset if self.shown is None else max(self.shown, offset)

    def feed(self, data: bytes, now: float) -> bytes:
        """The next bytes in order, and the FIN if that is next; what they give, which the delivery has too."""
        self.received += len(data)
        out = self._rewriter.feed(self.direction, data, now) if data else b""
        if self.fin_at == self.received and not self.ended:
            self.ended = self.delivery.closing = True
            out += self._rewriter.close(self.direction)
        self.delivery.append(out)
        self._own()
        return out

    def take_over(self) -> bool:
        """Acknowledge what is held back, unless the receiver has no room; whether that is more than before."""
        if not self.held or self.delivery.unsent or self.passing or self.spoofed == self.received:
            return False
        self.spoofed = self.received
        self._own()
        return True

    def release(self) -> None:
        """Nobody will see the rest of a message: what is held back goes to the delivery as it is."""
        if self.held:
            self.delivery.append(self._rewriter.close(self.direction))
            self._own()

    def _own(self) -> None:
        """What was acknowledged by us is ours to deliver; of a resized message the whole."""
        if self.spoofed >= self.received - self.held:
            owned = self.delivery.end if self.spoofed > self.incoming(self.delivery.acknowledged) else 0
        else:
            owned = self.outgoing_end(self.spoofed)
        self.delivery.owned = max(self.delivery.owned, owned)

    def take_window(self, window: int, order: int) -> None:
        """The window of a SYN without acknowledgment, which is never scaled (RFC 7323 2.2)."""
        if self._window_order is None:
            self._window_order, self._window = order, window
            self.delivery.edge = self.told_edge = window

    def take_ack(self, segment: TcpSegment, order: int, now: float) -> list[Stretch]:
        """The receiver's acknowledgment and window; what is to be sent to it now.

        `order` is the offset, in the other direction, of the segment that brings them.
        """
        delivery = self.delivery
        assert self.origin is not None, "the origin is known once a segment was seen"
        offset = unwrap(segment.ack, self.origin, delivery.acknowledged)
        if self.passing:
            delivery.acknowledged = delivery.next = delivery.sent = max(delivery.acknowledged, offset)
            delivery.fin_acknowledged = self.fin_at is not None and offset > self.fin_at
            if self._confirmed is None:
                self._confirmed = offset
                self.told = min(self.told, offset)
            self._confirmed = max(self._confirmed, offset)
            for _, right in segment.options.sack:
                self._show(unwrap(right, self.origin, offset))
        elif not delivery.acknowledged <= offset <= delivery.final:
            return []
        edge = delivery.edge
        newer = offset > delivery.acknowledged or self._window_order is None or order >= self._window_order
        if newer:
            self._window_order, self._window = order, segment.window
            scale = 0 if segment.flags & SYN else self.scale
            edge = None if scale is None else offset + (segment.window << scale)
        if self.passing:
            delivery.edge = edge
            return []
        same_window = edge == delivery.edge
        spans = []
        if delivery.acknowledge(offset, edge, now):
            self._deltas.prune(self.incoming(delivery.acknowledged) - self.base)
        elif same_window and not segment.payload_length:
            spans = delivery.duplicate()
        return spans + delivery.fresh(now)

    def answer(self, segment: TcpSegment) -> Answer:
        """What the receiver's segment is to tell the sender; counted as told."""
        before = self.told, self.told_window
        assert self.origin is not None, "the origin is known once a segment was seen"
        offset = unwrap(segment.ack, self.origin, self.delivery.acknowledged)
        ack, window, options, sack = offset, segment.window, None, bool(segment.options.sack)
        if not self.passing and (offset < self.spoofed or not self.untouched):
            ack = self._translated_ack(offset)
            window = self.window_for(ack)
            if segment.options.sack:
                translated = (self._translated_block(block, ack) for block in segment.options.sack)
                blocks = [block for block in translated if block]
                options, sack = with_sack(segment.option_bytes, segment.options, blocks), bool(blocks)
        self._tell(ack, window)
        return Answer(self.number(ack), window, options, (self.told, self.told_window) != before, sack)

    def _translated_ack(self, offset: int) -> int:
        if offset > self.delivery.final:
            return self.told
        if self.fin_at is not None and offset > self.delivery.end:
            return self.fin_at + 1
        return min(max(self.incoming(offset), self.spoofed), self.received)

    def _translated_block(self, block: tuple[int, int], ack: int) -> tuple[int, int] | None:
        """A SACK block as the sender numbers it, shrunk to whole messages where they were resized; None if empty.

        One that touches what the sender was acknowledged is none to it: we have sent those bytes again, not the sender
        (RFC 2883), or they are ours to deliver.
        """
        assert self.origin is not None, "the origin is known once a segment was seen"
        left, right = (unwrap(edge, self.origin, self.delivery.acknowledged) for edge in block)
        left, right = self.incoming_end(left), min(self.incoming(min(right, self.delivery.end)), self.received)
        return (self.number(left), self.number(right)) if ack < left < right else None

    def acknowledgment(self) -> tuple[int, int]:
        """The numbers for a segment of our own to the sender: acknowledgment, window."""
        if self.passing:
            return self.number(self.told), self._window
        self._tell(max(self.told, self.spoofed), self.window_for(max(self.told, self.spoofed)))
        return self.number(self.told), self.told_window

    def _tell(self, ack: int, window: int) -> None:
        self.told = max(self.told, ack)
        self.told_window = window
        edge = ack + (window << self.scale) if self.scale is not None else self.told + self._limits.unscaled_window
        self.told_edge = edge if self.told_edge is None else max(self.told_edge, edge)

    def window_for(self, ack: int) -> int:
        """The window that goes with an acknowledgment: what the receiver can take, or more while a message is held.

        Its edge does not move back (RFC 9293 3.8.6): a sender beyond it would speak outside of our window.
        """
        edge = self.delivery.edge
        if edge is None or self.scale is None:
            return self._window
        if edge < self.delivery.end:
            reach = self.incoming_end(edge)
        else:
            reach = self.received - self.held + edge - self.delivery.end
        if self.held and not self.delivery.unsent:
            reach = max(reach, self.received + self._limits.hold_window)
        reach = max(reach, self.told_edge or 0)
        return min(max(0, reach - ack) >> self.scale, 0xFFFF)

    def bare_number(self, offset: int) -> int:
        """The outgoing number for a segment without data: the next to be expected, or below it for a probe."""
        delivery = self.delivery
        if self.passing or self.untouched:
            return self.number(offset)
        if offset < self.told:
            return self.number(min(self.outgoing(offset), delivery.acknowledged - 1))
        return self.number(delivery.current)
