"""What `--out` holds of earlier runs: it makes room for this one, and nothing else does.

Strategy: a directory of a scenario's form is ours if the verdict in it is, or if there is nothing in it; all are looked
at before anything is removed. Whatever else is in the way is a ConfigError that names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from alg.errors import ConfigError
from harness.scenarios.child import VERDICT
from harness.scenarios.runner import Job
from harness.scenarios.scenario import FORMS
from harness.scenarios.verdict import Verdict


def make_room(directory: Path, jobs: Iterable[Job]) -> None:
    """Remove what earlier runs of the same scenarios and forms have left, and leave all others alone.

    ConfigError for what is not ours, or cannot be removed.
    """
    files = [file for job in jobs for fixed in job.forms for file in _left(directory, job.scenario.name, fixed)]
    for file in files:
        try:
            file.unlink()
        except OSError as failure:
            raise ConfigError(f"--out {file}: {failure.strerror}") from None


def _left(directory: Path, name: str, fixed: bool) -> list[Path]:
    """The files of one form."""
    place = directory / name / FORMS[fixed]
    try:
        files = sorted(place.iterdir())
        strange = next((file for file in files if file.is_dir() and not file.is_symlink()), None)
        if files and (strange is not None or not _is_verdict(place / VERDICT, name, fixed)):
            raise ConfigError(f"--out {place}: has {(strange or files[0]).name}, but not from an earlier run")
    except FileNotFoundError:
        return []
    except OSError as failure:
        raise ConfigError(f"--out {place}: {failure.strerror}") from None
    return files


def _is_verdict(file: Path, name: str, fixed: bool) -> bool:
    """Whether it is a verdict on this form."""
    try:
        verdict = msgspec.json.decode(file.read_bytes(), type=Verdict)
    except (FileNotFoundError, msgspec.MsgspecError):
        return False
    return (verdict.name, verdict.fixed) == (name, fixed)
