"""What becomes of the bytes of one connection under inspection rules, without keys.

Strategy: bytes go to a `TlsObserver` and on. The first rule that fits the connection, as far as it is known by then,
decides it. Where the observer sees the message that this rule names, the bytes before the record in which it begins
still go, those from there on do not, and the rule's deed is handed to the edge. A record that left in part before its
message was complete cannot be called back; a firewall that looks at packets cannot either. Where a rule terminates
connections, the client's bytes wait until its ClientHello is whole, or is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alg.config import AddressMap
from alg.direction import Direction
from alg.tls.blind import BlindFixup
from alg.tls.records import TlsObserver
from alg.tls.rules import HIDDEN_IN_TLS13, Mode, Rule
from alg.tls.sightings import Message, Sender, Sighting
from alg.trace import TlsRecord


@dataclass(slots=True)
class Step:
    """What is to be done now."""

    forward: bytes = b""
    """To be sent on."""
    rule: Rule | None = None
    """Strikes behind these bytes. After reset and drop nothing goes on any more; after delay, `resume` is to be called
    when its time is over; terminate hands over `withheld`, all that the client has sent."""
    withheld: bytes = b""
    records: list[TlsRecord] = field(default_factory=list)
    """For whoever listens."""


class Inspection:
    """One connection; `client` is the direction of what the client sends, `number` its count at its listener."""

    def __init__(
        self, rules: Iterable[Rule], client: Direction, number: int, maps: tuple[AddressMap, ...] = ()
    ) -> None:
        self._rules = [rule for rule in rules if rule.concerns(client, number)]
        self._client = client
        self._observer = TlsObserver()
        self._offsets = [0, 0]
        """Bytes that came, by direction."""
        self._struck: Rule | None = None
        self._delayed: Direction | None = None
        self._held = b""
        """What a delay keeps back."""
        self._hello: bytes | None = b"" if any(rule.mode is Mode.TERMINATE for rule in self._rules) else None
        """What the client sent, while it is not known whether to terminate."""
        self._fixups = {
            (rule, direction): BlindFixup(maps, direction, rule.bits)
            for rule in self._rules
            if rule.mode is Mode.ALG_BLIND
            for direction in Direction
        }

    @property
    def idle(self) -> bool:
        """Whether nothing will come of feeding it any more, as these bytes are no TLS."""
        counting = any(rule.point is not None and rule.point.message is None for rule in self._rules)
        return self._observer.not_tls is not None and self._hello is None and not (counting or self._struck is not None)

    def feed(self, direction: Direction, data: bytes) -> Step:
        """Bytes that came in this direction."""
        start = self._offsets[direction]
        self._offsets[direction] += len(data)
        sightings, records = self._watch(direction, start, data)
        if self._hello is not None and direction is self._client:
            data, start = self._hello + data, start - len(self._hello)
            undecided = not sightings and self._observer.not_tls is None
            self._hello = data if undecided else None
            if undecided:
                return Step(records=records)
        step = self._decide(direction, start, data, sightings)
        step.records[:0] = records
        return step

    def resume(self) -> bytes:
        """A delay is over: what waited, to be sent on."""
        self._delayed = None
        held, self._held = self._held, b""
        return held

    def close(self, direction: Direction) -> bytes:
        """That side sends no more: what is held back of it for want of a whole ClientHello, to be sent unchanged."""
        if direction is not self._client or self._hello is None:
            return b""
        hello, self._hello = self._hello, None
        return hello

    def _watch(self, direction: Direction, start: int, data: bytes) -> tuple[list[Sighting], list[TlsRecord]]:
        """What shows in these bytes, and the records of it."""
        looking = self._observer.not_tls is None
        sightings = self._observer.feed(Sender.CLIENT if direction is self._client else Sender.SERVER, data)
        records = [
            TlsRecord(direction, (sighting.start, sighting.stop), sighting.message, False, sighting.details)
            for sighting in sightings
        ]
        if looking and self._rules and self._observer.not_tls is not None:
            span = (start, start + len(data))
            records.append(TlsRecord(direction, span, "not-tls", True, {"reason": self._observer.not_tls}))
        return sightings, records

    def _decide(self, direction: Direction, start: int, data: bytes, sightings: list[Sighting]) -> Step:
        """What becomes of these bytes."""
        if self._delayed is direction:
            self._held += data
            return Step()
        if self._struck is not None:
            return Step(data if self._struck.mode is Mode.DELAY else b"")
        rule = self._deciding()
        if rule is None or rule.mode is Mode.PASS:
            return Step(data)
        if rule.mode is Mode.ALG_BLIND:
            return self._fix_blindly(rule, direction, data, sightings)
        cut = self._cut(rule, direction, start, data, sightings)
        if cut is None:
            return Step(data, records=self._not_applied(rule, direction, sightings))
        return self._strike(rule, direction, start + cut, data[:cut], data[cut:])

    def _deciding(self) -> Rule | None:
        """The first rule that fits, as far as the connection is known."""
        sni, version = self._observer.sni, self._observer.version
        return next((rule for rule in self._rules if rule.fits(sni, version)), None)

    def _fix_blindly(self, rule: Rule, direction: Direction, data: bytes, sightings: list[Sighting]) -> Step:
        fixup = self._fixups[rule, direction]
        for sighting in sightings:
            fixup.saw(sighting)
        out, hits = fixup.apply(data)
        return Step(
            out,
            records=[
                TlsRecord(direction, (hit, hit + 4), Mode.ALG_BLIND.value, True, {"rule": rule.text}) for hit in hits
            ],
        )

    def _cut(self, rule: Rule, direction: Direction, start: int, data: bytes, sightings: list[Sighting]) -> int | None:
        """Where in these bytes the rule's point lies, if it does."""
        if rule.point is None:
            return 0 if direction is self._client and self._observer.not_tls is None else None
        if rule.point.message is None:
            return rule.point.after - start if start + len(data) >= rule.point.after else None
        named = (sighting.start for sighting in sightings if sighting.message is rule.point.message)
        first = next(named, None)
        return None if first is None else max(0, first - start)

    def _strike(self, rule: Rule, direction: Direction, offset: int, before: bytes, rest: bytes) -> Step:
        """The rule's point is here."""
        self._struck = rule
        details: dict[str, object] = {"rule": rule.text}
        if rule.point is not None:
            details["at"] = str(rule.point)
        if rule.mode is Mode.RESET:
            details["towards"] = sorted(side_name(side) for side in rule.towards)
            if len(rule.towards) == 1:
                details["elsewhere"] = rule.elsewhere.value
        if rule.mode is Mode.DELAY:
            details["seconds"] = rule.seconds
            self._delayed, self._held = direction, rest
        record = TlsRecord(direction, (offset, offset + len(rest)), rule.mode.value, True, details)
        return Step(before, rule, rest, [record])

    def _not_applied(self, rule: Rule, direction: Direction, sightings: list[Sighting]) -> list[TlsRecord]:
        """A record for a rule whose point this connection will not show (RFC 8446 2, 4.2.10)."""
        if rule.point is None or self._observer.version != "TLS 1.3":
            return []
        seen = {sighting.message: sighting for sighting in sightings}
        if rule.point.message in HIDDEN_IN_TLS13 and Message.SERVER_HELLO in seen:
            reason = f"{rule.point} is encrypted in TLS 1.3"
        elif rule.point.message is Message.CLIENT_FINISHED and direction is self._client and Message.ENCRYPTED in seen:
            reason = f"{rule.point} does not show behind early data"
        else:
            return []
        span = (self._offsets[direction], self._offsets[direction])
        return [TlsRecord(direction, span, "not-applied", True, {"rule": rule.text, "reason": reason})]


def side_name(direction: Direction) -> str:
    """`inside` or `outside`: the side that sends in this direction."""
    return "inside" if direction is Direction.OUTWARD else "outside"
