"""Sends one probe after the other to a target, and observes what becomes of each.

Strategy: `Prober.run` takes a `Case`, gives it the address it will be sent from, sends the `Probe` that it composes and
returns a `Trial`. Whatever was not accepted is followed by a health check: a small message on a connection of its own.
Time comes from a `Clock`; the rate holds for health checks too. No connection outlives its use half open: each is
closed in order, or reset where the far end does not close its side.

    prober = Prober(target, Manner(timeout=2.0), clock, small=Case("small", compose_small))
    trial = prober.run(Case("size 5000", compose))
    trial.outcome.kind, trial.outcome.status, trial.outcome.received, trial.alive
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address
from harness.fuzz.channel import Channel, Ended, Event, Received, Refused, bound_socket, connect
from harness.fuzz.classification import REFUSING, Kind, Verdict
from harness.fuzz.exchange import Exchange, Transaction
from harness.fuzz.secure import TlsSession
from harness.fuzz.segments import Segmentation, Whole
from harness.fuzz.sending import Sending
from harness.fuzz.target import Target

_CLOSING = 0.25
"""Seconds that the far end has to close its side."""
RECOVERY = (0.0, 0.5, 1.5)
"""Seconds before each try of a health check: a process that is restarted is back by then, and counted as alive."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from; both in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Probe:
    """What is sent in one go."""

    data: bytes
    transactions: tuple[Transaction, ...]
    """The requests whose answers are awaited, at least one."""
    segmentation: Segmentation = field(default_factory=Whole)
    pause: float = 0.0
    """Seconds between two segments."""


@dataclass(frozen=True, slots=True)
class Case:
    """A probe to be."""

    name: str
    """Of directories too: words, digits and dashes."""
    compose: Callable[[Address], Probe]
    """The probe, given the address it is sent from."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How all probes of a run are sent and judged."""

    timeout: float = 2.0
    """Seconds for a connection, for taking the bytes, and for an answer."""
    rate: float = 50.0
    """Most probes a second, health checks included."""
    reuse: bool = False
    """Probes follow each other on one connection as long as they are accepted."""
    refusing: frozenset[int] = REFUSING
    """Final responses that say that a message was not taken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a probe."""

    kind: Kind
    status: int | None
    detail: str
    sent: bytes
    """As it left, behind the ALG if there is one."""
    cuts: tuple[int, ...]
    """Offsets in `sent` at which segments end."""
    sent_at: tuple[float, ...]
    """Seconds from the start, a segment each; fewer than segments if the connection did not last."""
    received: tuple[tuple[float, bytes], ...]
    """What came back, in the pieces that it was read in, each with its time in seconds from the start."""
    seconds: float
    """From the first byte to the verdict."""

    @property
    def accepted(self) -> bool:
        """Whether the message was taken."""
        return self.kind is Kind.ACCEPTED

    @property
    def label(self) -> str:
        """`closed`, `rejected 513`, `accepted 200`."""
        return Verdict(self.kind, self.status).label


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the target still answered a small message afterwards."""

    alive: bool
    tries: int
    detail: str
    """Of the last try."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A case that was tried."""

    name: str
    probe: Probe
    outcome: Outcome
    health: Health | None
    """None after what was accepted."""
    absent: bool = False
    """Nobody was there when the probe was due: what came before it may have ended the target's process. If it was
    started again soon after, the probe was sent then."""

    @property
    def alive(self) -> bool:
        """Whether the target was there afterwards."""
        return self.health is None or self.health.alive


