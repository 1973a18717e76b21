"""Cases that were not accepted, each as a directory from which it can be sent again.

sent.bin      the bytes, exactly as they left
received.bin  what came back
small.sip     the small message of the health check, unless we were the server
finding.json  the target, the segmentation, the times, the verdict
finding.txt   the same for a person, with the command that replays it
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import msgspec

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.fuzz.drafts import Sender, Template
from harness.fuzz.exchange import Transaction
from harness.fuzz.growing import natural
from harness.fuzz.probing import Case, Manner, Probe, Trial
from harness.fuzz.segments import At
from harness.fuzz.target import OWNED, Target, TlsOptions, refuse_strangers

_NAMELESS = re.compile(r"[^a-z0-9]+")
_MOST_IN_A_NAME = 60


class Awaited(msgspec.Struct, frozen=True):
    """A transaction, as it is written down."""

    branch: str
    call_id: str
    method: str
    start: int
    """Of its request in `sent.bin`."""
    stop: int


class Answering(msgspec.Struct, frozen=True):
    """What a 200 of ours was made of; its bytes cannot be sent again, since they repeat those of their INVITE."""

    grow: str
    """A place where messages grow."""
    call_timeout: float
    """Seconds to wait for a call."""


class Finding(msgspec.Struct, frozen=True):
    """`finding.json`"""

    name: str
    host: str
    port: int
    host_name: str
    """The target's host as it was given."""
    tls: TlsOptions | None
    timeout: float
    """seconds"""
    refusing: list[int]
    cuts: list[int]
    pause: float
    """Seconds between two segments."""
    transactions: list[Awaited]
    kind: str
    status: int | None
    detail: str
    seconds: float
    sent_at: list[float]
    """Seconds from the start, a segment each."""
    received: list[tuple[float, int]]
    """(seconds from the start, bytes) of each piece of `received.bin`."""
    alive: bool
    health: str
    answering: Answering | None = None
    """How we answered the call, where we were the server; `host` and `port` are our own then."""


@dataclass(frozen=True, slots=True)
class FindingFiles:
    """Writes findings into directories below one."""

    directory: Path
    target: Target
    manner: Manner
    owned: bool = False
    """The target needed to be confirmed."""
    answering: Answering | None = None
    """Where we are the server; the target is where we listen then."""

    def write(self, number: int, trial: Trial, small: bytes, gone: bool = False) -> Path:
        """A trial that was not accepted, or behind which the target was `gone`; its directory."""
        outcome = trial.outcome
        words = f"{trial.name} {outcome.label}{' gone' * gone}"
        label = _NAMELESS.sub("-", words.lower()).strip("-")
        place = self.directory / f"{number:04d}-{label[:_MOST_IN_A_NAME].strip('-')}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "sent.bin").write_bytes(outcome.sent)
        (place / "received.bin").write_bytes(b"".join(data for _, data in outcome.received))
        if small:
            (place / "small.sip").write_bytes(small)
        finding = Finding(
            trial.name,
            *self.target.address,
            self.target.name,
            self.target.tls,
            self.manner.timeout,
            sorted(self.manner.refusing),
            list(outcome.cuts),
            trial.probe.pause,
            [_awaited(each, outcome.sent) for each in trial.probe.transactions],
            str(outcome.kind),
            outcome.status,
            outcome.detail,
            round(outcome.seconds, 6),
            [round(at, 6) for at in outcome.sent_at],
            [(round(at, 6), len(data)) for at, data in outcome.received],
            trial.alive and not gone,
            "it was gone when the next probe was due" if gone else trial.health.detail if trial.health else "",
            self.answering,
        )
        (place / "finding.json").write_bytes(msgspec.json.format(msgspec.json.encode(finding)) + b"\n")
        (place / "finding.txt").write_text(self._text(place, finding), "utf-8")
        return place

    def replay_line(self, place: Path) -> str:
        """The command that sends a finding again."""
        return f"sipalg fuzz replay {shlex.quote(str(place))}" + f" {OWNED}" * self.owned

    def _text(self, place: Path, finding: Finding) -> str:
        status = f" {finding.status}" if finding.status else ""
        segments = len(finding.cuts) + 1
        received = sum(size for _, size in finding.received)
        after = f"answers ({finding.health})" if finding.alive else f"DOES NOT ANSWER ({finding.health})"
        return (
            f"{finding.name}: {finding.kind}{status}\n"
            f"{finding.detail or 'answered'}, {finding.seconds:.3f} s after the first byte\n"
            f"{'listening' if finding.answering else 'target   '}  {self.target}{' TLS' if finding.tls else ''}\n"
            f"sent       {(place / 'sent.bin').stat().st_size} bytes in {segments} segment{'s' * (segments > 1)}, "
            f"{finding.pause:g} s between two\n"
            f"received   {received} bytes\n"
            f"afterwards {after}\n"
            f"again      {self.replay_line(place)}\n"
        )


def _awaited(transaction: Transaction, sent: bytes) -> Awaited:
    start = sent.find(transaction.request)
    span = (start, start + len(transaction.request)) if start >= 0 else (0, len(sent))
    branch, call_id, method = (
        value.decode("latin-1") for value in (transaction.branch, transaction.call_id, transaction.method)
    )
    return Awaited(branch, call_id, method, *span)


def _small(place: Path, token: str) -> Case:
    """The small message of a finding, under an identity of its own."""
    small = Template(str(place / "small.sip"))

    def compose(here: Address) -> Probe:
        message = natural(small.draft(None, Sender(here, token)))
        return Probe(message, (Transaction.of(message),))

    return Case("small", compose)


@dataclass(frozen=True, slots=True)
class Replay:
    """A finding that was read back."""

    finding: Finding
    sent: bytes
    target: Target
    small: Case | None
    """None where we were the server."""

    @classmethod
    def load(cls, directory: str, owned: bool, token: str) -> Replay:
        """A finding's directory; ConfigError if it is none, or if its target is a stranger's."""
        place = Path(directory)
        try:
            finding = msgspec.json.decode((place / "finding.json").read_bytes(), type=Finding)
            sent = (place / "sent.bin").read_bytes()
        except OSError as error:
            raise ConfigError(f"{directory}: no finding: {error.strerror or error}") from None
        except msgspec.DecodeError as error:
            raise ConfigError(f"{directory}/finding.json: {error}") from None
        address = finding.host, finding.port
        refuse_strangers(address, directory, owned)
        target = Target(address, finding.host_name, finding.tls)
        return cls(finding, sent, target, None if finding.answering else _small(place, token))

    @property
    def manner(self) -> Manner:
        """How it was sent."""
        return Manner(timeout=self.finding.timeout, refusing=frozenset(self.finding.refusing))

    @property
    def case(self) -> Case:
        """The very bytes, cut where they were cut."""
        finding = self.finding
        transactions = tuple(
            Transaction(
                each.branch.encode("latin-1"),
                each.call_id.encode("latin-1"),
                each.method.encode("latin-1"),
                self.sent[each.start : each.stop],
            )
            for each in finding.transactions
        )
        probe = Probe(self.sent, transactions, At(tuple(finding.cuts)), finding.pause)
        return Case(finding.name, lambda here: probe)
