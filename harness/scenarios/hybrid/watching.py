"""The eyes on a hybrid call: on each leg one of us remembers messages, and one capture has every leg once.

Strategy: whoever watches a leg has taps that take notice of its connections alone. Webex has one more for connections
that never stood, of which Expressway-E has seen nothing.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from alg.direction import Direction
from harness.capture.capture_file import CaptureFile
from harness.peers.expressway_capture import PacketTap, syn_repeated
from harness.scenarios.hybrid.ground import Ground
from harness.scenarios.hybrid.legs import CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX, Leg, Sight, watcher
from harness.scenarios.hybrid.messages import Messages
from harness.sip.flow import Flow, Target
from harness.sip.transport import Transport
from harness.sip.uri import Address

_SIDES: Final = {Leg.INSIDE: Direction.OUTWARD, Leg.ZONE: Direction.OUTWARD, Leg.OUTSIDE: Direction.INWARD}
"""The interface of the capture that has a leg: on the outside there is Webex alone."""


class Watch:
    """All of them."""

    def __init__(self, reactor: Any, file: CaptureFile, ground: Ground) -> None:
        self._ground = ground
        self._watchers = {leg: watcher(leg, ground.strangers) for leg in Leg}
        self.sights = {
            leg: Sight.of(leg, name, Messages(partial(self._concerns, name, leg)))
            for leg, name in self._watchers.items()
        }
        self._taps = {
            name: PacketTap(reactor, file, partial(self._side, name), syn_repeated, not self.watches(name))
            for name in (EXPRESSWAY_E, EXPRESSWAY_C, CUCM, WEBEX)
        }

    @property
    def unseen(self) -> tuple[str, ...]:
        """Legs that nobody sees."""
        return tuple(leg.value for leg, name in self._watchers.items() if not name)

    def watches(self, name: str, leg: Leg | None = None) -> bool:
        """Whether one of us watches a leg; without one, any."""
        return self._watchers[leg] == name if leg is not None else name in self._watchers.values()

    def tap(self, name: str) -> PacketTap:
        """That captures for one of us."""
        return self._taps[name]

    def attach(self, name: str, transport: Transport) -> None:
        """Look at one of us from now on."""
        transport.taps.append(self._taps[name])
        transport.taps += [self.sights[leg].messages for leg in Leg if self.watches(name, leg)]

    def repeats(self, target: Target) -> int:
        """How often a SYN to a target was repeated, as nobody answered."""
        return max(tap.repeats.get(target.address, 0) for tap in self._taps.values())

    def unanswered(self, name: str) -> list[Address]:
        """Where somebody's SYN was repeated in vain."""
        return [address for address, count in self._taps[name].repeats.items() if count]

    def close(self) -> None:
        """Look no more."""
        for tap in self._taps.values():
            tap.close()

    def _concerns(self, name: str, leg: Leg, flow: Flow) -> bool:
        return self._ground.leg(name, flow.local, flow.remote) is leg

    def _side(self, name: str, local: Address, remote: Address) -> Direction | None:
        leg = self._ground.leg(name, local, remote)
        return _SIDES[leg] if self.watches(name, leg) or name == WEBEX else None
