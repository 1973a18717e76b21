"""Messages through an ALG with faults, and what a right one makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.config import AddressMap, AlgConfig, MediaMode, NatConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.faults.spec import FaultSpec
from alg.nat.media import MediaDoors
from alg.trace import AnyRecord, MessageRecord, StreamRecord

INSIDE, OUTSIDE = "10.0.30.2", "64.100.0.10"
OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD


@dataclass
class Rig:
    """One connection, outward unless said otherwise."""

    faults: tuple[str, ...]
    doors: MediaDoors | None = None
    records: list[AnyRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        maps = (AddressMap.parse(f"{INSIDE}={OUTSIDE}"),)
        specs = tuple(FaultSpec.parse(text) for text in self.faults)
        self.alg = Alg(AlgConfig(NatConfig(maps), faults=specs, media=MediaMode.RELAY), self.doors)
        self.connection: AlgConnection = self.alg.connection(sink=self.records.append, keep_deltas=True)

    def send(self, *pieces: bytes, direction: Direction = OUTWARD, now: float = 0.0) -> bytes:
        """What leaves for these reads."""
        return b"".join(self.connection.feed(direction, piece, now) for piece in pieces)

    @property
    def struck(self) -> list[str]:
        """The faults that left a record, in order."""
        return [each.record.reason for each in self.records if isinstance(each, StreamRecord) and _is_fault(each)]

    @property
    def rules(self) -> list[str]:
        """The rules of all rewrites that were recorded."""
        return [edit.rule for each in self.records if isinstance(each, MessageRecord) for edit in each.rewrites]


def _is_fault(record: StreamRecord) -> bool:
    return record.record.rule == "fault"


def request(
    method: str = "OPTIONS", host: str = INSIDE, body: str = "", kind: str = "application/sdp", more: str = ""
) -> bytes:
    """A request from a host."""
    text = body.replace("\n", "\r\n")
    typed = f"Content-Type: {kind}\r\n" if body else ""
    return (
        f"{method} sip:bob@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/TCP {host};branch=z9hG4bK1\r\nCall-ID: 1@{host}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:alice@{host}>\r\n{more}{typed}Content-Length: {len(text)}\r\n\r\n{text}"
    ).encode()


def session(*lines: str, host: str = INSIDE) -> str:
    """A session description with these lines behind its session part."""
    return "\n".join(("v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", *lines, ""))


def right(*pieces: bytes, direction: Direction = OUTWARD) -> bytes:
    """What an ALG without faults sends."""
    return Rig(()).send(*pieces, direction=direction)
