"""TLS inspection at work: what `alg.tls.inspection` decides about bytes, done to the legs of a connection.

Strategy: every leg's bytes come here first. What goes on is given back to the leg, which passes it through the ALG.
A reset aborts the legs it is meant for, behind what is to reach them, and leaves the others standing, silent or ended;
a delay stops reading. Where the bytes are no TLS and no rule counts them, the inspector takes itself out of the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet import interfaces

from alg.config import AddressMap
from alg.direction import Direction
from alg.edge.terminating import TerminatedCrossing, Terminator
from alg.tls.inspection import Inspection, Step
from alg.tls.rules import Elsewhere, Mode, Rule
from alg.trace import Sink

if TYPE_CHECKING:
    from alg.edge.crossing import Crossing, Leg


@dataclass(slots=True)
class ListenerInspection:
    """What the connections of one listener are subject to; new rules hold for new connections."""

    rules: tuple[Rule, ...] = ()
    terminator: Terminator | None = None
    """What rules that terminate need."""
    connections: int = 0
    """So far."""

    def begin(self, client: Direction, maps: tuple[AddressMap, ...], heard: bool) -> Inspection | None:
        """The inspection of a new connection; None if there are no rules and nobody listens."""
        self.connections += 1
        if not (self.rules or heard):
            return None
        return Inspection(self.rules, client, self.connections, maps)


class InspectedCrossing:
    """The inspection of one crossing."""

    def __init__(
        self,
        crossing: Crossing,
        inspection: Inspection,
        terminator: Terminator | None,
        reactor: Any,
        sink: Sink | None,
    ) -> None:
        self._crossing = crossing
        self._inspection = inspection
        self._terminator = terminator
        self._reactor = reactor
        self._sink = sink
        self._delayed: Leg | None = None
        self._timer: interfaces.IDelayedCall | None = None
        self._ended_meanwhile = False

    def received(self, leg: Leg, data: bytes) -> None:
        """Bytes from the peer of a leg."""
        if self._crossing.severed:
            return
        step = self._inspection.feed(leg.direction, data)
        if self._sink is not None:
            for record in step.records:
                self._sink(record)
        if step.forward:
            leg.pass_on(step.forward)
        if step.rule is not None:
            self._carry_out(step.rule, step, leg)
        elif self._inspection.idle:
            self._crossing.inspector = None

    def ended(self, leg: Leg) -> bool:
        """The peer of a leg sends no more; whether the end is to be passed on now."""
        if self._delayed is leg:
            self._ended_meanwhile = True
            return False
        held = self._inspection.close(leg.direction)
        if held:
            leg.pass_on(held)
        return True

    def lost(self, leg: Leg, aborted: bool) -> None:
        """A leg is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _carry_out(self, rule: Rule, step: Step, leg: Leg) -> None:
        crossing = self._crossing
        if rule.mode is Mode.DELAY:
            self._delayed = leg
            leg.transport.pauseProducing()
            self._timer = self._reactor.callLater(rule.seconds, self._resume)
            return
        if rule.mode is Mode.TERMINATE:
            assert self._terminator is not None, "such rules come with one"
            crossing.inspector = TerminatedCrossing(crossing, self._terminator, self._reactor, self._sink)
            crossing.inspector.received(leg, step.withheld)
            return
        crossing.sever(f"tls inspection: {rule.text}")
        for each in (crossing.client, crossing.server):
            if each.direction in rule.towards:
                self._reactor.callLater(0, each.break_off)
            elif rule.mode is Mode.RESET and rule.elsewhere is Elsewhere.FIN:
                each.transport.loseWriteConnection()

    def _resume(self) -> None:
        """A delay is over."""
        self._timer = None
        leg, self._delayed = self._delayed, None
        assert leg is not None, "somebody was delayed"
        held = self._inspection.resume()
        if held:
            leg.pass_on(held)
        if self._ended_meanwhile:
            leg.end_stream()
        else:
            leg.transport.resumeProducing()
