"""`sipalg fuzz replay`: sends a finding again."""

from __future__ import annotations

import json

import click

from harness.commands import fuzz_options as shared
from harness.fuzz.answering import Answer, Answerer, NobodyCalled
from harness.fuzz.findings import Replay
from harness.fuzz.growing import PLACES
from harness.fuzz.probing import Prober, Trial
from harness.fuzz.run import CUT_SHORT, DONE, FAILED, RunEnded


@click.command("replay")
@click.argument("directory", metavar="DIR")
@shared.owned_option
@shared.json_option
def command(directory: str, owned: bool, as_json: bool) -> int:
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
