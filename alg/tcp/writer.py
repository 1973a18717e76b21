"""The segments that leave: a sender's own with other numbers, and ours in its name.

Strategy: as long as a segment of the sender's can be the model, its header and options go on as they are. What has no
model copies addresses, ports and the rest of the IP header from the sender's latest, and carries timestamps that the
receiver cannot take for old ones (RFC 7323 5.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alg.direction import Direction
from alg.tcp.handshake import TIMESTAMPS_SIZE, Handshake
from alg.tcp.options import SackBlock, build_options, with_timestamp
from alg.tcp.packet import ACK, CWR, FIN, PSH, RST, URG, TcpSegment, build_segment
from alg.tcp.reassembly import Stretch
from alg.tcp.seqspace import difference
from alg.tcp.stream import Answer, Stream

_ECN_FIELD = 3
"""Of the type of service; what we repeat must not claim to be ECN-capable (RFC 3168 6.1.5)."""


class Outgoing(NamedTuple):
    """A packet to send."""

    direction: Direction
    data: bytes


class SegmentWriter:
    """Writes for both directions of one connection."""

    def __init__(self, streams: tuple[Stream, Stream], handshake: Handshake) -> None:
        self._streams = streams
        self._handshake = handshake
        self._stamped: list[int | None] = [None, None]
        """Per direction, the highest TSval in a segment of our own."""

    def forward(
        self,
        stream: Stream,
        segment: TcpSegment,
        number: int,
        answer: Answer,
        *,
        payload: bytes | None = None,
        flags: int | None = None,
    ) -> Outgoing:
        """The segment itself with other numbers; payload and flags None: as they are."""
        options = answer.options
        ours, stamps = self._stamped[stream.direction], segment.options.timestamps
        if ours is not None and stamps is not None and difference(stamps[0], ours) < 0:
            options = with_timestamp(segment.option_bytes if options is None else options, segment.options, ours)
        same = (number, answer.ack, answer.window) == (segment.seq, segment.ack, segment.window)
        if same and options is None and payload is None and flags is None:
            return Outgoing(stream.direction, segment.data)
        data = segment.revised(number, answer.ack, answer.window, flags=flags, options=options, payload=payload)
        return Outgoing(stream.direction, data)

    def bare(self, stream: Stream, segment: TcpSegment, answer: Answer) -> list[Outgoing]:
        """What a segment whose data stays here has to say to the other side, if anything."""
        if not (answer.news or answer.sack):
            return []
        number = stream.number(stream.delivery.current)
        return [self.forward(stream, segment, number, answer, payload=b"", flags=segment.flags & ~(FIN | PSH | URG))]

    def segments(
        self,
        stream: Stream,
        spans: Iterable[Stretch],
        model: TcpSegment | None = None,
        answer: Answer | None = None,
    ) -> list[Outgoing]:
        """Segments with these spans of what was written, the first after `model` if there is one."""
        delivery = stream.delivery
        out: list[Outgoing] = []
        for span in spans:
            payload = delivery.bytes_of(span)
            flags = ACK
            if span[1] == delivery.end:
                flags |= (PSH if payload else 0) | (FIN if delivery.closing else 0)
            if model is not None and answer is not None:
                flags |= model.flags & ~(FIN | PSH | URG)
                if not out and len(payload) + len(model.option_bytes) <= delivery.segment_size + TIMESTAMPS_SIZE:
                    out.append(
                        self.forward(stream, model, stream.number(span[0]), answer, payload=payload, flags=flags)
                    )
                    continue
            out.append(self._own(stream, stream.number(span[0]), flags & ~CWR if out else flags, payload))
        return out

    def acknowledgment(self, stream: Stream) -> Outgoing:
        """A segment as if from the receiver: what the sender was told, and by SACK what waits beyond it."""
        back = self._streams[stream.direction.opposite]
        number = back.number(back.current)
        blocks = []
        if self._handshake.sack_permitted:
            blocks = [(stream.number(start), stream.number(stop)) for start, stop in stream.waiting.blocks()]
        return self._own(back, number, ACK, b"", blocks)

    def reset(self, stream: Stream) -> Outgoing:
        """A RST to the receiver, at the number that it expects."""
        expected = stream.received if stream.passing else stream.delivery.acknowledged
        return self._own(stream, stream.number(expected), RST | ACK, b"")

    def refusal(self, direction: Direction, segment: TcpSegment) -> Outgoing:
        """What a connection that is no more answers to a segment with an acknowledgment (RFC 9293 3.10.7.1)."""
        source, destination = (segment.destination, segment.destination_port), (segment.source, segment.source_port)
        return Outgoing(direction.opposite, build_segment(source, destination, seq=segment.ack, flags=RST, window=0))

    def _own(
        self, stream: Stream, number: int, flags: int, payload: bytes, blocks: Sequence[SackBlock] = ()
    ) -> Outgoing:
        """A segment in this direction that its sender did not send."""
        header = stream.header
        assert header is not None, "a direction is spoken for only after it has spoken"
        ack, window = self._streams[stream.direction.opposite].acknowledgment()
        data = build_segment(
            (header.source, header.source_port),
            (header.destination, header.destination_port),
            seq=number,
            ack=ack,
            flags=flags,
            window=window,
            options=build_options(self._stamps(stream), blocks),
            payload=payload,
            tos=header.tos & ~_ECN_FIELD,
            ttl=header.ttl,
            identification=header.identification,
        )
        return Outgoing(stream.direction, data)

    def _stamps(self, stream: Stream) -> tuple[int, int] | None:
        """Timestamps that pass for the sender's: its highest value, and the other side's (RFC 7323 4.3, 5.2)."""
        if stream.clock is None:
            return None
        self._stamped[stream.direction] = stream.clock
        return stream.clock, self._streams[stream.direction.opposite].clock or 0
