"""Events: one JSON object a line, for machines.

Every object has `time` (seconds since 1970) and `event`; those of a connection have `connection`, those of a stream
`direction`. Bytes appear as text, those that are no UTF-8 as replacement characters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TextIO

import msgspec

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.nat.media import Door
from alg.trace import AnyRecord, MessageRecord, Record, Sink, TlsRecord

_encode = msgspec.json.Encoder().encode


class Crossed(Protocol):
    """A connection that counts, such as `alg.connection.AlgConnection` or `alg.tcp.flow.TcpFlow`."""

    def offsets(self, direction: Direction) -> tuple[int, int]:
        """Bytes of one direction that are through: as they came in, and as they went out."""


class EventLog:
    """Writes events to a text file, each line as soon as it is known."""

    def __init__(self, file: TextIO, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        """seconds since 1970"""

    def emit(self, event: str, **fields: Any) -> None:
        """One line."""
        self._file.write(_encode({"time": round(self._clock(), 6), "event": event, **fields}).decode() + "\n")

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """A connection stands."""
        self.emit(
            "connected", connection=connection, client=_text(client), listener=_text(listener), target=_text(target)
        )

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached."""
        self.emit("refused", connection=connection, client=_text(client), target=_text(target), reason=reason)

    def closed(self, connection: int, reason: str, alg: Crossed) -> None:
        """The connection is over; bytes that came in and went out in each direction."""
        counts = {}
        for direction in Direction:
            counts[direction.label] = dict(zip(("bytes_in", "bytes_out"), alg.offsets(direction), strict=True))
        self.emit("closed", connection=connection, reason=reason, **counts)

    def sink(self, connection: int) -> Sink:
        """A sink of the records of one connection."""

        def write(record: AnyRecord) -> None:
            if isinstance(record, MessageRecord):
                self._message(connection, record)
            elif isinstance(record, TlsRecord):
                self._tls(connection, record)
            else:
                deed = record.record
                self.emit(
                    deed.rule,
                    connection=connection,
                    direction=record.direction.label,
                    offset=deed.span[0],
                    length=deed.span[1] - deed.span[0],
                    reason=deed.reason,
                )

        return write

    def _message(self, connection: int, record: MessageRecord) -> None:
        summary = record.summary
        kind = {"method": summary.method} if summary.method is not None else {"status": summary.status}
        common = {
            "connection": connection,
            "direction": record.direction.label,
            **kind,
            "call_id": summary.call_id,
            "cseq": summary.cseq,
        }
        self.emit(
            "message",
            **common,
            offset=record.offset_in,
            length_in=len(record.before),
            length_out=len(record.after),
            delta=record.growth,
            edits=[_edit(rewrite) for rewrite in record.rewrites],
        )
        for rewrite in record.rewrites:
            self.emit("rewrite", **common, **_edit(rewrite), reason=rewrite.reason)

    def _tls(self, connection: int, record: TlsRecord) -> None:
        start, stop = record.span
        common = {
            "connection": connection,
            "direction": record.direction.label,
            "action" if record.deed else "message": record.what,
            "offset": start,
            "length": stop - start,
        }
        self.emit("tls", **{**record.details, **common})

    def door(self, action: str, door: Door | None, **fields: Any) -> None:
        """A media door opened, closed, or (without a door) could not be opened."""
        known = {}
        if door is not None:
            known = {"direction": door.direction.label, "endpoint": str(door.rtp), "door": str(door.outer)}
        self.emit("door", action=action, **known, **fields)


def _edit(rewrite: Record) -> dict[str, Any]:
    return {
        "rule": rewrite.rule,
        "offset": rewrite.span[0],
        "before": rewrite.before.decode("utf-8", "replace"),
        "after": rewrite.after.decode("utf-8", "replace"),
    }


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def open_events(path: str) -> TextIO:
    """The file of an event log; ConfigError if it cannot be written."""
    try:
        return open(path, "w", encoding="utf-8", buffering=1)
    except OSError as failure:
        raise ConfigError(f"--events {path}: {failure.strerror}") from None
