"""A capture on one SIP element, as the packet dump in a diagnostic log: its connections, those that fail among them.

Strategy: an ear of the element's transport knows connections and the messages that cross them; a layer around TLS
knows what crosses as it is on the wire. Both make packets by `Conversation`. A SYN that nobody answers is written
again each time the kernel says that it has sent it again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alg.direction import Direction
from harness.capture.capture_file import CaptureFile
from harness.capture.conversation import SEGMENT_SIZE, Conversation, End, Told
from harness.capture.pcapng import Flow as PacketFlow
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.security import Layer, Step
from harness.sip.stream import KeepAlive
from harness.sip.uri import Address

_FLOWS = {End.PEER: PacketFlow.INBOUND, End.OURS: PacketFlow.OUTBOUND}
_GLANCE = 0.05
"""Seconds between two looks at what the kernel has sent again."""

Ends = tuple[Address, Address]
"""Ours, and the other one."""
Side = Callable[[Address, Address], Direction | None]
"""The interface that a connection between these ends, ours first, is captured on; None if it is not."""


@dataclass(slots=True)
class _Connection:
    conversation: Conversation
    side: Direction
    syn: Told
    answers: list[Told]
    """The rest of the handshake, which may never come."""
    tries: list[int]
    """When each SYN left, in nanoseconds since 1970."""
    repeated: int = 0
    watch: Any = None


class PacketTap(Tap):
    """Captures the connections of one element."""

    def __init__(
        self,
        reactor: Any,
        file: CaptureFile,
        side: Side,
        repeated: Callable[[Address, Address], int],
        failed_only: bool = False,
    ) -> None:
        """`repeated` says how often the kernel has repeated the SYN of a connection that is being made; with
        `failed_only` nothing is captured of one that stands.
        """
        self.repeats: dict[Address, int] = {}
        """How often the SYN of each connection that failed was repeated, by where it went."""
        self.refused: list[Address] = []
        """Where nobody listened."""
        self._reactor = reactor
        self._file = file
        self._side = side
        self._repeated = repeated
        self._failed_only = failed_only
        self._connections: dict[Ends, _Connection] = {}

    def layer(self, inner: Layer) -> Layer:
        """TLS that is captured as it goes over the wire."""
        return _CapturedLayer(inner, self)

    def secrets(self, line: bytes) -> None:
        """What decrypts it: a line of the SSLKEYLOGFILE format, as OpenSSL gives it."""
        self._file.secrets(line + b"\n")

    def connecting(self, local: Address, target: Target) -> None:
        """SYN."""
        connection = self._begin(local, target.address, End.OURS)
        if connection is not None:
            if not self._failed_only:
                self._write(connection, [connection.syn])
            self._look(local, target.address)

    def connected(self, flow: Flow) -> None:
        """The rest of the handshake; all of it if the other side began."""
        connection = self._connections.get((flow.local, flow.remote))
        if self._failed_only:
            if connection is not None:
                self._watch_no_more(connection)
                del self._connections[flow.local, flow.remote]
            return
        if connection is None:
            connection = self._begin(flow.local, flow.remote, End.PEER)
            if connection is not None:
                self._write(connection, [connection.syn])
        if connection is not None:
            self._watch_no_more(connection)
            self._write(connection, connection.answers)
            connection.answers = []

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """RST, or nothing."""
        connection = self._connections.get((local, failure.target.address))
        if connection is None or not connection.answers:
            return
        self._watch_no_more(connection)
        del self._connections[local, failure.target.address]
        self.repeats[failure.target.address] = connection.repeated
        if self._failed_only:
            sender, data = connection.syn
            for at in connection.tries:
                self._file.write(connection.side, data, _FLOWS[sender], at=at)
        if failure.loss is Loss.REFUSED:
            self.refused.append(failure.target.address)
            self._write(connection, connection.conversation.reset(End.PEER))

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """FIN of both sides, the first from who closed, or RST."""
        connection = self._connections.pop((flow.local, flow.remote), None)
        if connection is None:
            return
        first = End.OURS if loss in (Loss.HUNG_UP, Loss.TLS, Loss.OVERSIZE, Loss.UNFRAMED) else End.PEER
        talk = connection.conversation
        if loss is Loss.RESET:
            self._write(connection, talk.reset(End.PEER))
        else:
            self._write(connection, [*talk.end(first), *talk.end(first.other)])

    def sent(self, flow: Flow, data: bytes) -> None:
        """A message, where no layer sees it."""
        if flow.kind == "TCP":
            self.passed(flow.local, flow.remote, End.OURS, data)

    def received(self, flow: Flow, data: bytes) -> None:
        """A message, where no layer sees it."""
        if flow.kind == "TCP":
            self.passed(flow.local, flow.remote, End.PEER, data)

    def kept_alive(self, flow: Flow, what: KeepAlive) -> None:
        """Line ends, where no layer sees them."""
        if flow.kind == "TCP":
            self.passed(flow.local, flow.remote, End.PEER, b"\r\n\r\n" if what is KeepAlive.PING else b"\r\n")

    def passed(self, local: Address, remote: Address, sender: End, data: bytes) -> None:
        """Bytes of a connection."""
        connection = self._connections.get((local, remote))
        if connection is None:
            return
        for start in range(0, len(data), SEGMENT_SIZE):
            piece = data[start : start + SEGMENT_SIZE]
            self._write(connection, connection.conversation.segment(sender, piece, start + SEGMENT_SIZE >= len(data)))

    def close(self) -> None:
        """Look no more."""
        for connection in self._connections.values():
            self._watch_no_more(connection)

    def _begin(self, local: Address, remote: Address, opener: End) -> _Connection | None:
        side = self._side(local, remote)
        if side is None:
            return None
        conversation = Conversation(_endpoint(remote), _endpoint(local), self._file.now())
        syn, *answers = conversation.opening(opener)
        connection = _Connection(conversation, side, syn, answers, [self._file.now()])
        self._connections[local, remote] = connection
        return connection

    def _look(self, local: Address, remote: Address) -> None:
        connection = self._connections[local, remote]
        repeated = self._repeated(local, remote)
        if not self._failed_only:
            self._write(connection, [connection.syn] * (repeated - connection.repeated))
        connection.tries += [self._file.now() for _ in range(repeated - connection.repeated)]
        connection.repeated = max(repeated, connection.repeated)
        connection.watch = self._reactor.callLater(_GLANCE, self._look, local, remote)

    @staticmethod
    def _watch_no_more(connection: _Connection) -> None:
        if connection.watch is not None and connection.watch.active():
            connection.watch.cancel()

    def _write(self, connection: _Connection, packets: list[Told]) -> None:
        for sender, data in packets:
            self._file.write(connection.side, data, _FLOWS[sender])


class _CapturedLayer:
    """A `Layer` that tells what it takes and gives."""

    def __init__(self, inner: Layer, tap: PacketTap) -> None:
        self._inner = inner
        self._tap = tap
        self._ends: Ends = ("", 0), ("", 0)

    @property
    def up(self) -> bool:
        """As the layer has it."""
        return self._inner.up

    def opened(self, local: Address, remote: Address) -> Step:
        """As the layer has it."""
        self._ends = local, remote
        return self._told(self._inner.opened(local, remote))

    def feed(self, data: bytes) -> Step:
        """As the layer has it; keys that become known come before the bytes that need them."""
        step = self._inner.feed(data)
        self._tap.passed(*self._ends, End.PEER, data)
        return self._told(step)

    def write(self, clear: bytes) -> Step:
        """As the layer has it."""
        return self._told(self._inner.write(clear))

    def hang_up(self) -> Step:
        """As the layer has it."""
        return self._told(self._inner.hang_up())

    def lost(self, loss: Loss) -> None:
        """As the layer has it."""
        self._inner.lost(loss)

    def _told(self, step: Step) -> Step:
        if step.send:
            self._tap.passed(*self._ends, End.OURS, step.send)
        return step


def _endpoint(address: Address) -> tuple[bytes, int]:
    return socket.inet_aton(address[0]), address[1]


def syn_repeated(local: Address, remote: Address) -> int:
    """How often the kernel has repeated the SYN of a connection that is being made; 0 if there is none such.

    Column `retrnsmt` of /proc/net/tcp (proc_tcp.txt), of a socket in state SYN_SENT.
    """
    wanted = [_proc(local), _proc(remote), "02"]
    try:
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table:
                columns = line.split()
                if columns[1:4] == wanted:
                    return int(columns[6], 16)
    except OSError:
        return 0
    return 0


def _proc(address: Address) -> str:
    packed = int.from_bytes(socket.inet_aton(address[0]), "little")
    return f"{packed:08X}:{address[1]:04X}"
