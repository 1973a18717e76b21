"""One TCP connection told as packets, from what a socket knows of it.

Strategy: a program that reads and writes a socket sees bytes, ends and resets, but no packets. This makes the packets
that a connection without loss would have had: the handshake with a maximum segment size, segments of at most that size
and an acknowledgment for each, a FIN with its own acknowledgment, a RST. Only numbers are kept. (RFC 9293 3.)
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Final, NamedTuple

from alg.tcp.options import MAXIMUM_SEGMENT_SIZE
from alg.tcp.packet import ACK, FIN, PSH, RST, SYN, build_segment
from alg.tcp.seqspace import wrap

SEGMENT_SIZE: Final = 1460
"""Bytes of payload: what fits an Ethernet frame behind headers without options."""
_MSS_OPTION = bytes((MAXIMUM_SEGMENT_SIZE, 4)) + SEGMENT_SIZE.to_bytes(2, "big")
_CLOCK_TICK = 4000
"""Nanoseconds in a step of the clock behind initial sequence numbers (RFC 9293 3.4.1)."""

Endpoint = tuple[bytes, int]
"""Address of four bytes, port."""


class End(IntEnum):
    """Who sends; also an index into a pair."""

    PEER = 0
    OURS = 1

    @property
    def other(self) -> End:
        """The one at the far end."""
        return End(1 - self)


class Told(NamedTuple):
    """A packet, and who sends it."""

    sender: End
    data: bytes


def initial_number(sender: Endpoint, receiver: Endpoint, now: int) -> int:
    """An initial sequence number: a clock, plus a hash of who talks to whom (RFC 9293 3.4.1); `now` in nanoseconds."""
    return wrap(now // _CLOCK_TICK + zlib.crc32(repr((sender, receiver)).encode()))


class Conversation:
    """A connection between a peer and us. What comes after it is over makes no packets."""

    def __init__(self, peer: Endpoint, ours: Endpoint, now: int) -> None:
        self._ends = peer, ours
        self._next = [initial_number(peer, ours, now), initial_number(ours, peer, now)]
        """By sender, the number of its next byte, not wrapped."""
        self._finished = [False, False]
        self.over = False
        """It was reset, or both have sent their FIN."""

    def opening(self, opener: End) -> list[Told]:
        """The three-way handshake."""
        return [
            self._segment(opener, SYN, options=_MSS_OPTION),
            self._segment(opener.other, SYN | ACK, options=_MSS_OPTION),
            self._segment(opener, ACK),
        ]

    def refusal(self, opener: End) -> list[Told]:
        """A handshake that is answered by a reset: nobody listens there."""
        self.over = True
        return [
            self._segment(opener, SYN, options=_MSS_OPTION),
            self._segment(opener.other, RST | ACK),
        ]

    def segment(self, sender: End, payload: bytes, push: bool) -> list[Told]:
        """One segment of the stream, and its acknowledgment."""
        assert 0 < len(payload) <= SEGMENT_SIZE, "fits a segment"
        if self.over or self._finished[sender]:
            return []
        return [self._segment(sender, PSH | ACK if push else ACK, payload), self._segment(sender.other, ACK)]

    def end(self, sender: End) -> list[Told]:
        """The end of a stream."""
        if self.over or self._finished[sender]:
            return []
        self._finished[sender] = True
        self.over = all(self._finished)
        return [self._segment(sender, FIN | ACK), self._segment(sender.other, ACK)]

    def reset(self, sender: End) -> list[Told]:
        """The end of both streams."""
        if self.over:
            return []
        self.over = True
        return [self._segment(sender, RST | ACK)]

    def _segment(self, sender: End, flags: int, payload: bytes = b"", options: bytes = b"") -> Told:
        data = build_segment(
            self._ends[sender],
            self._ends[sender.other],
            seq=wrap(self._next[sender]),
            ack=wrap(self._next[sender.other]) if flags & ACK else 0,
            flags=flags,
            options=options,
            payload=payload,
        )
        self._next[sender] += len(payload) + bool(flags & (SYN | FIN))
        return Told(sender, data)
