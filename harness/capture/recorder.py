"""A capture of what crosses a proxy: each leg of a connection on its own interface, `inside` or `outside`.

Strategy: the proxy tells what its sockets read, what the kernel took from them, and how streams ended; a
`Conversation` for each leg makes packets of it, which are written at once. Records of the ALG arrive before the bytes
that they speak of leave: until these have passed, where a message that was changed starts and stops in its stream is
remembered, with the comment for its segments. When the file cannot be written any more, capturing ends and traffic
goes on.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import NamedTuple
from weakref import WeakValueDictionary

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.trace import MessageRecord, Sink, StreamRecord
from harness.capture.conversation import SEGMENT_SIZE, Conversation, End, Endpoint, Told
from harness.capture.pcapng import Flow, Interface, PcapngWriter

INTERFACES = (
    Interface("inside", "the leg of sipalg proxy towards the inside"),
    Interface("outside", "the leg of sipalg proxy towards the outside"),
)
"""By the direction of what the peer on that leg sends."""

_FLOWS = {End.PEER: Flow.INBOUND, End.OURS: Flow.OUTBOUND}
_MOST_TITLE = 32
"""Characters of a method in a comment; a peer may make it as long as a header."""


class Recorder:
    """Captures all connections of a proxy into one file."""

    def __init__(self, writer: PcapngWriter, clock: Callable[[], int], complain: Callable[[OSError], None]) -> None:
        self._writer: PcapngWriter | None = writer
        self._clock = clock
        """Nanoseconds since 1970."""
        self._complain = complain
        self._latest = 0
        self._crossings: WeakValueDictionary[int, CrossingRecorder] = WeakValueDictionary()
        """By number; each lives as long as the proxy's connection."""

    def tap(self, connection: int) -> CrossingRecorder:
        """What the proxy is to tell about one connection."""
        crossing = self._crossings[connection] = CrossingRecorder(self)
        return crossing

    def sink(self, connection: int) -> Sink:
        """What the ALG is to tell about a connection that is tapped."""
        return self._crossings[connection].note

    def now(self) -> int:
        """The time, later than ever before, in nanoseconds since 1970."""
        self._latest = max(self._clock(), self._latest + 1)
        return self._latest

    def write(self, leg: Direction, packets: Iterable[Told], comments: Iterable[str] = ()) -> None:
        """Packets of one leg, with comments on the first."""
        if self._writer is None:
            return
        try:
            for number, (sender, data) in enumerate(packets):
                self._writer.packet(leg, self.now(), data, () if number else comments, _FLOWS[sender])
        except OSError as failure:
            self.close()
            self._complain(failure)

    def close(self) -> None:
        """Close the file; what happens from now on is not captured."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):
                writer.close()


class Comment(NamedTuple):
    """What is to be said about a stretch of what leaves on a leg."""

    start: int
    stop: int
    """Bytes from the start of the stream."""
    text: str


class LegRecorder:
    """One leg of a connection that is captured."""

    def __init__(self, recorder: Recorder, leg: Direction) -> None:
        self._recorder = recorder
        self._leg = leg
        self._conversation: Conversation | None = None
        self._sent = 0
        """Bytes."""
        self._comments: deque[Comment] = deque()
        """About what has not left yet, in order."""

    def opened(self, peer: Endpoint, ours: Endpoint, opener: End) -> None:
        """The leg stands."""
        self._conversation = Conversation(peer, ours, self._recorder.now())
        self._recorder.write(self._leg, self._conversation.opening(opener))

    def passed(self, sender: End, data: bytes) -> None:
        """Bytes of one of the two streams."""
        for start in range(0, len(data), SEGMENT_SIZE):
            payload = data[start : start + SEGMENT_SIZE]
            packets = self._standing.segment(sender, payload, push=start + SEGMENT_SIZE >= len(data))
            comments = self._comments_on(len(payload)) if sender is End.OURS else []
            self._recorder.write(self._leg, packets, comments)

    def comment(self, comment: Comment) -> None:
        """Something to say about bytes that are to leave."""
        if not self._standing.over:
            self._comments.append(comment)

    def ended(self, sender: End) -> None:
        """One of the two streams ended."""
        self._recorder.write(self._leg, self._standing.end(sender))

    def reset(self, sender: End) -> None:
        """Both streams ended."""
        self._comments.clear()
        self._recorder.write(self._leg, self._standing.reset(sender))

    @property
    def _standing(self) -> Conversation:
        assert self._conversation is not None, "a leg is opened first"
        return self._conversation

    def _comments_on(self, size: int) -> list[str]:
        """What is to be said about the next bytes that leave."""
        start, self._sent = self._sent, self._sent + size
        texts = [comment.text for comment in self._comments if start < comment.stop and comment.start < self._sent]
        while self._comments and self._comments[0].stop <= self._sent:
            self._comments.popleft()
        return texts


class CrossingRecorder:
    """Both legs of one connection; an `alg.edge.proxy.Tap`."""

    def __init__(self, recorder: Recorder) -> None:
        self._legs = tuple(LegRecorder(recorder, leg) for leg in Direction)

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """A leg stands."""
        self._legs[leg].opened(_endpoint(peer), _endpoint(ours), _end(by_peer))

    def received(self, leg: Direction, data: bytes) -> None:
        """Bytes came from the peer."""
        self._legs[leg].passed(End.PEER, data)

    def sent(self, leg: Direction, data: bytes) -> None:
        """Bytes left for the peer."""
        self._legs[leg].passed(End.OURS, data)

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """One side of a leg sends no more."""
        self._legs[leg].ended(_end(by_peer))

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """A leg was reset."""
        self._legs[leg].reset(_end(by_peer))

    def note(self, record: MessageRecord | StreamRecord) -> None:
        """What the ALG did to a message; it leaves on the other leg."""
        if isinstance(record, MessageRecord) and record.rewrites:
            stop = record.offset_out + len(record.after)
            self._legs[record.direction.opposite].comment(Comment(record.offset_out, stop, describe(record)))


def describe(record: MessageRecord) -> str:
    """Which rules changed a message, and by how much it grew: `INVITE rewritten by Via, Contact: +6 bytes`."""
    rules = ", ".join(dict.fromkeys(rewrite.rule for rewrite in record.rewrites))
    unit = "byte" if abs(record.growth) == 1 else "bytes"
    return f"{record.summary.title[:_MOST_TITLE]} rewritten by {rules}: {record.growth:+d} {unit}"


def open_recorder(path: str, setting: str, clock: Callable[[], int], complain: Callable[[OSError], None]) -> Recorder:
    """A recorder into a new file; ConfigError naming `setting` if it cannot be written."""
    try:
        with ExitStack() as stack:
            writer = PcapngWriter(stack.enter_context(open(path, "wb")), "sipalg proxy", INTERFACES)
            stack.pop_all()
    except OSError as failure:
        raise ConfigError(f"{setting} {path}: {failure.strerror}") from None
    return Recorder(writer, clock, complain)


def _endpoint(address: Address) -> Endpoint:
    return socket.inet_aton(address[0]), address[1]


def _end(by_peer: bool) -> End:
    return End.PEER if by_peer else End.OURS
