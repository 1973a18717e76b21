"""What a capture on both sides of the ALG shows: SIP messages by side and sender, ends of connections, keep-alives.

Strategy: the ALG's taps bring bytes; they are cut into messages only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.edge.observing import Tap
from alg.errors import SipSyntaxError
from harness.sip.message import Request, Response, parse
from harness.sip.stream import Item, KeepAlive, StreamReader

_NO_LIMIT = 10**9
Message = Request | Response


@dataclass(slots=True)
class Leg:
    """One side of one connection."""

    side: Direction
    """OUTWARD is the inside leg."""
    peer: Address = ("", 0)
    ours: Address = ("", 0)
    """Its ends; the first one is the endpoint's."""
    from_peer: bytearray = field(default_factory=bytearray)
    """What its endpoint sent."""
    pieces: list[int] = field(default_factory=list)
    """Where in that each piece begins, as it was read."""
    to_peer: bytearray = field(default_factory=bytearray)
    """What the ALG sent to it."""
    resets: list[bool] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)
    """RST and FIN, each with whether the endpoint sent it."""


class Wire:
    """All connections of one ALG."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self._pairs: list[tuple[Leg, Leg]] = []
        """Both legs of each connection, in either order."""

    def tap(self, then: Tap) -> Tap:
        """Of one connection; what it hears is passed on."""
        legs = Leg(Direction.OUTWARD), Leg(Direction.INWARD)
        self.legs += legs
        self._pairs += [legs, legs[::-1]]
        return _WireTap(legs, then)

    def on(self, side: Direction) -> list[Leg]:
        """The legs of one side."""
        return [leg for leg in self.legs if leg.side is side]

    def streams(self, side: Direction, from_peer: bool) -> list[bytes]:
        """The bytes of each connection on one side, those of its endpoint or those towards it."""
        return [bytes(leg.from_peer if from_peer else leg.to_peer) for leg in self.on(side)]

    def messages(self, side: Direction, from_peer: bool) -> list[Message]:
        """Those that are whole, connection by connection."""
        return [message for data in self.streams(side, from_peer) for message in _messages(data)]

    def requests(self, side: Direction, from_peer: bool, method: str) -> list[Request]:
        """Those of a method."""
        return [each for each in self.messages(side, from_peer) if isinstance(each, Request) and each.method == method]

    def responses(self, side: Direction, from_peer: bool, status: int, method: str) -> list[Response]:
        """Those with a status, to requests of a method."""
        return [
            each
            for each in self.messages(side, from_peer)
            if isinstance(each, Response) and each.status == status and each.cseq.method == method
        ]

    def came_in(self, side: Direction) -> int:
        """Bytes that have come from the endpoint of a side."""
        return sum(map(len, self.streams(side, from_peer=True)))

    def reset_by(self, side: Direction) -> bool:
        """Whether the endpoint of a side reset a connection."""
        return any(by_peer for leg in self.on(side) for by_peer in leg.resets)

    def ended_by(self, side: Direction) -> bool:
        """Whether the endpoint of a side has been the first to end a connection."""
        return any(leg.ends[:1] == [True] for leg in self.on(side))

    def lost_by(self, side: Direction) -> bool:
        """Whether the endpoint of a side lost a connection that it had not ended itself."""
        return any(not by_peer for leg in self.on(side) for by_peer in (*leg.resets, *leg.ends[:1]))

    def unreached(self, side: Direction) -> bool:
        """Whether the endpoint of a side was here in vain, as no leg to the other endpoint came about."""
        return any(here.peer[1] and not there.peer[1] for here, there in self._pairs if here.side is side)

    def pings(self, side: Direction, from_peer: bool) -> int:
        """Keep-alives of a client (RFC 5626 3.5.1)."""
        return self._kept_alive(side, from_peer, KeepAlive.PING)

    def pongs(self, side: Direction, from_peer: bool) -> int:
        """Answers to them."""
        return self._kept_alive(side, from_peer, KeepAlive.PONG)

    def _kept_alive(self, side: Direction, from_peer: bool, what: KeepAlive) -> int:
        return sum(_items(data, what is KeepAlive.PING).count(what) for data in self.streams(side, from_peer))

    @property
    def size(self) -> int:
        """Bytes of all connections, which grows while something moves."""
        return sum(len(leg.from_peer) + len(leg.to_peer) for leg in self.legs)


class _WireTap:
    def __init__(self, legs: tuple[Leg, ...], then: Tap) -> None:
        self._legs = legs
        self._then = then

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        self._legs[leg].peer, self._legs[leg].ours = peer, ours
        self._then.opened(leg, peer, ours, by_peer)

    def received(self, leg: Direction, data: bytes) -> None:
        self._legs[leg].pieces.append(len(self._legs[leg].from_peer))
        self._legs[leg].from_peer += data
        self._then.received(leg, data)

    def sent(self, leg: Direction, data: bytes) -> None:
        self._legs[leg].to_peer += data
        self._then.sent(leg, data)

    def terminated(self) -> None:
        self._then.terminated()

    def revealed(self) -> None:
        self._then.revealed()

    def ended(self, leg: Direction, by_peer: bool) -> None:
        self._legs[leg].ends.append(by_peer)
        self._then.ended(leg, by_peer)

    def reset(self, leg: Direction, by_peer: bool) -> None:
        self._legs[leg].resets.append(by_peer)
        self._then.reset(leg, by_peer)


def _messages(data: bytes) -> Iterator[Message]:
    for item in _items(data, serves=True):
        if isinstance(item, bytes):
            try:
                yield parse(item)
            except SipSyntaxError:
                continue


def _items(data: bytes, serves: bool) -> list[Item]:
    return StreamReader(serves, max_message=_NO_LIMIT).feed(data)
