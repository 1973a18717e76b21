"""A crossing whose TLS is terminated on both legs: cipher text to the bridge, clear text through the ALG.

Strategy: what a leg receives goes to a `Bridge`; what this gives back is sent, clear text goes through the
`AlgConnection` and back into the bridge for the other leg. Endings come from the bridge alone: an end of stream is
passed on as one, with close_notify where there was one, and a failure ends each leg as the policy says. A leg that is
lost does not take the other one with it, since an alert may be on its way there; both are gone a while later at the
latest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twisted.internet import interfaces

from alg.edge.observing import Tap
from alg.tls.bridge import Inspector
from alg.tls.legs import Alert, CertificateShown, Ending, Event, Failed, LegUp, Output, StreamEnded
from alg.tls.legs import Leg as TlsLeg
from alg.trace import Sink, TlsRecord

if TYPE_CHECKING:
    from alg.edge.crossing import Crossing, Leg

_LINGERING = 5.0
"""Seconds that the peers of a failed connection have to read why, and to close theirs."""
_DEEDS = {
    CertificateShown: "certificate-shown",
    LegUp: "leg-up",
    Alert: "alert",
    Failed: "failed",
    StreamEnded: "stream-ended",
}


@dataclass(frozen=True, slots=True)
class Terminator:
    """What terminates the connections of a proxy."""

    inspector: Inspector
    now: Callable[[], datetime]
    """With its time zone: certificates are judged by it."""
    key_log: Callable[[bytes], None]
    """Takes a line of the SSLKEYLOGFILE format, without its end."""
    tap: Callable[[int], Tap] | None = None
    """Makes the tap of a connection's clear text, given its number."""


class TerminatedCrossing:
    """One crossing; it stands in for its `InspectedCrossing`."""

    def __init__(self, crossing: Crossing, terminator: Terminator, reactor: Any, sink: Sink | None) -> None:
        self._crossing = crossing
        self._reactor = reactor
        self._sink = sink
        number = crossing.number
        self._bridge = terminator.inspector.bridge(terminator.now(), lambda leg, line: terminator.key_log(line))
        self._legs = crossing.client, crossing.server
        self._offsets = [0, 0]
        """Bytes of cipher text that came, by leg."""
        self._tap = terminator.tap(number) if terminator.tap is not None else None
        if self._tap is not None:
            for leg in self._legs:
                leg.describe_to(self._tap)
        crossing.client.terminated()
        self._revealed = False
        self._failed = False
        self._killer: interfaces.IDelayedCall | None = None
        """Ends what is left of a crossing that failed."""

    def received(self, leg: Leg, data: bytes) -> None:
        """Cipher text from the peer of a leg."""
        which = self._which(leg)
        self._offsets[which] += len(data)
        self._do(self._bridge.feed(which, data))

    def ended(self, leg: Leg) -> bool:
        """The peer of a leg sends no more; it is passed on when the bridge says so."""
        self._do(self._bridge.eof(self._which(leg)))
        leg.peer_ended()
        return False

    def finish(self) -> None:
        """Send what is held, then close both legs."""
        for which in TlsLeg:
            self._flush_and_close(which, clean=True)

    def lost(self, leg: Leg, aborted: bool) -> None:
        """A leg is gone; the other one ends as the bridge says, or behind what it still has to send."""
        if self._tap is not None and aborted:
            self._tap.reset(leg.direction, by_peer=True)
        if leg.other.lost:
            if self._killer is not None:
                self._killer.cancel()
                self._killer = None
        elif aborted and not self._failed:
            self._do(self._bridge.lost(self._which(leg)))
        elif not self._failed:
            leg.other.close()

    def _which(self, leg: Leg) -> TlsLeg:
        return TlsLeg.CLIENT if leg is self._crossing.client else TlsLeg.SERVER

    def _do(self, output: Output) -> None:
        """Everything that the bridge wants done, until it wants no more."""
        if self._bridge.up and not self._revealed:
            self._revealed = True
            self._crossing.client.revealed()
        for which, data in zip(TlsLeg, output.to_send, strict=True):
            leg = self._legs[which]
            if data and not leg.lost:
                leg.transport.write(data)
        for event in output.events:
            self._tell(event)
        for which, clear in zip(TlsLeg, output.clear, strict=True):
            if clear:
                self._pass_on(which, clear)
        for event in output.events:
            if isinstance(event, StreamEnded):
                self._flush_and_close(event.leg, event.clean)
            elif isinstance(event, Failed) and self._bridge.up:
                self._flush_and_close(event.leg, clean=False)
        for which, ending in zip(TlsLeg, output.endings, strict=True):
            if ending is not None:
                self._end(self._legs[which], ending)

    def _pass_on(self, which: TlsLeg, clear: bytes) -> None:
        """Clear text that came on a leg, through the ALG to the other one."""
        leg, alg = self._legs[which], self._crossing.alg
        assert alg is not None, "both legs stand"
        if self._tap is not None:
            self._tap.received(leg.direction, clear)
        out = alg.feed(leg.direction, clear, self._reactor.seconds())
        self._send(which.other, out)
        if alg.must_close:
            self._crossing.reason = alg.must_close
            self.finish()

    def _send(self, which: TlsLeg, clear: bytes) -> None:
        if clear:
            if self._tap is not None:
                self._tap.sent(self._legs[which].direction, clear)
            self._do(self._bridge.send(which, clear))

    def _flush_and_close(self, which: TlsLeg, clean: bool) -> None:
        """The peer of a leg sends no more clear text."""
        leg, alg = self._legs[which], self._crossing.alg
        assert alg is not None, "both legs stand"
        held = alg.close(leg.direction)
        if self._bridge.up:
            self._send(which.other, held)
        if self._tap is not None:
            self._tap.ended(leg.direction, by_peer=True)
            self._tap.ended(leg.direction.opposite, by_peer=False)
        self._do(self._bridge.close(which.other, clean))

    def _end(self, leg: Leg, ending: Ending) -> None:
        if leg.lost:
            return
        if ending is Ending.RESET:
            if self._tap is not None:
                self._tap.reset(leg.direction, by_peer=False)
            leg.transport.abortConnection()
            return
        leg.transport.unregisterProducer()
        leg.transport.loseWriteConnection()
        if not (leg.other.lost or leg.other.ended):
            leg.other.transport.resumeProducing()

    def _give_up(self) -> None:
        self._killer = None
        for leg in self._legs:
            leg.close()

    def _tell(self, event: Event) -> None:
        """The record of what the bridge saw or did."""
        if isinstance(event, Failed) and not self._failed:
            self._failed = True
            self._crossing.ends_because(f"tls: {event.reason}")
            self._killer = self._reactor.callLater(_LINGERING, self._give_up)
        if self._sink is None:
            return
        details = {name: value for name, value in asdict(event).items() if name != "leg" and value is not None}
        details["leg"] = event.leg.label
        direction = self._legs[event.leg].direction
        span = (self._offsets[event.leg], self._offsets[event.leg])
        self._sink(TlsRecord(direction, span, _DEEDS[type(event)], True, details))
