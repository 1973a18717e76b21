"""`sipalg scenario`: failures of the field, each with its evidence and again with its cure."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alg.errors import ConfigError

if TYPE_CHECKING:
    from alg.edge.entrance import Address
    from harness.scenarios.runner import Job
    from harness.scenarios.scenario import Scenario
    from harness.scenarios.strangers import Strangers
    from harness.scenarios.verdict import Verdict

_CUT_SHORT = 3
_ENDS = signal.SIGTERM, signal.SIGHUP
"""Beside SIGINT; whoever ignores one of them, as nohup does, goes on doing so."""


@click.group("scenario")
def command() -> None:
    """Reproduce failures of the field with real traffic, check their evidence, and show that the cure helps.

    \b
    Example:
      sipalg scenario list
      sipalg scenario show inspection-ends-handshake
      sipalg scenario run inspection-ends-handshake --out evidence
      sipalg scenario run --all --junit scenarios.xml
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_scenarios(as_json: bool) -> int:
    """List all scenarios, with the labels that the guides' problems have here.

    \b
    Example:
      sipalg scenario list
    """
    import msgspec  # noqa: PLC0415 - as below: what a command needs is imported when it runs

    from harness.scenarios import report  # noqa: PLC0415
    from harness.scenarios.registry import SCENARIOS  # noqa: PLC0415
    from harness.screen import new_console  # noqa: PLC0415

    if as_json:
        click.echo(msgspec.json.encode([_described(each) for each in SCENARIOS.values()]))
    else:
        report.print_list(new_console(), SCENARIOS.values())
    return 0


@command.command("show")
@click.argument("name")
def show(name: str) -> int:
    """Tell what happens in a scenario, how it is recognised in the field, and how it is cured.

    NAME may be a label of `list` instead; `B2` stands for B2-inbound, B2-early and B2-delayed, one after the other.

    \b
    Example:
      sipalg scenario show inspection-ends-handshake
      sipalg scenario show B2
    """
    from harness.scenarios import registry, report  # noqa: PLC0415

    click.echo("\n".join(map(report.explanation, registry.find(name))), nl=False)
    return 0


