"""The journal of a run: JSON lines, written as things happen, from which an interrupted run goes on.

Strategy: the first line says what the run was asked for, each further one is an `Entry`. Every line is handed to the
kernel at once, so that a killed process loses at most the line that it was writing; a line that is cut short is dropped
when the run goes on. A search asks the same sizes again for the same answers, so the entries of the journal stand in
for probes until they are used up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from alg.errors import ConfigError

NAME = "journal.jsonl"
ASIDE = "aside"
"""How the phases of probes begin that only look closer at what is known."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One probe that was made."""

    number: int
    """From 1."""
    name: str
    kind: str
    """A class of `harness.fuzz.classification`."""
    at: float
    """Seconds from the start of the run to the end of the probe."""
    seconds: float
    """From the first byte to the verdict."""
    size: int = 0
    """Bytes that were asked for."""
    arrived: int = 0
    """Bytes that went to the target, which an ALG between may have made more or fewer."""
    phase: str = ""
    """Which of a run's searches it belongs to."""
    status: int | None = None
    detail: str = ""
    alive: bool = True
    """Whether the target was there afterwards."""
    tries: int = 0
    """Health checks until it answered; more than one says that it was away for a while."""
    finding: str = ""
    """Directory of the case, if it was not accepted."""
    blamed: str = ""
    """Directory of the case before this one, if the target was gone when this one was due."""

    @property
    def accepted(self) -> bool:
        """Whether the message was taken."""
        return self.kind == "accepted"

    @property
    def label(self) -> str:
        """`closed`, `rejected 513`."""
        return f"{self.kind} {self.status}" if self.status else self.kind


class Beginning(msgspec.Struct, frozen=True):
    """The first line."""

    command: str
    seed: int
    settings: dict[str, Any]
    """What must be the same for the run to go on."""


class Journal:
    """The journal of one run, new or taken up again."""

    def __init__(self, directory: Path, beginning: Beginning, earlier: list[Entry], file: BinaryIO) -> None:
        self.directory = directory
        self.beginning = beginning
        self.earlier = earlier
        """Entries of the run that goes on; empty for a new one."""
        self._file = file

    @classmethod
    def create(cls, directory: Path, beginning: Beginning) -> Journal:
        """A new run; ConfigError if the directory holds one."""
        path = directory / NAME
        try:
            directory.mkdir(parents=True, exist_ok=True)
            file = path.open("xb", buffering=0)
        except FileExistsError:
            raise ConfigError(f"--out {directory}: holds a run already: --resume it, or name another place") from None
        except OSError as error:
            raise ConfigError(f"--out {directory}: {error.strerror or error}") from None
        file.write(msgspec.json.encode(beginning) + b"\n")
        return cls(directory, beginning, [], file)

    @classmethod
    def resume(cls, directory: Path, command: str, seed: int | None, settings: dict[str, Any]) -> Journal:
        """The run that a directory holds; ConfigError if there is none, or if it was asked for something else."""
        path = directory / NAME
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"--resume: {path}: {error.strerror or error}") from None
        whole = data[: data.rfind(b"\n") + 1]
        first, *lines = whole.splitlines() or [b""]
        try:
            beginning = msgspec.json.decode(first, type=Beginning)
            earlier = [msgspec.json.decode(line, type=Entry) for line in lines]
        except msgspec.DecodeError as error:
            raise ConfigError(f"--resume: {path}: {error}") from None
        asked = {"command": command, "seed": beginning.seed if seed is None else seed, **settings}
        for name, was in {"command": beginning.command, "seed": beginning.seed, **beginning.settings}.items():
            if asked.get(name) != was:
                raise ConfigError(f"--resume: {path} was made with {name} {was!r}, not {asked.get(name)!r}")
        file = path.open("r+b", buffering=0)
        file.truncate(len(whole))
        file.seek(len(whole))
        return cls(directory, beginning, earlier, file)

    def append(self, entry: Entry) -> None:
        """One more probe was made."""
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        """The run is over."""
        self._file.close()


def place_of_run(out: str | None, default: str, resume: bool) -> Path:
    """Where a run is kept: `out`, or `default` with a number behind it so that a new run has a place of its own."""
    if out is not None:
        return Path(out)
    number, last = 1, Path(default)
    while (place := Path(default if number == 1 else f"{default}-{number}")).exists():
        number, last = number + 1, place
    return last if resume else place
