"""A captured connection by hand: what goes in counts one side's bytes, what comes out the other's.

A message is a line; `g` grows by 18 bytes, `G` by 540, `s` shrinks to half (see `rewriter`).
"""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.packet import TcpSegment
from alg.tcp.retelling import RetoldFlow
from alg.trace import AnyRecord, StreamRecord
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue
from tests.tcp.rewriter import GROWTH, LineRewriter

GROWN = GROWTH.decode()


class Flow(RetoldFlow):
    """As a dialogue wants it: a pair for each packet."""

    def __init__(self, records: list[str]) -> None:
        super().__init__(
            Direction.OUTWARD, lambda way, sink: LineRewriter(), lambda record: note(records, record), starts_a_line
        )

    def handle(  # type: ignore[override]
        self, direction: Direction, segment: TcpSegment, now: float, whole: bool = True
    ) -> list[tuple[Direction, bytes]]:
        """A packet."""
        return [(each.direction, each.data) for each in super().handle(direction, segment, now, whole)]


def starts_a_line(data: bytes) -> bool:
    """Whether a message begins here."""
    return data[:1] in b"gGst"


def note(records: list[str], record: AnyRecord) -> None:
    """Remember a record by its rule."""
    assert isinstance(record, StreamRecord)
    records.append(record.record.rule)


class Capture(Dialogue):
    """A captured connection: what its packets become."""

    def __init__(self, **rest: bool) -> None:
        super().__init__(**rest)
        self.retold = Flow(self.records)
        self.flow = self.retold  # type: ignore[assignment]

    def cut(self, data: bytes, at: int) -> list[str]:
        """The inside sends `data`, which the capture has cut."""
        packet = self.packet(Direction.OUTWARD, data, at, 0, 16, 5000)
        return self._transcript(self.retold.handle(Direction.OUTWARD, TcpSegment(packet), self.now, whole=False))


def opened(mss: int = 1000, sack: bool = False, **rest: bool) -> Capture:
    """A capture that begins with the handshake."""
    capture = Capture(**rest)
    capture.open(mss, SACK_PERMITTED if sack else b"")
    return capture
