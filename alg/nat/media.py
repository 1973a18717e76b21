"""Doors: what listens on the other side of the NAT for the media of a call.

Strategy: for each media line that is translated, the SDP translator asks for a door: an even RTP port and the next
one for RTCP, on the address that stands for the endpoint. An `Opener`, injected by the edge, makes the real thing
(UDP sockets, or NAT bindings inline) and says which port it got. Doors belong to the dialogs that use them and close
with the last one, or after inactivity. Time comes in as seconds from any clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from alg.direction import Direction
from alg.nat.table import Endpoint
from alg.sip.message import status_code, summarise

UDP_MEDIA = frozenset(
    b"RTP/AVP RTP/AVPF RTP/SAVP RTP/SAVPF UDP/TLS/RTP/SAVP UDP/TLS/RTP/SAVPF udp udptl UDP/BFCP UDP/TLS/BFCP".split()
)
"""Media over UDP (RFC 8866 8.2.4), for which a door can be opened; other media has its addresses mapped only."""


@dataclass(slots=True, eq=False)
class Door:
    """One open relay for one media endpoint."""

    direction: Direction
    """Of the message that described the endpoint: OUTWARD for an inside endpoint, whose door faces outside."""
    rtp: Endpoint
    """Where the endpoint itself receives."""
    rtcp: Endpoint
    """Where it receives RTCP (RFC 3605, or the next port)."""
    outer: Endpoint
    """Where the door listens; RTCP on the next port."""
    last_used: float
    """Seconds: when media last crossed it, or a message last named it."""
    calls: set[str] = field(default_factory=set)
    """Call-IDs of the dialogs that use it."""


class Opener(Protocol):
    """Makes doors real."""

    def open(self, wanted: Endpoint) -> Endpoint | None:
        """Listen on `wanted` or, that port being taken, on another even port of its address; None if that fails."""

    def opened(self, door: Door) -> None:
        """The door is registered; media may flow."""

    def joined(self, door: Door, partner: Door) -> None:
        """These two stand for the two parties of one media line: what reaches one leaves through the other."""

    def closed(self, door: Door, reason: str) -> None:
        """Stop listening."""


@dataclass(slots=True)
class _Call:
    established: bool = False
    doors: dict[Door, None] = field(default_factory=dict)
    """All that it uses in the order of their opening, also those that a re-INVITE has left behind."""
    sections: dict[tuple[int, Direction], Door] = field(default_factory=dict)
    """The door that stands for each party of each media line now."""
    carriers: set[object] = field(default_factory=set)
    """The connections that its offers and answers came over."""


class MediaDoors:
    """All doors of one process."""

    def __init__(self, opener: Opener, idle_timeout: float = 300.0) -> None:
        self._opener = opener
        self.idle_timeout = idle_timeout
        """seconds"""
        self._doors: dict[tuple[Direction, Endpoint], Door] = {}
        self._calls: dict[str, _Call] = {}
        self._carried: dict[object, set[str]] = {}
        self._carrier: object = None
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._doors)

    def ends(self) -> Iterator[Endpoint]:
        """The media endpoints behind all doors."""
        for door in self._doors.values():
            yield door.rtp
            yield door.rtcp

    def attend(self, carrier: object, now: float) -> None:
        """A message of this connection is about to be translated; `now` is in seconds."""
        self._carrier = carrier
        self._now = now

    def door(
        self, direction: Direction, call_id: str, index: int, rtp: Endpoint, rtcp: Endpoint, wanted: Endpoint
    ) -> Endpoint | None:
        """Where the door for an endpoint listens, opened if it is not; None if there can be none.

        `index` is the number of the media line in its session description, from 0.
        """
        door = self._doors.get((direction, rtp))
        if door is None or door.outer.address != wanted.address:
            outer = self._opener.open(wanted)
            if outer is None:
                return None
            if door is not None:
                self._close(door, "remapped")
            door = self._doors[direction, rtp] = Door(direction, rtp, rtcp, outer, self._now)
            self._opener.opened(door)
        door.last_used = self._now
        door.rtcp = rtcp
        door.calls.add(call_id)
        call = self._calls.setdefault(call_id, _Call())
        call.carriers.add(self._carrier)
        self._carried.setdefault(self._carrier, set()).add(call_id)
        call.doors[door] = None
        call.sections[index, direction] = door
        partner = call.sections.get((index, direction.opposite))
        if partner is not None:
            self._opener.joined(door, partner)
        return door.outer

    def observe(self, message: bytes) -> None:
        """Follow the dialogs: close a call's doors when it ended or never came about (RFC 3261 12.3, 13.2.2.3)."""
        status = status_code(message) if self._calls else None
        if status is None or status < 200:
            return
        summary = summarise(message)
        call = self._calls.get(summary.call_id)
        if call is None:
            return
        if summary.cseq_method == "BYE" and (status < 300 or status in (408, 481)):
            self.hang_up(summary.call_id, "BYE")
        elif summary.cseq_method == "INVITE" and status < 300:
            call.established = True
        elif summary.cseq_method == "INVITE" and not call.established:
            self.hang_up(summary.call_id, f"INVITE answered {status}")

    def hang_up(self, call_id: str, reason: str) -> None:
        """Close the doors that only this call uses."""
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        for carrier in call.carriers:
            self._carried[carrier].discard(call_id)
            if not self._carried[carrier]:
                del self._carried[carrier]
        for door in call.doors:
            door.calls.discard(call_id)
            if not door.calls:
                self._close(door, reason)

    def connection_lost(self, carrier: object) -> None:
        """A connection is gone; calls that no other connection carries end with it."""
        for call_id in sorted(self._carried.pop(carrier, ())):
            call = self._calls[call_id]
            call.carriers.discard(carrier)
            if not call.carriers:
                self.hang_up(call_id, "connection lost")

    def expire(self, now: float) -> None:
        """Close the doors that nothing has crossed for `idle_timeout` seconds."""
        for door in [door for door in self._doors.values() if now - door.last_used >= self.idle_timeout]:
            self._close(door, "inactivity")

    def close(self) -> None:
        """Close every door: the process ends."""
        for door in list(self._doors.values()):
            self._close(door, "shutdown")

    def _close(self, door: Door, reason: str) -> None:
        """Forget a door wherever it is known, and stop listening."""
        del self._doors[door.direction, door.rtp]
        for call_id in list(door.calls):
            call = self._calls[call_id]
            del call.doors[door]
            call.sections = {key: other for key, other in call.sections.items() if other is not door}
            if not call.doors:
                self.hang_up(call_id, reason)
        self._opener.closed(door, reason)
