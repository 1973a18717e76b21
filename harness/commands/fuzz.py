"""`sipalg fuzz`: find the size, and the segmentation, that breaks an endpoint."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from typing import Any, Protocol

import click
from rich.console import Console

from alg.connection import Alg
from alg.errors import ConfigError
from harness.commands import fuzz_options as shared
from harness.commands.options import alg_options, flags
from harness.fuzz import report
from harness.fuzz.answering import Answer, Answerer, NobodyCalled
from harness.fuzz.answers import check_place
from harness.fuzz.cutting import KINDS, Cuttings
from harness.fuzz.findings import Answering, FindingFiles, Replay
from harness.fuzz.growing import PLACES, Place
from harness.fuzz.journal import Entry, Journal
from harness.fuzz.probing import Case, Clock, Manner, Prober, Trial
from harness.fuzz.run import CUT_SHORT, DONE, FAILED, Keeping, Run, RunEnded
from harness.fuzz.search import most_probes
from harness.fuzz.segmentation import SegmentationRun
from harness.fuzz.size import Bounds, Cutting, RequestRun, ResponseRun
from harness.fuzz.sizes import Sizes
from harness.fuzz.target import Target, refuse_strangers
from harness.settings import alg_config, load_settings, split_host_port

_SMALLEST, _LARGEST = 1, 16 * 1024 * 1024
_ANY_PORT = 5060
"""In a message that is written down and given its own port when it is sent."""
_ALG_OPTIONS = ("maps", "pool", "inside", "no_l4f", "profile", "faults")


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


@click.group("fuzz")
def command() -> None:
    """Find the size, and the segmentation, that breaks an endpoint.

    Sends to loopback unless --i-own-this-target confirms a target elsewhere. Everything that was not accepted is kept
    as a directory, from which `replay` sends it again.

    \b
    Example:
      sipalg fuzz size --to 127.0.0.1:5060 --max 20000
    """


@command.command("size")
@click.option("--to", metavar="HOST:PORT", help="The endpoint.")
@shared.tls_options
@shared.message_options
@click.option(
    "--grow",
    type=click.Choice(list(PLACES)),
    default="header",
    show_default=True,
    help="Where the bytes go: " + "; ".join(f"{place.name}, {place.help}" for place in PLACES.values()) + ".",
)
@click.option(
    "--min",
    "least",
    type=click.IntRange(_SMALLEST, _LARGEST),
    metavar="N",
    help="Bytes of the smallest message.  [default: as small as it can be]",
)
@click.option(
    "--max",
    "most",
    type=click.IntRange(_SMALLEST, _LARGEST),
    default=131072,
    show_default=True,
    metavar="N",
    help="Bytes of the largest message.",
)
@click.option("--bisect", is_flag=True, help="Halve until the limit is exact; the default.")
@click.option("--step", type=click.IntRange(1), metavar="N", help="Go through the sizes in steps instead.")
@click.option(
    "--segment", type=click.IntRange(1), metavar="N", help="Cut every message into segments of so many bytes."
)
@click.option("--segments", type=click.Choice(["random"]), help="Cut every message by chance.")
@click.option(
    "--pause",
    type=click.FloatRange(0),
    default=0.0,
    metavar="SECONDS",
    help="Between two segments; without it the far end may read several at once.",
)
@click.option("--alg", "with_alg", is_flag=True, help="Put the ALG between; the options below say what it does.")
@alg_options
@click.option("--response", is_flag=True, help="We are the server: answer calls, and grow our 200 OK.")
@click.option("--listen", metavar="HOST:PORT", help="Where calls come to, with --response.")
@click.option(
    "--call-timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a call, with --response.",
)
@shared.manner_options
@shared.run_options
@click.option("--max-probes", type=click.IntRange(1), default=200, show_default=True, metavar="N", help="Most probes.")
@shared.owned_option
@shared.json_option
def size(**options: Any) -> int:
    """Send valid messages of exact sizes, and find the largest that an endpoint accepts.

    \b
    accepted  any final response that does not say that the message was not taken
    rejected  400, 413, 414, 500, 513, or what --refusing adds
    reset, closed, silent, garbled, refused (no connection)

    Whatever was not accepted is followed by a small message on a fresh connection. If that is not answered either the
    run ends with status 1. Ctrl-C ends it with status 3; --resume goes on.

    \b
    Examples:
      sipalg fuzz size --to 127.0.0.1:5060 --method INVITE --grow sdp-media --max 20000 --json
      sipalg fuzz size --to 127.0.0.1:5060 --max 20000 --alg --map 10.0.30.2=64.100.0.10
      sipalg fuzz size --response --listen 127.0.0.1:5060 --grow sdp-attributes --max 20000
    """
    _check_size_options(options)
    place = PLACES[options["grow"]]
    if options["response"]:
        return _size_of_responses(options, place)
    target, manner, alg = shared.target_of(options), shared.manner_of(options), _alg(options)
    sender = options["sender"]
    if sender is None and options["maps"]:
        sender = str(alg_config(load_settings(None), flags(options)).nat.maps[0].inside)
    message = shared.message_of(options, target, sender)
    low = _lowest(options, Sizes(message, place).smallest(target.local_host()), place)
    journal = shared.open_journal(options, "size", str(target))
    seed = journal.beginning.seed
    sizes = Sizes(message, place, Cutting(options["segment"], bool(options["segments"]), seed), options["pause"])
    bounds = Bounds(low, options["most"], options["step"], seed)
    small, clock = message.small(), Clock()
    with report.ProgressBar(_expected(bounds, options)) as bar:
        run = Run(_keeping(journal, target, manner, small, options), clock, options["max_probes"], bar)
        prober = Prober(target, manner, small, clock)
        through = Prober(target, manner, small, clock, alg) if alg else None
        return _conclude(RequestRun(run, bounds, sizes, prober, alg, through), run, journal, options)


def _size_of_responses(options: dict[str, Any], place: Place) -> int:
    check_place(place)
    if not options["listen"]:
        raise ConfigError("--listen is missing: with --response we are the server")
    host, port = split_host_port(options["listen"], "--listen", lowest=0)
    refuse_strangers((host, port), "--listen", options["owned"])
    tls = shared.tls_of(options)
    context = tls.server_context() if tls else None
    clock, tokens = Clock(), shared.new_tokens()
    us = Answerer(
        (host, port),
        shared.manner_of(options),
        options["call_timeout"],
        tokens.next,
        context,
        options["owned"],
        clock,
    )
    click.echo(f"listening on {us.address[0]}:{us.address[1]}", err=True)
    journal = shared.open_journal(options, "size", options["listen"])
    seed = journal.beginning.seed
    bounds = Bounds(options["least"] or _SMALLEST, options["most"], options["step"], seed)
    cutting = Cutting(options["segment"], bool(options["segments"]), seed)
    with report.ProgressBar(_expected(bounds, options)) as bar:
        answering = Answering(place.name, options["call_timeout"])
        here = Target(us.address, host, tls)
        files = FindingFiles(shared.findings_directory(journal), here, us.manner, options["owned"], answering)
        run = Run(Keeping(journal, files, bytes), clock, options["max_probes"], bar)
        return _conclude(ResponseRun(run, bounds, place, cutting, options["pause"], us), run, journal, options)


@command.command("segmentation")
@click.option("--to", metavar="HOST:PORT", help="The endpoint.")
@shared.tls_options
@shared.message_options
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only these cases. Repeatable.")
@click.option(
    "--pause",
    type=click.FloatRange(0),
    default=0.005,
    show_default=True,
    metavar="SECONDS",
    help="Between two segments, so that the far end reads them one by one.",
)
@shared.manner_options
@shared.run_options
@click.option("--max-probes", type=click.IntRange(1), default=5000, show_default=True, metavar="N", help="Most probes.")
@shared.owned_option
@shared.json_option
def segmentation(**options: Any) -> int:
    """Send one valid message in every segmentation that may matter, and see whether each is answered.

    \b
    cut        in two, at every offset
    boundary   in three, around the end of the header block and of the body
    coalesced  with its neighbours in one segment, and cut across them
    bytes      byte by byte
    slow       in two, with a long pause

    Status 1 if any was not answered, or the target does not answer.

    \b
    Example:
      sipalg fuzz segmentation --to 127.0.0.1:5060 --method INVITE --pause 0.002
    """
    target, manner = shared.target_of(options), shared.manner_of(options)
    message = shared.message_of(options, target, options["sender"])
    cases = Cuttings(message, options["pause"], target.local_host(), frozenset(options["kinds"])).cases()
    _check_probes(len(cases), options)
    journal = shared.open_journal(options, "segmentation", str(target))
    small, clock = message.small(), Clock()
    with report.ProgressBar(len(cases)) as bar:
        run = Run(_keeping(journal, target, manner, small, options), clock, options["max_probes"], bar)
        prober = Prober(target, manner, small, clock)
        return _conclude(SegmentationRun(run, cases, prober, bar, journal.beginning.seed), run, journal, options)


@command.command("replay")
@click.argument("directory", metavar="DIR")
@shared.owned_option
@shared.json_option
def replay(directory: str, owned: bool, as_json: bool) -> int:
    """Send a finding again: the very bytes, cut and paused as they were, to the endpoint that they were sent to.

    Status 0 if the same came of it, 1 if something else did.

    \b
    Example:
      sipalg fuzz replay fuzz-size-127.0.0.1-5060/findings/0007-size-5001-closed
    """
    found = Replay.load(directory, owned, shared.new_tokens().next())
    try:
        trial = _send_again(found, owned)
    except RunEnded as end:
        click.echo(f"sipalg fuzz: {end}", err=True)
        return end.status
    outcome, before = trial.outcome, found.finding
    same = (outcome.kind, outcome.status) == (before.kind, before.status)
    if as_json:
        result = {
            "name": trial.name,
            "before": before.kind,
            "now": str(outcome.kind),
            "status": outcome.status,
            "detail": outcome.detail,
            "seconds": round(outcome.seconds, 3),
            "same": same,
            "target_alive": trial.alive,
        }
        click.echo(json.dumps(result))
    else:
        then = f"{before.kind} {before.status}" if before.status else before.kind
        click.echo(f"{trial.name}: {outcome.label} ({outcome.detail or 'answered'}); it was {then}")
        if not trial.alive:
            click.echo("the target does not answer")
    return DONE if same else FAILED


def _send_again(found: Replay, owned: bool) -> Trial:
    if found.small is not None:
        prober = Prober(found.target, found.manner, found.small)
        try:
            return prober.run(found.case)
        finally:
            prober.close()
    finding, answering = found.finding, found.finding.answering
    assert answering is not None, "we were the server"
    context = finding.tls.server_context() if finding.tls else None
    tokens = shared.new_tokens().next
    us = Answerer(found.target.address, found.manner, answering.call_timeout, tokens, context, owned)
    click.echo(f"listening on {us.address[0]}:{us.address[1]}", err=True)
    again = Answer(PLACES[answering.grow], len(found.sent), found.case.compose(us.address).segmentation, finding.pause)
    try:
        return us.attempt(again, finding.name)
    except NobodyCalled as silence:
        raise RunEnded(str(silence), CUT_SHORT) from None
    finally:
        us.close()


def _check_size_options(options: dict[str, Any]) -> None:
    """ConfigError for options that contradict each other."""
    for one, other, names in (
        ("bisect", "step", "--bisect and --step"),
        ("segment", "segments", "--segment and --segments"),
        ("response", "to", "--response and --to"),
        ("response", "with_alg", "--response and --alg"),
    ):
        if options[one] and options[other]:
            raise ConfigError(f"{names} exclude each other")
    if not options["with_alg"] and any(options[name] for name in _ALG_OPTIONS):
        raise ConfigError("--map, --pool, --inside, --no-l4f, --profile and --fault belong to --alg")
    if options["listen"] and not options["response"]:
        raise ConfigError("--listen belongs to --response")


def _alg(options: dict[str, Any]) -> Alg | None:
    if not options["with_alg"]:
        return None
    return Alg(alg_config(load_settings(None), flags(options, media="rewrite")))


def _lowest(options: dict[str, Any], smallest: int, place: Place) -> int:
    """The smallest size that is tried; says so if it is not the one that was asked for."""
    what = f"the smallest {options['method']} that grows by {place.name} has {smallest} bytes"
    if options["most"] < max(smallest, options["least"] or 0):
        raise ConfigError(f"--max {options['most']}: {what if options['most'] < smallest else '--min is larger'}")
    if options["least"] is not None and options["least"] < smallest:
        click.echo(f"sipalg fuzz size: --min {options['least']}: {what}; starting there", err=True)
    return max(smallest, options["least"] or 0)


def _expected(bounds: Bounds, options: dict[str, Any]) -> int:
    """About how many probes it will be; ConfigError if it is certain to be too many."""
    expected = most_probes(bounds.low, bounds.high, bounds.by) * (2 if options["with_alg"] else 1)
    if bounds.by is not None:
        _check_probes(expected, options)
    return expected


def _check_probes(needed: int, options: dict[str, Any]) -> None:
    if needed > options["max_probes"]:
        raise ConfigError(f"--max-probes {options['max_probes']}: this takes {needed} probes")


def _keeping(journal: Journal, target: Target, manner: Manner, small: Case, options: dict[str, Any]) -> Keeping:
    files = FindingFiles(shared.findings_directory(journal), target, manner, options["owned"])
    here = target.local_host(), _ANY_PORT
    return Keeping(journal, files, lambda: small.compose(here).data)


def _conclude(work: Work, run: Run, journal: Journal, options: dict[str, Any]) -> int:
    """Do it, and say what came of it, also when it was interrupted."""
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
        _print(work, run, run.entries)
    return status


def _print(work: Work, run: Run, entries: Sequence[Entry]) -> None:
    console = report.new_console()
    work.print(console)
    report.print_crashes(console, entries)
    console.print(f"{len(entries)} probes in {run.seconds:.1f} s")
    report.print_findings(console, entries, "sipalg fuzz replay")
