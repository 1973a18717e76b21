"""A capture of what crosses a proxy: each leg of a connection on its own interface, `inside` or `outside`.

Strategy: the proxy tells what its sockets read, what the kernel took from them, and how streams ended; a
`Conversation` for each leg makes packets of it, which are written at once. Records of the ALG arrive before the bytes
that they speak of leave, and become comments on them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from weakref import WeakValueDictionary

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.trace import AnyRecord, MessageRecord, Sink
from harness.capture.capture_file import CaptureFile, open_capture
from harness.capture.comments import Comments
from harness.capture.conversation import SEGMENT_SIZE, Conversation, End, Endpoint, Told
from harness.capture.holding import HeldFile
from harness.capture.pcapng import Flow

_FLOWS = {End.PEER: Flow.INBOUND, End.OURS: Flow.OUTBOUND}


class Recorder:
    """Captures all connections of a proxy into one file."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file
        self._crossings: WeakValueDictionary[int, CrossingRecorder] = WeakValueDictionary()
        """By number; each lives as long as the proxy's connection."""

    def tap(self, connection: int) -> CrossingRecorder:
        """What the proxy is to tell about one connection."""
        crossing = self._crossings[connection] = CrossingRecorder(self._file)
        return crossing

    def sink(self, connection: int) -> Sink:
        """What the ALG is to tell about a connection; it counts once that is tapped."""

        def note(record: AnyRecord) -> None:
            crossing = self._crossings.get(connection)
            if crossing is not None:
                crossing.note(record)

        return note

    def secrets(self, key_log: bytes) -> None:
        """What decrypts the packets that follow: lines of the SSLKEYLOGFILE format."""
        self._file.secrets(key_log)

    def close(self) -> None:
        """Close the file; what happens from now on is not captured."""
        self._file.close()


class LegRecorder:
    """One leg of a connection that is captured."""

    def __init__(self, file: CaptureFile | HeldFile, leg: Direction) -> None:
        self._file = file
        self._leg = leg
        self._conversation: Conversation | None = None
        self._sent = 0
        """Bytes."""
        self._comments = Comments()
        """About what has not left yet."""

    def opened(self, peer: Endpoint, ours: Endpoint, opener: End) -> None:
        """The leg stands."""
        self._conversation = Conversation(peer, ours, self._file.now())
        self._write(self._conversation.opening(opener))

    def refused(self, peer: Endpoint, ours: Endpoint, opener: End) -> None:
        """A leg could not be opened, as nobody listens."""
        self._write(Conversation(peer, ours, self._file.now()).refusal(opener))

    def passed(self, sender: End, data: bytes) -> None:
        """Bytes of one of the two streams."""
        for start in range(0, len(data), SEGMENT_SIZE):
            payload = data[start : start + SEGMENT_SIZE]
            packets = self._standing.segment(sender, payload, push=start + SEGMENT_SIZE >= len(data))
            self._write(packets, self._comments_on(len(payload)) if sender is End.OURS else ())

    def note(self, record: MessageRecord) -> None:
        """A message that is to leave."""
        if not self._standing.over:
            self._comments.note(record)

    def ended(self, sender: End) -> None:
        """One of the two streams ended."""
        self._write(self._standing.end(sender))

    def reset(self, sender: End) -> None:
        """Both streams ended."""
        self._comments.clear()
        self._write(self._standing.reset(sender))

    @property
    def _standing(self) -> Conversation:
        assert self._conversation is not None, "a leg is opened first"
        return self._conversation

    def _comments_on(self, size: int) -> list[str]:
        """What is to be said about the next bytes that leave."""
        start, self._sent = self._sent, self._sent + size
        texts = self._comments.on(start, self._sent)
        self._comments.settle(self._sent)
        return texts

    def _write(self, packets: Iterable[Told], comments: Iterable[str] = ()) -> None:
        """Packets with comments on the first."""
        for number, (sender, data) in enumerate(packets):
            self._file.write(self._leg, data, _FLOWS[sender], () if number else comments)


class CrossingRecorder:
    """Both legs of one connection; an `alg.edge.proxy.Tap`."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = HeldFile(file)
        self._legs = tuple(LegRecorder(self._file, leg) for leg in Direction)
        self._clear = True
        """What crosses is what the ALG speaks of."""

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """A leg stands."""
        self._legs[leg].opened(endpoint(peer), endpoint(ours), _end(by_peer))

    def received(self, leg: Direction, data: bytes) -> None:
        """Bytes came from the peer."""
        self._legs[leg].passed(End.PEER, data)

    def sent(self, leg: Direction, data: bytes) -> None:
        """Bytes left for the peer."""
        self._legs[leg].passed(End.OURS, data)

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """One side of a leg sends no more."""
        self._file.release()
        self._legs[leg].ended(_end(by_peer))

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """A leg was reset."""
        self._file.release()
        self._legs[leg].reset(_end(by_peer))

    def terminated(self) -> None:
        """What crosses is cipher text of our own; it waits for the secrets."""
        self._clear = False
        self._file.hold()

    def revealed(self) -> None:
        """The secrets are in the file."""
        self._file.release()

    def note(self, record: AnyRecord) -> None:
        """What the ALG did to a message; it leaves on the other leg."""
        if self._clear and isinstance(record, MessageRecord):
            self._legs[record.direction.opposite].note(record)


def open_recorder(flag: str | None, file: str | None, say: Callable[[str], None]) -> Recorder | None:
    """A recorder into the file of `open_capture`, if there is to be one."""
    capture = open_capture(flag, file, "sipalg proxy", say)
    return None if capture is None else Recorder(capture)


def endpoint(address: Address) -> Endpoint:
    """In the form that a capture has it."""
    return socket.inet_aton(address[0]), address[1]


def _end(by_peer: bool) -> End:
    return End.PEER if by_peer else End.OURS
