"""Records: what was done to every message, hold and bypass, and why.

Records are made only while somebody listens. A sink is any callable that takes one; it must not keep the connection
waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alg.direction import Direction
from alg.sip import message
from alg.sip.framing import Framed


@dataclass(frozen=True, slots=True)
class Record:
    """One deed: a rewrite of some bytes, a hold, a stretch that passed untouched."""

    rule: str
    """The rule behind it: `Contact`, `SDP c=`, `Content-Length`, `hold`, `passthrough`."""
    span: tuple[int, int]
    """Start and stop: of a rewrite within its message, otherwise within the stream of that direction."""
    before: bytes
    """The bytes that stood there (empty for holds and bypasses)."""
    after: bytes
    """The bytes that stand there now."""
    reason: str
    """Why, for a person."""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One whole message that went through."""

    direction: Direction
    offset_in: int
    """Where it starts in the stream as it came, in bytes."""
    offset_out: int
    """Where it starts in the stream as it left, in bytes."""
    after: bytes
    """The message as it left."""
    framed: Framed
    """The message as it came, with its landmarks."""
    rewrites: tuple[Record, ...]
    """In the order of the message."""

    @property
    def before(self) -> bytes:
        """The message as it came."""
        return self.framed.data

    @property
    def header_size(self) -> int:
        """Bytes of `before` up to and with the empty line."""
        return self.framed.body

    @property
    def growth(self) -> int:
        """Bytes by which this message grew."""
        return len(self.after) - len(self.before)

    @property
    def summary(self) -> message.Summary:
        """Method or status, Call-ID and CSeq."""
        return message.summarise(self.before)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """Something about a stretch of one direction that is no rewritten message."""

    direction: Direction
    record: Record


@dataclass(frozen=True, slots=True)
class TlsRecord:
    """Something seen of a TLS connection, or done to it."""

    direction: Direction
    """Of the bytes in question."""
    span: tuple[int, int]
    """Start and stop within the stream of that direction, as it came in."""
    what: str
    """A message (`client-hello`), or a deed (`reset`)."""
    deed: bool
    """Whether it is one, or a word on why there was none (`not-tls`, `not-applied`)."""
    details: Mapping[str, object]
    """What the message says, or what was done and why: texts, numbers and lists of them."""


AnyRecord = MessageRecord | StreamRecord | TlsRecord
Sink = Callable[[AnyRecord], None]


def tee(*sinks: Sink) -> Sink | None:
    """One sink for several; None for none, which keeps the connection on its fast path."""
    if len(sinks) < 2:
        return sinks[0] if sinks else None

    def spread(record: AnyRecord) -> None:
        for sink in sinks:
            sink(record)

    return spread
