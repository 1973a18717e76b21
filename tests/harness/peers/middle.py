"""The wire between two peers, seen from a firewall in the middle: what is in clear on either side of it, and resets."""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from alg.direction import Direction
from alg.edge.entrance import Address
from alg.tls.records import TlsObserver
from alg.tls.sightings import Message, Sender, Sighting
from harness.peers.firewall import Firewall
from harness.peers.tls_rows import Situation
from tests.harness.peers.ends import now
from tests.harness.peers.turning import Turned

INSIDE, OUTSIDE = Direction.OUTWARD, Direction.INWARD
"""Legs, each named by the direction of what its peer sends."""


@dataclass
class Seen:
    """What crossed."""

    client: Direction
    """Who connected."""
    sightings: dict[Direction, list[Sighting]] = field(default_factory=lambda: {leg: [] for leg in Direction})
    resets: list[tuple[Direction, bool]] = field(default_factory=list)
    """On which leg, and whether its peer sent it."""
    ends: list[tuple[Direction, bool]] = field(default_factory=list)
    """The same of FIN."""

    def __post_init__(self) -> None:
        self._observers = {leg: TlsObserver() for leg in Direction}

    @property
    def alerts(self) -> list[tuple[Direction, str, str]]:
        """Those in clear that reached somebody: by whom, level, description."""
        return [
            (leg.opposite, str(each.details["level"]), str(each.details["description"]))
            for leg in Direction
            for each in self.sightings[leg]
            if each.message is Message.ALERT and each.sender is not self.sender(leg)
        ]

    def chain(self, shown_by: Direction) -> int:
        """Certificates that somebody showed to the other one; 0 if none were seen."""
        found = [
            each
            for each in self.sightings[shown_by.opposite]
            if each.message in {Message.CLIENT_CERTIFICATE, Message.SERVER_CERTIFICATE}
            and each.sender is self.sender(shown_by)
        ]
        return int(str(found[0].details["chain"])) if found else 0

    def said(self, leg: Direction, sender: Direction) -> list[Message]:
        """What one party said, as seen on a leg."""
        return [each.message for each in self.sightings[leg] if each.sender is self.sender(sender)]

    def sender(self, side: Direction) -> Sender:
        """The part that a side plays."""
        return Sender.CLIENT if side is self.client else Sender.SERVER

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """A leg stands."""

    def received(self, leg: Direction, data: bytes) -> None:
        """From a peer."""
        self.sightings[leg] += self._observers[leg].feed(self.sender(leg), data)

    def sent(self, leg: Direction, data: bytes) -> None:
        """To a peer."""
        self.sightings[leg] += self._observers[leg].feed(self.sender(leg.opposite), data)

    def terminated(self) -> None:
        """Never happens here."""

    def revealed(self) -> None:
        """Neither does that."""

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """FIN."""
        self.ends.append((leg, by_peer))

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """RST."""
        self.resets.append((leg, by_peer))


class Middle:
    """A firewall with the rules of the situation."""

    def __init__(self, turned: Turned) -> None:
        self.seen = Seen(INSIDE)
        self._turned = turned
        self._firewall: Firewall | None = None

    def way(self, server: Address, situation: Situation) -> Address:
        """Through it."""
        self.seen = Seen(OUTSIDE if situation.inbound else INSIDE)
        self._firewall = Firewall(self._turned.reactor, situation.inspection, now, tap=lambda _: self.seen)
        return self._firewall.open(("127.0.0.4", 0), server, situation.inbound)

    def close(self) -> None:
        """It is gone."""
        if self._firewall is not None:
            self._turned.result(Deferred.fromCoroutine(self._firewall.close()))
