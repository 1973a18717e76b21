"""What `sipalg fuzz torture` and `sipalg fuzz mutate` share: options, and how a run of cases is set up.

Each case has a connection of its own, since the end of a broken message may be anybody's guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import click

from alg.connection import Alg
from alg.errors import ConfigError
from harness.commands import fuzz_options as shared
from harness.commands import fuzz_work
from harness.commands.options import alg_options, flags
from harness.fuzz.expecting import Expected, ExpectingRun, Follow
from harness.fuzz.journal import Journal
from harness.fuzz.probing import Case, Clock, Manner, Prober
from harness.fuzz.run import Run
from harness.fuzz.target import Target
from harness.screen import ProgressBar
from harness.settings import alg_config, load_settings

_ALG_OPTIONS = ("maps", "pool", "inside", "no_l4f", "profile", "faults")

sender_option = click.option(
    "--sender", metavar="HOST", help="The host that messages name as their sender's.  [default: the connection's]"
)
list_option = click.option("--list", "listing", is_flag=True, help="List what there is, and send nothing.")
rate_option = click.option(
    "--rate",
    type=click.FloatRange(0, 10_000, min_open=True),
    default=50.0,
    show_default=True,
    metavar="N",
    help="Most probes a second, health checks included.",
)


def case_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both."""
    decorators = (
        click.option("--to", metavar="HOST:PORT", help="The endpoint."),
        shared.tls_options,
        sender_option,
        click.option(
            "--alg", "with_alg", is_flag=True, help="Put the ALG between; the options below say what it does."
        ),
        alg_options,
        shared.timeout_option,
        rate_option,
        shared.run_options,
        list_option,
        shared.owned_option,
        shared.json_option,
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


class CasesCommand:
    """One command's target, manner and ALG, checked."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        if not options["with_alg"] and any(options[each] for each in _ALG_OPTIONS):
            raise ConfigError("--map, --pool, --inside, --no-l4f, --profile and --fault belong to --alg")
        self._name = name
        self._options = options
        self.target: Target = shared.target_of(options)
        self.manner = Manner(options["timeout"], options["rate"])
        self.clock = Clock()
        self._alg: Alg | None = None
        self.sender: str | None = options["sender"]
        if options["with_alg"]:
            config = alg_config(load_settings(None), flags(options, media="rewrite"))
            self._alg = Alg(config)
            if self.sender is None and config.nat.maps:
                self.sender = str(config.nat.maps[0].inside)

    def prober(self, small: Case) -> Prober:
        """Sends the cases."""
        return Prober(self.target, self.manner, small, self.clock, self._alg)

    def open_journal(self) -> Journal:
        """Of this run."""
        return shared.open_journal(
            {name: value for name, value in self._options.items() if name != "listing"}, self._name, str(self.target)
        )

    def carry_out(
        self,
        journal: Journal,
        cases: list[Expected],
        small: Case,
        follow: Callable[[Run, Prober], Follow] | None = None,
        most: int = 0,
    ) -> int:
        """Try all cases; the exit status. `follow` makes what deals with failures, in `most` probes in all."""
        prober = self.prober(small)
        with ProgressBar(len(cases)) as bar:
            keeping = fuzz_work.keeping(journal, self.target, self.manner, small, self._options)
            run = Run(keeping, self.clock, len(cases) + 1 + most, bar)
            more = follow(run, prober) if follow is not None else None
            work = ExpectingRun(run, cases, prober, small, bar, journal.beginning.seed, more)
            return fuzz_work.conclude(work, run, journal, self._options)


def print_list(rows: Iterable[dict[str, str]], as_json: bool) -> int:
    """What there is to choose from."""
    told = list(rows)
    if as_json:
        click.echo(json.dumps(told))
        return 0
    for row in told:
        first, second, *others = row.values()
        click.echo(f"{first:<12} {second:<42} {'; '.join(others)}")
    return 0
