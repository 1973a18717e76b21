"""`sipalg fuzz size`: the largest message that an endpoint accepts."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from alg.connection import Alg
from alg.errors import ConfigError
from harness.commands import fuzz_options as shared
from harness.commands import fuzz_work
from harness.commands.options import alg_options, flags
from harness.fuzz.answering import Answerer
from harness.fuzz.answers import check_place
from harness.fuzz.findings import Answering, FindingFiles
from harness.fuzz.growing import PLACES, Place
from harness.fuzz.probing import Clock, Prober
from harness.fuzz.run import Keeping, Run
from harness.fuzz.search import most_probes
from harness.fuzz.size import Bounds, Cutting, RequestRun, ResponseRun
from harness.fuzz.sizes import Sizes
from harness.fuzz.target import Target, refuse_strangers
from harness.screen import ProgressBar
from harness.settings import alg_config, load_settings, split_host_port

_SMALLEST, _LARGEST = 1, 16 * 1024 * 1024
_ALG_OPTIONS = ("maps", "pool", "inside", "no_l4f", "profile", "faults")


@click.command("size")
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
def command(**options: Any) -> int:
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
    _check(options)
    place = PLACES[options["grow"]]
    return _size_of_responses(options, place) if options["response"] else _size_of_requests(options, place)


def _size_of_requests(options: dict[str, Any], place: Place) -> int:
    target, manner, alg = shared.target_of(options), shared.manner_of(options), _alg(options)
    sender = options["sender"]
    if sender is None and options["maps"]:
        sender = str(alg_config(load_settings(None), flags(options)).nat.maps[0].inside)
    message = shared.message_of(options, target, sender)
    low = _lowest(options, Sizes(message, place).smallest(target.local_host()), place)
    expected = _expected(low, options)
    small, clock = message.small(), Clock()
    prober = Prober(target, manner, small, clock)
    through = Prober(target, manner, small, clock, alg) if alg else None
    journal = shared.open_journal(options, "size", str(target))
    seed = journal.beginning.seed
    sizes = Sizes(message, place, Cutting(options["segment"], bool(options["segments"]), seed), options["pause"])
    bounds = Bounds(low, options["most"], options["step"], seed)
    with ProgressBar(expected) as bar:
        keeping = fuzz_work.keeping(journal, target, manner, small, options)
        run = Run(keeping, clock, options["max_probes"], bar)
        work = RequestRun(run, bounds, sizes, prober, alg, through)
        return fuzz_work.conclude(work, run, journal, options)


def _size_of_responses(options: dict[str, Any], place: Place) -> int:
    check_place(place)
    if not options["listen"]:
        raise ConfigError("--listen is missing: with --response we are the server")
    host, port = split_host_port(options["listen"], "--listen", lowest=0)
    refuse_strangers((host, port), "--listen", options["owned"])
    tls, manner, patience = shared.tls_of(options), shared.manner_of(options), options["call_timeout"]
    context = tls.server_context() if tls else None
    low = options["least"] or _SMALLEST
    expected = _expected(low, options)
    clock, tokens = Clock(), shared.new_tokens()
    us = Answerer((host, port), manner, patience, tokens.next, context, options["owned"], clock)
    with closing(us), ProgressBar(expected) as bar:
        journal = shared.open_journal(options, "size", options["listen"])
        click.echo(f"listening on {us.address[0]}:{us.address[1]}", err=True)
        seed = journal.beginning.seed
        cutting = Cutting(options["segment"], bool(options["segments"]), seed)
        here, answering = Target(us.address, host, tls), Answering(place.name, patience)
        files = FindingFiles(shared.findings_directory(journal), here, manner, options["owned"], answering)
        run = Run(Keeping(journal, files, lambda: b""), clock, options["max_probes"], bar)
        work = ResponseRun(
            run, Bounds(low, options["most"], options["step"], seed), place, cutting, options["pause"], us
        )
        return fuzz_work.conclude(work, run, journal, options)


def _check(options: dict[str, Any]) -> None:
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


def _expected(low: int, options: dict[str, Any]) -> int:
    """About how many probes it will be; ConfigError if it is certain to be too many."""
    expected = most_probes(low, options["most"], options["step"]) * (2 if options["with_alg"] else 1)
    if options["step"] is not None:
        fuzz_work.check_probes(expected, options)
    return expected