class Pacer:
    """Holds back what comes faster than a rate."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._interval = 1 / rate
        self._clock = clock
        self._next = float("-inf")

    def wait(self) -> None:
        """Wait for the next turn."""
        now = self._clock.now()
        if now < self._next:
            self._clock.sleep(self._next - now)
            now = self._next
        self._next = now + self._interval


@dataclass(slots=True)
class _Line:
    """A connection, and what there is on our side of it."""

    channel: Channel
    here: Address
    alg: AlgConnection | None
    call_ids: set[bytes] = field(default_factory=set)

    def outward(self, data: bytes, now: float) -> bytes:
        """What leaves when `data` is sent."""
        if self.alg is None:
            return data
        return self.alg.feed(Direction.OUTWARD, data, now) + self.alg.close(Direction.OUTWARD)

    def inward(self, data: bytes, now: float) -> bytes:
        """What the sender sees when `data` comes."""
        return data if self.alg is None else self.alg.feed(Direction.INWARD, data, now)


class Prober:
    """One target under test."""

    def __init__(
        self, target: Target, manner: Manner, small: Case, clock: Clock | None = None, alg: Alg | None = None
    ) -> None:
        self.target = target
        self.manner = manner
        self.probes = 0
        """How many were sent, health checks left out."""
        self._small = small
        """Of the health check."""
        self._clock = clock or Clock()
        self._alg = alg
        """Stands between us and the target, if given."""
        self._pacer = Pacer(manner.rate, self._clock)
        self._host = target.local_host()
        self._context = target.tls.client_context() if target.tls else None
        self._line: _Line | None = None

    def run(self, case: Case) -> Trial:
        """Try one case, and look after the target if it was not accepted."""
        self.probes += 1
        probe, outcome = self._observe(case, self.manner.reuse)
        if outcome.accepted:
            return Trial(case.name, probe, outcome, None)
        health = self.check()
        absent = outcome.kind is Kind.REFUSED
        if not (absent and health.alive):
            return Trial(case.name, probe, outcome, health, absent)
        probe, outcome = self._observe(case, self.manner.reuse)
        return Trial(case.name, probe, outcome, None if outcome.accepted else self.check(), absent=True)

    def check(self) -> Health:
        """Whether the target answers a small message on a fresh connection, within a few tries."""
        self.close()
        detail = ""
        for number, wait in enumerate(RECOVERY, 1):
            self._clock.sleep(wait)
            _, outcome = self._observe(self._small, keep=False)
            detail = f"{outcome.label} {outcome.detail}".strip()
            if outcome.kind.answered:
                return Health(True, number, detail)
        return Health(False, len(RECOVERY), detail)

    def close(self) -> None:
        """Close the connection that is open, if one is."""
        line, self._line = self._line, None
        if line is not None:
            line.channel.close(_CLOSING, self._clock.now)

    def _observe(self, case: Case, keep: bool) -> tuple[Probe, Outcome]:
        self._pacer.wait()
        start = self._clock.now()
        line = self._standing() or self._open()
        if isinstance(line, tuple):
            here, refusal = line
            probe = case.compose(here)
            seconds = self._clock.now() - start
            return probe, Outcome(Kind.REFUSED, None, refusal.reason, probe.data, (), (), (), seconds)
        self._line = line
        try:
            probe = case.compose(line.here)
            watch = _Watch(line, probe, self.manner, self._clock)
            outcome = watch.run()
        except BaseException:
            line.channel.reset()
            self._line = None
            raise
        line.call_ids |= {each.call_id for each in probe.transactions}
        if not (keep and outcome.accepted and watch.whole) or line.channel.over:
            self.close()
        return probe, outcome

    def _standing(self) -> _Line | None:
        """The connection that is open, if it has lasted."""
        if self._line is None:
            return None
        self._line.channel.service()
        if self._line.channel.over:
            self.close()
        return self._line

    def _open(self) -> _Line | tuple[Address, Refused]:
        try:
            sock = bound_socket(self._host)
        except OSError as error:
            return (self._host, 0), Refused(error.strerror or str(error))
        host, port = sock.getsockname()
        here = host, port
        channel = connect(sock, self.target.address, self._tls(), self.manner.timeout, self._clock.now)
        if isinstance(channel, Refused):
            return here, channel
        return _Line(channel, here, self._alg.connection() if self._alg else None)

    def _tls(self) -> Callable[[], TlsSession] | None:
        context, tls = self._context, self.target.tls
        if context is None or tls is None:
            return None
        return lambda: TlsSession(context, name=tls.name or self.target.name)


class _Watch:
    """One probe on its way."""

    def __init__(self, line: _Line, probe: Probe, manner: Manner, clock: Clock) -> None:
        self._line = line
        self._channel = line.channel
        self._manner = manner
        self._pause = probe.pause
        self._now = clock.now
        self._start = clock.now()
        sent = line.outward(probe.data, self._start)
        self._sending = Sending(line.channel, sent, probe.segmentation, probe.pause, self._start)
        self._exchange = Exchange(probe.transactions, manner.refusing, frozenset(line.call_ids))
        self._received: list[tuple[float, bytes]] = []
        self._deadline = self._start + manner.timeout
        """When it is enough, unless bytes leave before."""

    def run(self) -> Outcome:
        """Send, listen and answer until all is said."""
        while not (self._exchange.finished or self._channel.over):
            now = self._now()
            if self._sending.advance(now):
                self._deadline = now + self._pause + self._manner.timeout
            if now >= self._deadline:
                self._give_up()
                continue
            for event in self._channel.pump(min(self._deadline - now, self._sending.patience(now))):
                self._take(event)
        self._flush()
        verdict = self._exchange.verdict
        detail = verdict.detail
        if verdict.kind is Kind.SILENT and not detail:
            detail = f"no answer within {self._manner.timeout:g} s"
        sending = self._sending
        times = tuple(sending.sent_at), tuple(self._received), self._now() - self._start
        return Outcome(verdict.kind, verdict.status, detail, sending.data, sending.cuts, *times)

    @property
    def whole(self) -> bool:
        """Whether all of it has left; an answer may come before."""
        return self._sending.over

    def _flush(self) -> None:
        """Let out what is owed, unless it would stand in the middle of a message that is not sent any more."""
        while not self._channel.over and (now := self._now()) < self._deadline:
            if not self._sending.left:
                self._sending.advance(now)
            if not self._channel.pending and (self._sending.left or self._sending.over):
                break
            self._channel.pump(min(self._deadline - now, self._sending.patience(now)))

    def _give_up(self) -> None:
        left = self._sending.left
        if left or self._channel.pending:
            self._exchange.ended(Kind.SILENT, f"it stopped reading, {left} bytes were not sent")
            return
        self._send(self._exchange.expired())

    def _take(self, event: Event) -> None:
        now = self._now()
        if isinstance(event, Received):
            self._received.append((now - self._start, event.data))
            self._send(self._exchange.received(self._line.inward(event.data, now)))
        elif isinstance(event, Ended):
            self._exchange.ended(Kind.CLOSED, event.reason)
        else:
            self._exchange.ended(Kind.RESET, event.reason)

    def _send(self, messages: list[bytes]) -> None:
        """What answers demand; it has as much time again to be answered."""
        now = self._now()
        for message in messages:
            self._sending.follow(self._line.outward(message, now))
            self._deadline = now + self._manner.timeout