@command.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All scenarios, the failure and the cure of each.")
@click.option("--fixed", is_flag=True, help="With the cure in place of the failure.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
@click.option("--junit", metavar="F.xml", help="Write the verdicts there as a JUnit report.")
@click.option("--out", metavar="DIR", help="Keep logs, captures, events and verdicts there, by scenario and form.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="NAME=HOST:PORT",
    help="A real peer in place of the built-in one; `show` tells what it has to do. Repeatable.",
)
@click.option(
    "--wait",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a real peer has for what it does of its own accord: to call, to register, to connect.",
)
@click.option(
    "--network",
    metavar="NET",
    help="A /24 for the built-in peers, of which this machine has all addresses: for real ones elsewhere.  "
    "[default: a free one of 127.0.0.0/8]",
)
@click.option(
    "--certs", metavar="DIR", help="Certificates that real peers know, from `certs make`.  [default: new ones]"
)
def run(
    names: tuple[str, ...],
    everything: bool,
    fixed: bool,
    as_json: bool,
    junit: str | None,
    out: str | None,
    peers: tuple[str, ...],
    wait: float,
    network: str | None,
    certs: str | None,
) -> int:
    """Run scenarios: reproduce the failure and check its evidence, or apply the cure and check that it helps.

    NAME may be a label of `list` instead; `B2` runs B2-inbound, B2-early and B2-delayed. Files that an earlier run of
    the same scenario and form left in the directory of --out are replaced, all of them.

    Each runs in processes and on addresses of its own. Exit status 0 if every verdict is pass, 1 if not (with --all,
    scenarios that this machine does not allow are skipped and do not count), 3 if the run was cut short.

    \b
    Example:
      sipalg scenario run inspection-ends-handshake --out evidence
      sipalg scenario run inspection-ends-handshake --fixed
      sipalg scenario run --all --json
      sipalg scenario run cucm-message-limit-inbound --peer cucm=127.0.0.1:5060
    """
    from harness.scenarios.strangers import Strangers  # noqa: PLC0415
    from harness.scenarios.verdict import Outcome  # noqa: PLC0415

    if bool(names) == everything:
        raise click.UsageError("give NAMEs, or --all, and not both")
    strangers = Strangers.parse(peers, wait, network, certs)
    jobs = _jobs(names, fixed, strangers.peers)
    strangers.admit(job.scenario for job in jobs)
    junit_file = _writable(junit) if junit is not None else None
    verdicts, complete = _run(jobs, _directory(out, jobs), strangers)
    _print(verdicts, as_json)
    if junit_file is not None:
        from harness.scenarios.report import write_junit  # noqa: PLC0415

        write_junit(junit_file, verdicts, datetime.now(UTC))
    if not complete:
        return _CUT_SHORT
    good = {Outcome.PASS, Outcome.SKIPPED} if everything else {Outcome.PASS}
    return 0 if all(each.verdict in good for each in verdicts) else 1


def _jobs(names: tuple[str, ...], fixed: bool, peers: Mapping[str, Address]) -> list[Job]:
    """What was asked for; ConfigError for a name or a peer that there is not."""
    from harness.scenarios.registry import SCENARIOS, expect_part, find, replacing  # noqa: PLC0415
    from harness.scenarios.runner import Job  # noqa: PLC0415

    named = (each for name in names for each in find(name))
    chosen: list[Scenario] = list(dict.fromkeys(named)) or list(SCENARIOS.values())
    for peer in peers:
        if names:
            expect_part(chosen, peer)
        chosen = replacing(chosen, peer)
    forms = (False, True) if not (names or fixed) else (fixed,)
    return [Job(each, forms) for each in chosen]


def _run(jobs: Sequence[Job], directory: Path | None, strangers: Strangers) -> tuple[list[Verdict], bool]:
    """The verdicts that there are, and whether these are all."""
    from harness.scenarios.runner import Runner  # noqa: PLC0415
    from harness.screen import ProgressBar  # noqa: PLC0415

    done: list[Verdict] = []
    with ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sipalg-scenario-")))
        progress = stack.enter_context(ProgressBar(sum(len(job.forms) for job in jobs)))

        def told(verdict: Verdict) -> None:
            done.append(verdict)
            progress.show(f"{verdict.name}: {verdict.verdict.value}", len(done))

        ends = [each for each in _ENDS if signal.getsignal(each) is not signal.SIG_IGN]
        former = {each: signal.signal(each, _interrupt) for each in ends}
        try:
            return Runner(directory, told, strangers, told=progress.tell).run(jobs), True
        except KeyboardInterrupt:
            return done, False
        finally:
            for each in ends:
                signal.signal(each, former[each])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _print(verdicts: Sequence[Verdict], as_json: bool) -> None:
    from harness.scenarios import report  # noqa: PLC0415
    from harness.screen import new_console  # noqa: PLC0415

    if as_json:
        click.echo(report.as_json(verdicts))
    elif len(verdicts) == 1:
        report.print_evidence(new_console(), verdicts[0])
    else:
        report.print_table(new_console(), verdicts)


def _directory(path: str | None, jobs: Sequence[Job]) -> Path | None:
    """Where files are kept, without those of earlier runs."""
    from harness.scenarios.keeping import make_room  # noqa: PLC0415

    if path is None:
        return None
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigError(f"--out {path}: {failure.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"--out {path}: cannot be written to")
    make_room(Path(path), jobs)
    return Path(path)


def _writable(path: str) -> Path:
    """A file that can be written; found out before anything is run, without a trace."""
    file = Path(path)
    is_new = not file.exists()
    try:
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as failure:
        raise ConfigError(f"--junit {path}: {failure.strerror}") from None
    return file


def _described(scenario: Scenario) -> dict[str, Any]:
    keys = ("name", "label", "title", "source", "cure", "wireshark")
    return {key: getattr(scenario, key) for key in keys} | {"peers": list(scenario.replaceable)}
