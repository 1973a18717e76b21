"""How every search of `sipalg fuzz` goes: its bounds are checked, it is carried out, and told to a person or a script.

Strategy: a command makes its `Work` before it opens the journal, so that whatever is wrong with its options is said
while there is nothing to be cleaned up. SIGINT and SIGTERM end the work, not the program: what it has is printed.
"""

from __future__ import annotations

import json
import signal
from typing import Any, Protocol

import click
from rich.console import Console

from alg.errors import ConfigError
from harness.commands import fuzz_options as shared
from harness.fuzz import report
from harness.fuzz.findings import FindingFiles
from harness.fuzz.journal import Journal
from harness.fuzz.probing import Case, Manner
from harness.fuzz.run import CUT_SHORT, Keeping, Run, RunEnded
from harness.fuzz.target import OWNED, Target
from harness.screen import new_console

_ANY_PORT = 5060
"""In a message that is written down and given its own port when it is sent."""


class Work(Protocol):
    """What a command has to do."""

    def carry_out(self) -> int:
        """All of it; the exit status. Raises RunEnded."""

    def summary(self) -> dict[str, Any]:
        """For `--json`, finished or not."""

    def print(self, console: Console) -> None:
        """For a person, finished or not."""

    def close(self) -> None:
        """Close what is open."""


def check_probes(needed: int, options: dict[str, Any]) -> None:
    """ConfigError if a run is certain to take more probes than it may."""
    if needed > options["max_probes"]:
        raise ConfigError(f"--max-probes {options['max_probes']}: this takes {needed} probes")


def keeping(journal: Journal, target: Target, manner: Manner, small: Case, options: dict[str, Any]) -> Keeping:
    """Where a run that sends requests writes what it finds."""
    files = FindingFiles(shared.findings_directory(journal), target, manner, options["owned"])
    here = target.local_host(), _ANY_PORT
    return Keeping(journal, files, lambda: small.compose(here).data)


def conclude(work: Work, run: Run, journal: Journal, options: dict[str, Any]) -> int:
    """Do it, and say what came of it, also when it was interrupted; the exit status."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.signal(number, signal.default_int_handler) for number in numbers]
    reason = ""
    try:
        status = work.carry_out()
    except RunEnded as end:
        reason, status = str(end), end.status
    except KeyboardInterrupt:
        reason, status = "interrupted", CUT_SHORT
    finally:
        work.close()
        journal.close()
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
    if reason:
        more = f"; --resume goes on after {len(run.entries)} probes" if status == CUT_SHORT else ""
        click.echo(f"sipalg fuzz: {reason}{more}", err=True)
    if options["as_json"]:
        click.echo(json.dumps(work.summary()))
    else:
        _print(work, run, options["owned"])
    return status


def _print(work: Work, run: Run, owned: bool) -> None:
    console = new_console()
    work.print(console)
    report.print_crashes(console, run.entries)
    console.print(f"{len(run.entries)} probes in {run.seconds:.1f} s")
    report.print_findings(console, run.entries, "sipalg fuzz replay", OWNED * owned)
