"""`sipalg fuzz mutate`: a valid message, spoilt in ways that know the grammar, until something fails."""

from __future__ import annotations

from typing import Any

import click

from harness.commands import fuzz_cases, fuzz_options
from harness.fuzz.drafts import METHODS
from harness.fuzz.mutating import TOPICS, Smaller, cases_for
from harness.fuzz.mutation import Base, Mutations
from harness.fuzz.operators import OPERATORS
from harness.fuzz.probing import Prober
from harness.fuzz.run import Run


@click.command("mutate")
@click.option(
    "--method",
    default="OPTIONS",
    show_default=True,
    metavar=f"{'|'.join(METHODS)}|FILE",
    help="What is spoilt: one of these, with a body and some fields more, or a request out of a file.",
)
@click.option("--uri", metavar="URI", help="Request-URI.  [default: sip:HOST:PORT, or that of the file]")
@click.option("--only", multiple=True, metavar="NAME", help="This mutation; --list has them. Repeatable.")
@click.option("--count", type=click.IntRange(1, 100_000), default=200, show_default=True, metavar="N", help="Mutants.")
@click.option(
    "--minimise",
    type=click.IntRange(0, 10_000),
    default=60,
    show_default=True,
    metavar="N",
    help="Most probes to make a mutant smaller that failed; 0 leaves them as they are.",
)
@fuzz_cases.case_options
def command(**options: Any) -> int:
    """Send a valid message again and again, each time spoilt in one to three other ways, as a seed decides.

    \b
    harmless  valid, in another form: must be accepted
    spoilt    not valid, its end can be told: a refusal, silence, a connection given up are right, too; 500 is not
    unframed  its end cannot be told: a garbled answer is right, too

    A mutant that did not go as expected is kept as a directory, made smaller as long as the same comes of it, and kept
    again. Whatever was not accepted is followed by a small message on a fresh connection. Status 1 if a mutant failed,
    or the target was gone.

    \b
    Examples:
      sipalg fuzz mutate --to 127.0.0.1:5060 --count 1000 --seed 7
      sipalg fuzz mutate --to 127.0.0.1:5060 --method INVITE --only sdp-number --only sdp-long --json
      sipalg fuzz mutate --list
    """
    if options["listing"]:
        rows = (
            {"topic": TOPICS[operator.effect], "name": operator.name, "about": operator.about}
            for operator in OPERATORS.values()
        )
        return fuzz_cases.print_list(rows, options["as_json"])
    setup = fuzz_cases.CasesCommand("mutate", options)
    message = fuzz_options.message_of(options, setup.target, setup.sender)
    base = Base.of(message, setup.target.local_host())
    Mutations(base, 0, options["only"])
    journal = setup.open_journal()
    mutations = Mutations(base, journal.beginning.seed, options["only"])
    cases = cases_for(mutations, options["count"], message)
    most = options["minimise"]

    def follow(run: Run, prober: Prober) -> Smaller:
        return Smaller(run, prober, mutations, message, most)

    return setup.carry_out(journal, cases, message.small(), follow if most else None, options["count"] * 2 * (most + 2))
