"""Trials and probers without a socket: what becomes of a message is a function of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.fuzz.classification import Kind
from harness.fuzz.exchange import Transaction
from harness.fuzz.findings import FindingFiles
from harness.fuzz.journal import Beginning, Journal
from harness.fuzz.probing import Case, Clock, Health, Manner, Outcome, Probe, Trial
from harness.fuzz.run import Keeping, Run
from harness.fuzz.target import Target
from harness.screen import ProgressBar

HERE = ("127.0.0.1", 40001)
TARGET = Target(("127.0.0.1", 5060), "127.0.0.1")
WELL, AWAY, DEAD = Health(True, 1, ""), Health(True, 2, ""), Health(False, 3, "")


def trial(
    kind: Kind,
    status: int | None = None,
    health: Health | None = None,
    absent: bool = False,
    name: str = "case",
    data: bytes = b"x",
) -> Trial:
    """What came of a message."""
    outcome = Outcome(kind, status, "", data, (), (0.0,), (), 0.01)
    return Trial(name, Probe(data, (Transaction(b"", b"", b"", data),)), outcome, health, absent)


@dataclass
class FakeProber:
    """Stands for a prober, and for the endpoint behind it."""

    becomes: Callable[[bytes], Trial]
    """What becomes of a message."""
    afterwards: Health = WELL
    """Of a look at the target."""
    target: Target = TARGET
    sent: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def run(self, case: Case) -> Trial:
        """Compose, and decide."""
        probe = case.compose(HERE)
        self.sent.append(probe.data)
        self.names.append(case.name)
        found = self.becomes(probe.data)
        return replace(found, name=case.name, probe=probe, outcome=replace(found.outcome, sent=probe.data))

    def check(self) -> Health:
        """A look at the target."""
        return self.afterwards

    def close(self) -> None:
        """Nothing is open."""


class Runs:
    """Runs in one directory, new ones and resumed ones; each ends its journal."""

    def __init__(self, place: Path, command: str = "torture") -> None:
        self._place = place
        self._command = command
        self._journal: Journal | None = None

    def begin(self, resume: bool = False, most: int = 10_000) -> Run:
        """A run, or the same one again."""
        self.end()
        if resume:
            self._journal = Journal.resume(self._place, self._command, None, {})
        else:
            self._journal = Journal.create(self._place, Beginning(self._command, 1, {}))
        files = FindingFiles(self._place / "findings", TARGET, Manner())
        return Run(Keeping(self._journal, files, lambda: b"small"), Clock(), most, ProgressBar(1))

    def end(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
