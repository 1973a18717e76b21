"""`sipalg fuzz torture`: messages that test a parser, each with what may come of it."""

from __future__ import annotations

from typing import Any

import click

from harness.commands import fuzz_cases, fuzz_options
from harness.fuzz.torture import cases_for, choose
from harness.fuzz.torture_case import Names


@click.command("torture")
@click.option("--only", multiple=True, metavar="NAME", help="This case, or the cases of this topic. Repeatable.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="The first N cases.  [default: all]")
@click.option("--shuffle", is_flag=True, help="In an order that the seed decides.")
@click.option("--user", default="", metavar="NAME", help="Whom messages are for.  [default: the target's host alone]")
@fuzz_cases.case_options
def command(**options: Any) -> int:
    """Send messages that are odd or broken, and see whether what comes of each is what the RFCs allow.

    \b
    well-formed  odd, but right: must be accepted
    malformed    break the grammar, their end can be told
    framing      where a message ends on a stream
    meaning      can be read, and mean something odd
    addresses    IPv6 and IPv4 in every form

    Whatever was not accepted is followed by a small message on a fresh connection. A case that did not go as expected
    is kept as a directory, from which `replay` sends it again. Status 1 if there is one, or the target was gone.

    \b
    Examples:
      sipalg fuzz torture --to 127.0.0.1:5060
      sipalg fuzz torture --to 127.0.0.1:5060 --only framing --only escaped-nulls --json
      sipalg fuzz torture --list
    """
    if options["listing"]:
        rows = (
            {"topic": each.topic, "name": each.case.name, "source": each.case.source, "expected": each.case.expect}
            for each in choose(options["only"], options["count"])
        )
        return fuzz_cases.print_list(rows, options["as_json"])
    choose(options["only"])
    setup = fuzz_cases.CasesCommand("torture", options)
    uri = "sip:{}@{}:{}".format(options["user"], *setup.target.address) if options["user"] else None
    message = fuzz_options.message_of(options | {"method": "OPTIONS", "uri": uri}, setup.target, setup.sender)
    journal = setup.open_journal()
    chosen = choose(options["only"], options["count"], journal.beginning.seed if options["shuffle"] else None)
    cases = cases_for(chosen, setup.target, message.tokens, Names(setup.sender, options["user"]))
    return setup.carry_out(journal, cases, message.small())
