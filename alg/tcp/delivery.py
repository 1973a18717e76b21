"""The receiver's half of one direction: bytes as they leave, until the receiver has acknowledged them.

Strategy: every byte that the rewriter gave out is kept under its outgoing offset from then until its acknowledgment,
so whatever is sent again leaves with the bytes and numbers of its first transmission. `fresh` and `again` answer with
spans to send; making segments of them is the caller's work. Bytes below `owned` were acknowledged to the sender by
us: for those the timer runs, and a congestion window opens from RFC 6928's initial one by slow start and closes to
one segment on a timeout (RFC 5681 3.1), from where all that is unacknowledged goes out anew.
"""

from __future__ import annotations

from alg.tcp.reassembly import Stretch
from alg.tcp.rto import RetransmissionLimits, RetransmissionTimer

INITIAL_WINDOW_SEGMENTS = 10
"""RFC 6928 2."""
DUPLICATE_ACKS = 3
"""As many mean that a segment was lost (RFC 5681 3.2)."""


class Delivery:
    """What goes to one receiver. All offsets are outgoing ones, in bytes."""

    def __init__(self, start: int, segment_size: int, limits: RetransmissionLimits) -> None:
        self.acknowledged = start
        """All before this has arrived (SND.UNA)."""
        self.next = start
        """What `fresh` sends next (SND.NXT)."""
        self.sent = start
        """The highest that ever was sent; ahead of `next` after a timeout."""
        self.edge: int | None = None
        """The end of the receiver's window; None if its window scale is not known."""
        self.owned = start
        """Bytes before this are ours to deliver: their sender has our acknowledgment."""
        self.closing = False
        """A FIN follows the last byte."""
        self.fin_sent = False
        self.fin_acknowledged = False
        self.timer = RetransmissionTimer(limits)
        self.segment_size = segment_size
        """The most payload, without options, that a segment of ours carries."""
        self._bytes = bytearray()
        self._window: int | None = None
        """The congestion window, in bytes; None while it is the initial one."""
        self._duplicates = 0
        self._timed: tuple[int, float] | None = None
        """The end of a span whose round trip is being measured, and when it left."""

    def __len__(self) -> int:
        """Bytes kept."""
        return len(self._bytes)

    @property
    def end(self) -> int:
        """Behind the last byte that is to go."""
        return self.acknowledged + len(self._bytes)

    @property
    def final(self) -> int:
        """The highest sequence offset in use, a FIN that was sent included."""
        return self.sent + self.fin_sent

    @property
    def current(self) -> int:
        """Where a segment without data stands: the receiver drops it, acknowledgment and all, outside its window."""
        return self.final if self.edge is None else min(self.final, max(self.acknowledged, self.edge))

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for room at the receiver."""
        return self.next < self.end

    @property
    def owing(self) -> bool:
        """Whether bytes that we answer for are not acknowledged yet."""
        return self.acknowledged < self.owned

    def append(self, data: bytes) -> None:
        """More bytes to go."""
        self._bytes += data

    def bytes_of(self, span: Stretch) -> bytes:
        """The bytes of a span."""
        return bytes(self._bytes[span[0] - self.acknowledged : span[1] - self.acknowledged])

    def acknowledge(self, offset: int, edge: int | None, now: float) -> bool:
        """The receiver has all before `offset` and room up to `edge`; whether it had acknowledged less before.

        An acknowledgment of what was never sent is none (RFC 9293 3.10.7.4).
        """
        if not self.acknowledged <= offset <= self.final:
            return False
        reopened = self.edge is not None and edge is not None and self.edge <= self.acknowledged < edge
        self.edge = edge
        stop = min(offset, self.end)
        arrived = stop - self.acknowledged
        self.fin_acknowledged = self.fin_acknowledged or (self.fin_sent and offset > self.end)
        if arrived:
            self._advance(stop, now)
        elif edge is not None and edge <= stop:
            self.timer.attempts = 0
        if reopened and (self.unsent or self.owing):
            self.next = self.acknowledged
        return arrived > 0

    def _advance(self, stop: int, now: float) -> None:
        arrived = stop - self.acknowledged
        if self.owing:
            self._window = self._congestion_window + arrived
        del self._bytes[:arrived]
        self.acknowledged = stop
        self.next = max(self.next, stop)
        self._duplicates = 0
        if self._timed is not None and stop >= self._timed[0]:
            self.timer.measure(now - self._timed[1])
            self._timed = None
        if self.owing:
            self.timer.restart(now)
        else:
            self.timer.stop()

    def duplicate(self) -> list[Stretch]:
        """The receiver has repeated itself: at the third time, the segment that it seems to miss, if it is ours."""
        if not self.owing or self.next == self.acknowledged:
            return []
        self._duplicates += 1
        return self._first_segment() if self._duplicates == DUPLICATE_ACKS else []

    def fresh(self, now: float) -> list[Stretch]:
        """What can be sent now, in segments; it counts as sent. An empty span stands for a FIN alone."""
        limit = self.end if self.edge is None else min(self.end, self.edge)
        if self.next < self.owned:
            opened = self.acknowledged + self._congestion_window
            limit = min(limit, opened) if opened < self.owned else limit
        spans = self._cut(self.next, limit)
        if spans:
            if self._timed is None and self.owing and self.next >= self.sent:
                self._timed = (limit, now)
            self.next = limit
            self.sent = max(self.sent, limit)
        elif self.closing and not self.fin_sent and not self.unsent:
            spans = [(self.end, self.end)]
        self.fin_sent = self.fin_sent or (self.closing and not self.unsent)
        return spans

    def remaining(self) -> list[Stretch]:
        """All that was not sent and the receiver has room for, in segments, whatever the network takes."""
        spans = self._cut(self.next, self.end if self.edge is None else min(self.end, self.edge))
        if spans:
            self.next = spans[-1][1]
            self.sent = max(self.sent, self.next)
        return spans

    @property
    def _congestion_window(self) -> int:
        return INITIAL_WINDOW_SEGMENTS * self.segment_size if self._window is None else self._window

    def rewind(self, start: int) -> None:
        """`fresh` is to begin with what was sent from here on."""
        self._timed = None
        self.next = max(self.acknowledged, min(self.next, start))

    def forwarded(self, length: int) -> None:
        """So many bytes, and a FIN if one is due, have left just as the sender sent them."""
        self.next += length
        self.sent = max(self.sent, self.next)
        self.fin_sent = self.closing

    def again(self, start: int, stop: int) -> list[Stretch]:
        """What is still to be sent again of a range, in segments; a FIN alone if that is all.

        Where the receiver has no room at all, one byte to probe its window (RFC 9293 3.8.6.1).
        """
        self._timed = None
        spans = self._cut(max(start, self.acknowledged), min(stop, self.next))
        if not spans and self.unsent and self.next == self.acknowledged:
            return self._probe()
        if not spans and self.fin_sent and not self.fin_acknowledged and stop >= self.end:
            spans = [(self.end, self.end)]
        return spans

    def expired(self, now: float) -> list[Stretch]:
        """The timer has run out: what to send again. Nothing if the receiver has been tried often enough."""
        self.timer.expire(now)
        if self.timer.exhausted:
            return []
        self._timed = None
        self._duplicates = 0
        self._window = self.segment_size
        self.next = self.acknowledged
        return self.fresh(now) or self._probe()

    def _probe(self) -> list[Stretch]:
        self.next = self.acknowledged + 1
        self.sent = max(self.sent, self.next)
        return [(self.acknowledged, self.next)]

    def _first_segment(self) -> list[Stretch]:
        self._timed = None
        return self._cut(self.acknowledged, min(self.acknowledged + self.segment_size, self.next))[:1]

    def _cut(self, start: int, stop: int) -> list[Stretch]:
        size = self.segment_size
        return [(at, min(at + size, stop)) for at in range(start, stop, size)]

    def arm(self, now: float) -> None:
        """Let the timer run while we owe bytes, and only then."""
        if self.owing:
            self.timer.start(now)
        elif self.timer.deadline is not None:
            self.timer.stop()

    def drop(self) -> None:
        """The connection is over: nothing goes out any more."""
        self.timer.stop()
        self.owned = self.acknowledged
