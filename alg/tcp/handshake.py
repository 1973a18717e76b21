"""What the two SYNs of a connection settle: first numbers, segment size, window scale, SACK.

The SYNs themselves pass with their options. Data in a SYN does not: it goes unacknowledged, and its sender repeats it
behind the SYN (RFC 9293 3.10.7.4, RFC 7413 3), where it is read like all other.
"""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.options import TcpOptions
from alg.tcp.packet import ACK, TcpSegment
from alg.tcp.seqspace import wrap
from alg.tcp.stream import Stream

SMALLEST_SEGMENT = 8
"""Bytes; what remains of Linux's smallest MSS of 48 when all options are in use."""
LARGEST_SEGMENT = 0xFFFF - 60 - 60
"""Bytes; what an IPv4 packet has room for behind both headers with all their options, whatever MSS is announced."""
TIMESTAMPS_SIZE = 12
"""Bytes of a timestamps option with its padding (RFC 7323 appendix A)."""
_SYN_OFFSET = -1
"""A SYN stands before the first byte of its stream."""


class Handshake:
    """The SYNs seen so far."""

    def __init__(self, streams: tuple[Stream, Stream]) -> None:
        self._streams = streams
        self._offers: dict[Direction, TcpOptions] = {}
        """The options of each side's SYN."""

    @property
    def complete(self) -> bool:
        """Whether both were."""
        return len(self._offers) == 2

    @property
    def sack_permitted(self) -> bool:
        """Whether both sides take SACK blocks (RFC 2018 2)."""
        return self.complete and all(options.sack_permitted for options in self._offers.values())

    @property
    def stamped(self) -> bool:
        """Whether both sides send timestamps (RFC 7323 3.2)."""
        return self.complete and all(options.timestamps for options in self._offers.values())

    def take(self, direction: Direction, segment: TcpSegment, now: float) -> bytes:
        """A SYN; the packet to pass on. One that does not belong to this connection passes as it is."""
        stream, back = self._streams[direction], self._streams[direction.opposite]
        first = wrap(segment.seq + 1)
        pristine = not (stream.received or stream.passing or stream.ended)
        if stream.origin != first and not pristine:
            return segment.data
        stream.origin = first
        stream.see(segment)
        self._offers[direction] = segment.options
        if self.complete:
            self._settle()
        if segment.flags & ACK:
            if back.origin is None:
                back.origin = segment.ack
            back.take_ack(segment, _SYN_OFFSET, now)
            back.told_edge = max(back.told_edge or 0, segment.window)
        else:
            back.take_window(segment.window, _SYN_OFFSET)
        if segment.payload_length:
            return segment.revised(segment.seq, segment.ack, segment.window, payload=b"")
        return segment.data

    def _settle(self) -> None:
        """Both SYNs are known: an option counts if both have it, a segment size for the other's segments."""
        scaled = all(options.window_scale is not None for options in self._offers.values())
        for stream in self._streams:
            receiver = self._offers[stream.direction.opposite]
            stream.scale = (receiver.window_scale or 0) if scaled else 0
            size = receiver.maximum_segment_size or stream.delivery.segment_size
            size -= TIMESTAMPS_SIZE if self.stamped else 0
            stream.delivery.segment_size = min(max(SMALLEST_SEGMENT, size), LARGEST_SEGMENT)
