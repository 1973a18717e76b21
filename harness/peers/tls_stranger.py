"""A peer that is somebody else's: what it does is asked for, and seen at the leg of the firewall that leads to it.

Strategy: a leg has what a capture at the stranger would: certificates and alerts in clear, resets, and records that
carry data. Of these its `Meeting` is made; what it thinks and what it logs nobody tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from twisted.internet import defer

from alg.direction import Direction
from alg.tls.sightings import Message, Sender
from harness.expressway.log.entry import Address
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_watch import Watch

Expect = Callable[[str, Callable[[], bool]], Awaitable[bool]]
"""Asks for something, and waits until it has happened; whether it has."""
_DATA: Final = {(Message.APPLICATION_DATA, sender) for sender in Sender}


class TlsStranger:
    """One of them, with what a `TlsPeer` is asked for."""

    def __init__(self, name: str, address: Address, side: Direction, expect: Expect) -> None:
        """`address` is where it listens, if it does; `side` is the direction of what it sends."""
        self.meetings: list[Meeting] = []
        """One for each connection of the firewall to it, or of it to the firewall."""
        self.concluded: defer.Deferred[Meeting] = defer.Deferred()
        """Fires when the first one has ended, or has carried data both ways."""
        self._name = name
        self._address = address
        self._side = side
        self._expect = expect

    def listen(self, address: Address) -> Address:
        """Where it does, whatever is wanted."""
        return self._address

    def connect(self, source: str, target: Address, timeout: float) -> defer.Deferred[None]:
        """Ask for a connection; fires when it has come, or does not come."""

        async def ask() -> None:
            order = f"{self._name}: connect to {target[0]}:{target[1]} with mutual TLS 1.2, and send a SIP request"
            if not await self._expect(order, lambda: bool(self.meetings)):
                self.conclude(Meeting(False, loss=Loss.UNREACHABLE))

        return defer.Deferred.fromCoroutine(ask())

    def tap(self, connection: int) -> Leg:
        """What the firewall is to tell about a connection."""
        return Leg(self, self._side)

    def conclude(self, meeting: Meeting) -> None:
        """Nothing more is to be expected of a connection."""
        if not self.concluded.called:
            self.concluded.callback(meeting)

    async def close(self) -> None:
        """It goes when it likes."""


class Leg:
    """The one that leads to a stranger, of one connection; an `alg.edge.observing.Tap`."""

    def __init__(self, stranger: TlsStranger, side: Direction) -> None:
        self._stranger = stranger
        self._side = side
        self._meeting = Meeting(serves=True)
        self._watch = Watch(self._meeting)

    def opened(self, leg: Direction, peer: Address, ours: Address, by_peer: bool) -> None:
        """It is at the other end of this leg, if that is on its side."""
        if leg is self._side:
            self._meeting = Meeting(not by_peer, peer, ours)
            self._watch = Watch(self._meeting)
            self._stranger.meetings.append(self._meeting)

    def received(self, leg: Direction, data: bytes) -> None:
        """It said something."""
        if leg is self._side:
            self._note(self._me, data)

    def sent(self, leg: Direction, data: bytes) -> None:
        """It was told something."""
        if leg is self._side:
            self._note(self._me.peer, data)

    def terminated(self) -> None:
        """What is seen stays what the stranger sees."""

    def revealed(self) -> None:
        """Secrets are of no use here."""

    def ended(self, leg: Direction, by_peer: bool) -> None:
        """FIN."""
        if leg is self._side:
            self._lose(Loss.NOT if by_peer else Loss.EOF)

    def reset(self, leg: Direction, by_peer: bool) -> None:
        """RST; behind an alert it means nothing, as a socket is reset that is closed with something unread."""
        if leg is self._side:
            self._meeting.dismissed |= by_peer and self._meeting.alert is None
            self._lose(Loss.NOT if by_peer else Loss.RESET)

    @property
    def _me(self) -> Sender:
        return Sender.SERVER if self._meeting.serves else Sender.CLIENT

    def _note(self, sender: Sender, data: bytes) -> None:
        meeting = self._meeting
        self._watch.feed(sender, data)
        if {(each.message, each.sender) for each in meeting.seen} >= _DATA:
            meeting.answered = True
            self._stranger.conclude(meeting)

    def _lose(self, loss: Loss) -> None:
        if self._meeting.loss is Loss.NOT:
            self._meeting.loss = loss
        self._stranger.conclude(self._meeting)
