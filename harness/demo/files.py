"""`--out DIR`: the bytes of every message before and after, the events, the differences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from alg.direction import Direction
from alg.errors import ConfigError
from alg.trace import MessageRecord
from harness.demo.diff import plain_diff


class OutputDirectory:
    """Where the files go."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        with self._complaining():
            self.path.mkdir(parents=True, exist_ok=True)
            self.events: TextIO = open(self.path / "events.jsonl", "w", encoding="utf-8")  # noqa: SIM115 - see close

    def write(self, messages: list[MessageRecord]) -> None:
        """One file for each side of each message, and one for all differences."""
        differences = []
        for number, record in enumerate(messages, 1):
            name = f"{number:02d}-{record.direction.label}-{record.summary.title}"
            came_from_inside = record.direction is Direction.OUTWARD
            inside, outside = (record.before, record.after) if came_from_inside else (record.after, record.before)
            differences.append(f"=== {name}\n{plain_diff(record)}")
            with self._complaining():
                (self.path / f"{name}-inside.sip").write_bytes(inside)
                (self.path / f"{name}-outside.sip").write_bytes(outside)
        with self._complaining():
            (self.path / "diff.txt").write_text("\n".join(differences), encoding="utf-8")

    def close(self) -> None:
        """The last event has been written."""
        with self._complaining():
            self.events.close()

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise ConfigError(f"--out {failure.filename or self.path}: {failure.strerror}") from None
