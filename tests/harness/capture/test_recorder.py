"""The proxy's recorder by itself: which packets have which comments, and what is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.tcp.packet import TcpSegment
from alg.trace import Record, StreamRecord
from harness.capture.pcapng import Flow
from harness.capture.recorder import CrossingRecorder, Recorder
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.harness.capture.disk import Disk

CLIENT, PROXY, LOCAL, SERVER = ("127.0.0.1", 40000), ("127.0.0.1", 5060), ("127.0.0.1", 41000), ("127.0.0.2", 5060)


class Session:
    """A recorder with one connection from the inside, and the ALG that it listens to."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.recorder = Recorder(self.disk.capture)
        self.tap: CrossingRecorder = self.recorder.tap(1)
        self.tap.opened(Direction.OUTWARD, CLIENT, PROXY, by_peer=True)
        self.tap.opened(Direction.INWARD, SERVER, LOCAL, by_peer=False)
        alg = Alg(AlgConfig(nat=NatConfig((AddressMap.parse(MAP),))))
        self.alg: AlgConnection = alg.connection(sink=self.recorder.sink(1))

    def cross(self, direction: Direction, data: bytes, write: int = 1 << 20) -> None:
        """Bytes from one side to the other, in writes of at most so many bytes."""
        self.tap.received(direction, data)
        out = self.alg.feed(direction, data)
        for start in range(0, len(out), write):
            self.tap.sent(direction.opposite, out[start : start + write])

    def comments(self, name: str) -> list[tuple[str, ...]]:
        """Those of the packets with payload that we sent on one interface."""
        return [
            packet.comments
            for packet in self.disk.packets()
            if packet.interface.name == name and packet.flow is Flow.OUTBOUND and TcpSegment(packet.data).payload
        ]


@pytest.fixture
def session() -> Iterator[Session]:
    """A connection that stands."""
    here = Session()
    yield here
    here.recorder.close()


def test_the_comment_on_a_rewritten_message(session: Session) -> None:
    """It names what was rewritten, each rule once and in the order of the message, and the growth."""
    session.cross(Direction.OUTWARD, options(INSIDE))
    assert session.comments("outside") == [("OPTIONS rewritten by Via: +2 bytes",)]
    session.cross(Direction.INWARD, response(OUTSIDE))
    growth = len(response(INSIDE)) - len(response(OUTSIDE))
    rules = "Via, From, Content-Length, SDP o=, SDP c=, SDP a=rtcp"
    assert session.comments("inside") == [(f"200 rewritten by {rules}: {growth} bytes",)]


def test_a_message_that_was_not_changed_has_no_comment(session: Session) -> None:
    """No rule, nothing to say; nor is there on the side where a message came in."""
    session.cross(Direction.OUTWARD, options("192.0.2.9") + b"\r\n\r\n")
    assert session.comments("outside") == [()]
    session.cross(Direction.OUTWARD, request(INSIDE))
    assert {packet.comments for packet in session.disk.packets() if packet.flow is Flow.INBOUND} == {()}


@pytest.mark.parametrize("write", [1, 20, 150])
def test_comments_follow_the_bytes(session: Session, write: int) -> None:
    """Whatever leaves in which pieces, a packet has the comments of the messages that it has bytes of."""
    plain = options("192.0.2.9", 2)
    session.cross(Direction.OUTWARD, options(INSIDE) + plain + options(INSIDE, 3), write)
    marks = "a" * len(options(OUTSIDE)) + "-" * len(plain) + "b" * len(options(OUTSIDE, 3))
    expected = [len(set(marks[at : at + write]) - {"-"}) for at in range(0, len(marks), write)]
    assert [len(comments) for comments in session.comments("outside")] == expected


def test_every_segment_of_a_long_message_has_the_comment(session: Session) -> None:
    """A message of many segments is marked from its first to its last, and the next one is not."""
    session.cross(Direction.OUTWARD, request(INSIDE, size=5000))
    session.cross(Direction.OUTWARD, options("192.0.2.9"))
    *message, after = session.comments("outside")
    assert len(message) == -(-len(request(OUTSIDE, size=5000)) // 1460) > 3
    assert len(set(message)) == 1
    assert after == ()


def test_a_disk_that_is_full(session: Session) -> None:
    """What was written stays readable, and whoever tells the recorder more notices nothing."""
    session.cross(Direction.OUTWARD, options(INSIDE))
    session.disk.full = True
    for _ in range(3):
        session.cross(Direction.OUTWARD, request(INSIDE))
    session.tap.reset(Direction.INWARD, by_peer=True)
    assert session.disk.complaints == ["No space left on device"]
    assert len(session.disk.packets()) == 10


def test_nothing_is_kept_of_a_connection_that_is_gone() -> None:
    """The recorder forgets a connection with the proxy, and comments with the bytes that they are about."""
    session = Session()
    for number in range(200):
        session.cross(Direction.OUTWARD, request(INSIDE, call=f"c{number}"))
    gc.collect()
    assert not kept("Comment")
    assert kept("CrossingRecorder")
    sink = session.recorder.sink(1)
    del session.tap, session.alg
    gc.collect()
    assert not kept("CrossingRecorder")
    sink(StreamRecord(Direction.OUTWARD, Record("hold", (0, 1), b"", b"", "for a connection that is gone")))


def kept(kind: str) -> list[object]:
    """What there is in memory of a class."""
    return [thing for thing in gc.get_objects() if type(thing).__name__ == kind]
