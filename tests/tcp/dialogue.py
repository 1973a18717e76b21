"""A flow spoken to by hand: segments go in with offsets for sequence numbers, and come out as lines of a transcript.

    assert dialogue.outside(b"done\\n", at=0, ack=7) == ["> 0 ack 4 'abc'"]

`>` leaves outward, `<` inward; the first number is the offset of the payload, the second what is acknowledged. What
follows only where it is there: flags other than ACK and PSH, SACK blocks as offsets, `window` where it was asked for.
"""

from __future__ import annotations

import struct

from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.packet import TcpSegment
from alg.tcp.stream import FlowLimits, StreamRewriter
from alg.trace import AnyRecord, StreamRecord
from tests.tcp.endpoint import ACK, FIN, PSH, RST, SYN, read, signed, write
from tests.tcp.network import INSIDE, OUTSIDE
from tests.tcp.rewriter import LineRewriter

SACK_PERMITTED = b"\x04\x02"
NAMES = ((FIN, "FIN"), (SYN, "SYN"), (RST, "RST"))


class Dialogue:
    """Both ends by hand. `isn` holds the first sequence number of each."""

    def __init__(
        self,
        rewriter: StreamRewriter | None = None,
        limits: FlowLimits | None = None,
        isn: tuple[int, int] = (2**32 - 3, 77),
        show_window: bool = False,
    ) -> None:
        self.records: list[str] = []
        self.flow = TcpFlow(rewriter or LineRewriter(), limits, lambda data: data[:1] in b"gGst", sink=self._record)
        self.isn = isn
        self.now = 0.0
        self.show_window = show_window
        self.packets: list[bytes] = []
        """The packets behind the latest transcript."""

    def _record(self, record: AnyRecord) -> None:
        assert isinstance(record, StreamRecord)
        self.records.append(record.record.rule)

    def open(self, mss: int = 1000, options: bytes = b"", window: int = 5000) -> None:
        """The three packets of a handshake, which pass as they are."""
        options = struct.pack("!BBH", 2, 4, mss) + options
        for direction, flags, at, ack in ((0, SYN, -1, None), (1, SYN | ACK, -1, 0), (0, ACK, 0, 0)):
            packet = self.packet(Direction(direction), b"", at, ack, flags, window, options if flags & SYN else b"")
            assert self.flow.handle(Direction(direction), TcpSegment(packet), self.now) == [
                (Direction(direction), packet)
            ]

    def packet(
        self, direction: Direction, data: bytes, at: int, ack: int | None, flags: int, window: int, options: bytes = b""
    ) -> bytes:
        """A packet as its sender makes it."""
        addresses = (INSIDE, OUTSIDE) if direction is Direction.OUTWARD else (OUTSIDE, INSIDE)
        ports = (40000, 5060) if direction is Direction.OUTWARD else (5060, 40000)
        seq = (self.isn[direction] + 1 + at) % 2**32
        number = 0 if ack is None else (self.isn[1 - direction] + 1 + ack) % 2**32
        return write(addresses, ports, seq, number, flags, window, options, data)

    def inside(self, data: bytes = b"", **rest: int | bytes | None) -> list[str]:
        """The inside sends `data`; the transcript of what leaves."""
        return self.say(Direction.OUTWARD, data, **rest)  # type: ignore[arg-type]

    def outside(self, data: bytes = b"", **rest: int | bytes | None) -> list[str]:
        """The outside sends `data`; the transcript of what leaves."""
        return self.say(Direction.INWARD, data, **rest)  # type: ignore[arg-type]

    def say(
        self,
        direction: Direction,
        data: bytes,
        *,
        at: int = 0,
        ack: int | None = 0,
        flags: int = 0,
        window: int = 5000,
        sack: tuple[int, ...] = (),
        options: bytes = b"",
    ) -> list[str]:
        """A segment of one side; flags are added to ACK."""
        if sack:
            edges = ((self.isn[1 - direction] + 1 + edge) % 2**32 for edge in sack)
            options += b"\x01\x01" + bytes((5, 2 + 4 * len(sack))) + struct.pack(f"!{len(sack)}I", *edges)
        bits = flags | (ACK if ack is not None else 0) | (PSH if data else 0)
        packet = self.packet(direction, data, at, ack, bits, window, options)
        return self._transcript(self.flow.handle(direction, TcpSegment(packet), self.now))

    def wait(self, seconds: float) -> list[str]:
        """Time passes, and the flow's timer with it; what it sends."""
        self.now += seconds
        deadline = self.flow.timer()
        assert deadline is not None, "the timer runs"
        assert deadline <= self.now, f"{deadline - self.now} s too early"
        return self._transcript(self.flow.handle_timer(self.now))

    def narrow(self, payload: int) -> list[str]:
        """The path to the outside takes no more than this many bytes of payload in a segment; what leaves at once."""
        return self._transcript(self.flow.limit_segments(Direction.OUTWARD, payload, self.now))

    def release(self) -> list[str]:
        """Nobody looks into the flow any more; what leaves."""
        return self._transcript(self.flow.release())

    def _transcript(self, out: list[tuple[Direction, bytes]]) -> list[str]:
        self.packets = [packet for _, packet in out]
        return [self._line(direction, packet) for direction, packet in out]

    def _line(self, direction: Direction, packet: bytes) -> str:
        seen = read(packet)
        seq = signed(seen.seq - self.isn[direction] - 1)
        line = f"{'<' if direction else '>'} {seq}"
        if seen.flags & ACK:
            line += f" ack {signed(seen.ack - self.isn[1 - direction] - 1)}"
        line += "".join(f" {name}" for bit, name in NAMES if seen.flags & bit)
        for block in seen.sack:
            line += " sack {}-{}".format(*(signed(edge - self.isn[1 - direction] - 1) for edge in block))
        if self.show_window:
            line += f" window {seen.window}"
        return line + (f" {seen.payload.decode()!r}" if seen.payload else "")
