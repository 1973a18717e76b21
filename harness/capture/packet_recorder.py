"""A capture of what crosses an inline ALG: every packet as it came in on one side, and as it left on the other.

Strategy: the router tells of packets when it is done with them, and before that its records tell what was done. A
packet that leaves has the comments of the messages whose bytes it carries; one that came in says why it goes no
further, or what is held back of it. What nobody sent but the ALG says so. Of a connection no more is kept than the
comments on what is not acknowledged yet.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from alg.direction import Direction
from alg.journal import Place
from alg.tcp.packet import TcpSegment
from alg.trace import AnyRecord, MessageRecord, Sink, StreamRecord
from harness.capture.capture_file import CaptureFile, open_capture
from harness.capture.comments import Comments
from harness.capture.pcapng import Flow

OURS = "sent by sipalg itself"


class PacketRecorder:
    """Captures all packets into one file; an `alg.journal.PacketTap`."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file
        self._connections: WeakValueDictionary[int, _ConnectionNotes] = WeakValueDictionary()
        """By number; each lives as long as the router's connection."""
        self._remarks: list[str] = []
        """On the packet that is told of next."""

    def sink(self, connection: int) -> Sink:
        """What the ALG is to tell about a connection."""
        notes = self._connections[connection] = _ConnectionNotes(self._remarks)
        return notes.note

    def came(self, side: Direction, data: bytes, why: str) -> None:
        """A packet came in there."""
        comments = [*self._remarks, *([why] if why else [])]
        self._remarks.clear()
        self._file.write(side, data, Flow.INBOUND, comments)

    def left(self, side: Direction, data: bytes, place: Place | None, ours: bool) -> None:
        """A packet left there."""
        comments = [*([OURS] if ours else []), *self._remarks]
        self._remarks.clear()
        notes = self._connections.get(place.connection) if place is not None else None
        if place is not None and notes is not None:
            comments += notes.on(place, TcpSegment(data).payload_length)
        self._file.write(side, data, Flow.OUTBOUND, comments)

    def close(self) -> None:
        """Close the file; what happens from now on is not captured."""
        self._file.close()


class _ConnectionNotes:
    """What is to be said about the packets of one connection."""

    def __init__(self, remarks: list[str]) -> None:
        self._remarks = remarks
        self._comments = Comments(), Comments()

    def note(self, record: AnyRecord) -> None:
        """Something was done."""
        if isinstance(record, MessageRecord):
            self._comments[record.direction].note(record)
        elif isinstance(record, StreamRecord):
            self._remarks.append(f"{record.record.rule}: {record.record.reason}")

    def on(self, place: Place, size: int) -> list[str]:
        """What is to be said about so many bytes there."""
        comments = self._comments[place.direction]
        comments.settle(place.settled)
        return comments.on(place.start, place.start + size)


def open_packet_recorder(flag: str | None, file: str | None, say: Callable[[str], None]) -> PacketRecorder | None:
    """A recorder into the file of `open_capture`, if there is to be one."""
    capture = open_capture(flag, file, "sipalg inline", say, comment="")
    return None if capture is None else PacketRecorder(capture)
