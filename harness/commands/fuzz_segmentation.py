"""`sipalg fuzz segmentation`: one valid message in every segmentation that may matter."""

from __future__ import annotations

from typing import Any

import click

from harness.commands import fuzz_options as shared
from harness.commands import fuzz_work
from harness.fuzz.cutting import KINDS, Cuttings
from harness.fuzz.probing import Clock, Prober
from harness.fuzz.run import Run
from harness.fuzz.segmentation import SegmentationRun
from harness.screen import ProgressBar


@click.command("segmentation")
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
def command(**options: Any) -> int:
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
    fuzz_work.check_probes(len(cases), options)
    small, clock = message.small(), Clock()
    prober = Prober(target, manner, small, clock)
    journal = shared.open_journal(options, "segmentation", str(target))
    with ProgressBar(len(cases)) as bar:
        run = Run(fuzz_work.keeping(journal, target, manner, small, options), clock, options["max_probes"], bar)
        work = SegmentationRun(run, cases, prober, bar, journal.beginning.seed)
        return fuzz_work.conclude(work, run, journal, options)
