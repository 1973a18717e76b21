"""Both directions of one TCP connection through the ALG.

    alg = Alg(AlgConfig(nat=NatConfig(maps=(AddressMap.parse("10.0.30.2=64.100.0.10"),))))
    connection = alg.connection()
    out = connection.feed(Direction.OUTWARD, data, now=12.0)

`Alg` is what all connections of one configuration share; `reconfigure` gives it a new one, which each direction of each
connection takes up at its next message boundary.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from alg.config import AlgConfig, Malformed
from alg.direction import Direction
from alg.errors import SipSyntaxError
from alg.faults.base import Case
from alg.faults.injector import Injector
from alg.faults.spec import Draws, FaultSpec
from alg.nat.media import MediaDoors
from alg.nat.table import Endpoint, NatTable, Protocol
from alg.rewrite import Edit
from alg.sip.framing import Framed, MessageFramer, Passed
from alg.tcp.deltas import DeltaHistory
from alg.trace import MessageRecord, Record, Sink, StreamRecord
from alg.translator import Translator


class Alg:
    """One configuration at work: its NAT table and its translator, shared by connections."""

    def __init__(self, config: AlgConfig, doors: MediaDoors | None = None) -> None:
        self._doors = doors
        self.draws = Draws()
        """The chances of its faults."""
        self.table = NatTable(config.nat)
        self.translator = Translator(config, self.table, doors)

    @property
    def config(self) -> AlgConfig:
        """The configuration in force for messages that start now."""
        return self.translator.config

    @property
    def doors(self) -> MediaDoors | None:
        """The media doors, if the edge has any; used while the configuration says so."""
        return self._doors

    def reconfigure(self, config: AlgConfig) -> None:
        """Put a new configuration in force; bindings that the pool made stay."""
        if config.nat != self.config.nat:
            self.table = NatTable(config.nat, self.table.bindings)
        if config.faults is not self.config.faults:
            self.draws = Draws()
        self.translator = Translator(config, self.table, self._doors)

    def expire(self, now: float, ends: Iterable[Endpoint]) -> None:
        """Close idle doors, release idle bindings.

        `ends` are those of the TCP connections that stand; `now` is in seconds, from any clock.
        """
        in_use = {(Protocol.TCP, end) for end in ends}
        if self._doors is not None:
            self._doors.expire(now)
            in_use.update((Protocol.UDP, end) for end in self._doors.ends())
        self.table.expire(now, in_use)

    def connection(
        self, ports: frozenset[int] | None = None, sink: Sink | None = None, keep_deltas: bool = False
    ) -> AlgConnection:
        """A connection whose local and remote ports are `ports`; None stands for a SIP port."""
        return AlgConnection(self, ports, sink, keep_deltas)


class AlgConnection:
    """One TCP connection: feed it bytes of either direction, send on what comes out."""

    def __init__(
        self, alg: Alg, ports: frozenset[int] | None = None, sink: Sink | None = None, keep_deltas: bool = False
    ) -> None:
        self._doors = alg.doors
        self.injector: Injector | None = None
        """What is done wrong on purpose to its messages."""
        self.take_up_faults(alg)
        self._streams = tuple(_Stream(alg, self, direction, ports, sink, keep_deltas) for direction in Direction)

    def take_up_faults(self, alg: Alg) -> None:
        """The faults of the configuration in force now."""
        faults = alg.config.faults
        if self.injector is None or self.injector.specs != faults:
            self.injector = Injector(faults, alg.draws) if faults else None

    def feed(self, direction: Direction, data: bytes, now: float = 0.0) -> bytes:
        """Bytes that came from one side; the bytes to send to the other. `now` is in seconds, from any clock."""
        return self._streams[direction].feed(data, now)

    def close(self, direction: Direction) -> bytes:
        """That side sends no more: the bytes held back, to be sent unchanged before the close is passed on."""
        return self._streams[direction].close()

    def lost(self) -> None:
        """The connection is gone in both directions: the media doors of its calls close."""
        if self._doors is not None:
            self._doors.connection_lost(self)

    def held(self, direction: Direction) -> int:
        """Bytes held back, waiting for the rest of their message."""
        return self._streams[direction].held

    def inside_message(self, direction: Direction) -> bool:
        """Whether the bytes so far end within a message, held back or passing."""
        return self._streams[direction].inside_message

    def deltas(self, direction: Direction) -> DeltaHistory:
        """Growth of the stream, message by message; empty unless the connection keeps deltas."""
        return self._streams[direction].deltas

    def offsets(self, direction: Direction) -> tuple[int, int]:
        """Bytes of one direction that are through: as they came in, and as they went out."""
        stream = self._streams[direction]
        return stream.offset_in, stream.offset_out

    @property
    def must_close(self) -> str | None:
        """Why the configuration wants this connection cut, if it does."""
        return next((stream.must_close for stream in self._streams if stream.must_close), None)


class _Stream:
    """One direction."""

    def __init__(
        self,
        alg: Alg,
        carrier: AlgConnection,
        direction: Direction,
        ports: frozenset[int] | None,
        sink: Sink | None,
        keep_deltas: bool,
    ) -> None:
        self._alg = alg
        self._carrier = carrier
        self._direction = direction
        self._ports = ports
        self._sink = sink
        self._keep_deltas = keep_deltas
        self._translator = alg.translator
        self._framer = self._new_framer(synchronised=True)
        self.deltas = DeltaHistory()
        self.offset_in = 0
        self.offset_out = 0
        self.must_close: str | None = None
        self._pieces = 1
        """Reads or segments that the next message came in; counted, as what follows, where there are faults."""
        self._position = 0
        """Messages before it in the latest."""

    def _new_framer(self, synchronised: bool) -> MessageFramer | None:
        """None where the ALG does not look into the connection."""
        config = self._translator.config
        return MessageFramer(config.limits, synchronised) if config.applies_to(self._ports) else None

    @property
    def held(self) -> int:
        return self._framer.held if self._framer else 0

    @property
    def inside_message(self) -> bool:
        return self._framer is not None and not self._framer.at_boundary

    def feed(self, data: bytes, now: float) -> bytes:
        if self.must_close:
            return b""
        if self._translator is not self._alg.translator and (self._framer is None or self._framer.at_boundary):
            self._take_up_configuration()
        framer = self._framer
        if framer is None:
            return self._advance(data)
        injector = self._carrier.injector
        if injector is not None:
            forgetting = injector.forgets(now)
            if forgetting is not None:
                return self._swallow(data, forgetting)
            self._pieces, self._position = 1 + (framer.held > 0), 0
        frames = framer.feed(data)
        if len(frames) == 1 and self._translator is self._alg.translator:
            out = self._forward(frames[0], now)
        else:
            out = self._forward_all(frames, now)
        if self._sink is not None and framer.held:
            self._note("hold", framer.held, f"{framer.held} bytes wait for the rest of their message")
        return out

    def _forward_all(self, frames: list[Framed | Passed], now: float) -> bytes:
        """Several frames; a new configuration holds from the second on, the first having been under way."""
        pieces = []
        framer = self._framer
        for frame in frames:
            pieces.append(self._forward(frame, now))
            if self._translator is not self._alg.translator:
                self._take_up_configuration()
        if framer is not None and framer is not self._framer:
            pieces.append(self._advance(framer.close()))
        return b"".join(pieces)

    def _take_up_configuration(self) -> None:
        """The configuration in force now, at a message boundary; an ALG switched on in mid-stream has to find one."""
        self._translator = self._alg.translator
        self._carrier.take_up_faults(self._alg)
        if self._framer is None or not self._translator.config.applies_to(self._ports):
            self._framer = self._new_framer(synchronised=False)
        else:
            self._framer.limits = self._translator.config.limits

    def _forward(self, frame: Framed | Passed, now: float) -> bytes:
        """What leaves for one frame."""
        if isinstance(frame, Passed):
            return self._pass(frame)
        if self._framer is None:
            return self._advance(frame.data)
        before = frame.data
        doors = self._alg.doors
        if doors is not None:
            doors.attend(self._carrier, now)
        injector = self._carrier.injector
        if injector is None:
            after, edits = self._translator.translate(frame, self._direction)
        else:
            after, edits = self._translate_faultily(injector, frame)
        if doors is not None:
            doors.observe(before)
        if self._sink is not None:
            self._sink(self._message_record(frame, after, edits))
        start = self.offset_in, self.offset_out
        self.offset_in += len(before)
        self.offset_out += len(after)
        if self._keep_deltas and len(after) != len(before):
            self.deltas.record(start, (self.offset_in, self.offset_out))
        return after

    def _translate_faultily(self, injector: Injector, frame: Framed) -> tuple[bytes, list[Edit]]:
        """The message as faults leave it, each with a record."""
        backward = partial(self._translator.address_edits, frame, self._direction.opposite, doors=False)
        case = Case(frame, self._direction, self._alg.table, backward, self._pieces, self._position)
        self._pieces = 1
        self._position += 1
        outcome = injector.translate(self._translator, case)
        for spec in outcome.struck:
            self._note_fault(spec, len(frame.data))
        return outcome.after, outcome.edits

    def _swallow(self, data: bytes, spec: FaultSpec) -> bytes:
        """Bytes that a fault keeps from leaving."""
        self._note_fault(spec, len(data))
        start = self.offset_in, self.offset_out
        self.offset_in += len(data)
        if self._keep_deltas:
            self.deltas.record(start, (self.offset_in, self.offset_out))
        return b""

    def _pass(self, frame: Passed) -> bytes:
        """Bytes that nobody is to touch, with a record of why."""
        injector = self._carrier.injector
        if frame.error is None and injector is not None:
            swallowing = injector.swallows(self._direction, frame.data)
            if swallowing is not None:
                return self._swallow(frame.data, swallowing)
        if frame.error is not None:
            if self._sink is not None:
                self._note("passthrough", len(frame.data), str(frame.error))
            if self._translator.config.malformed is Malformed.CLOSE and isinstance(frame.error, SipSyntaxError):
                self.must_close = str(frame.error)
                return b""
        return self._advance(frame.data)

    def _advance(self, data: bytes) -> bytes:
        self.offset_in += len(data)
        self.offset_out += len(data)
        return data

    def close(self) -> bytes:
        held = self._framer.close() if self._framer else b""
        if held and self._sink is not None:
            self._note("passthrough", len(held), "stream ended inside a message")
        return self._advance(held)

    def _note_fault(self, spec: FaultSpec, length: int) -> None:
        if self._sink is not None:
            self._note("fault", length, spec.text)

    def _note(self, rule: str, length: int, reason: str) -> None:
        assert self._sink is not None, "records are made only while somebody listens"
        span = (self.offset_in, self.offset_in + length)
        self._sink(StreamRecord(self._direction, Record(rule, span, b"", b"", reason)))

    def _message_record(self, frame: Framed, after: bytes, edits: list[Edit]) -> MessageRecord:
        data = frame.data
        rewrites = tuple(
            Record(rule, (start, stop), data[start:stop], new, _reason(rule, new)) for start, stop, new, rule in edits
        )
        return MessageRecord(self._direction, self.offset_in, self.offset_out, after, frame, rewrites)


def _reason(rule: str, new: bytes) -> str:
    """Why an edit was made."""
    if rule.endswith("Content-Length"):
        return "body changed its length"
    return "address is mapped" if b"." in new else "port is mapped"
