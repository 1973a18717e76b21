"""`sipalg demo`: a call through the ALG, with endpoints that are built in."""

from __future__ import annotations

import click


@click.command("demo")
@click.option(
    "--out",
    "directory",
    metavar="DIR",
    help="Write there: the bytes of each message on both sides, events.jsonl, diff.txt.",
)
def command(directory: str | None) -> int:
    """Place a call through the ALG with built-in endpoints, and show what it did.

    Caller and callee are on addresses of 127.0.0.0/8, with the real proxy between them. The call is placed twice:
    with the ALG, and with L4F off. Exit status 1 if the first did not work, or the second did not fail.

    \b
    Example:
      sipalg demo --out call
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    from harness.demo.files import OutputDirectory  # noqa: PLC0415 - imports Twisted's endpoints, hence the reactor
    from harness.demo.report import PLAIN_WIDTH, Report  # noqa: PLC0415
    from harness.demo.run import DemoRun  # noqa: PLC0415
    from harness.screen import new_console  # noqa: PLC0415

    output = OutputDirectory(directory) if directory is not None else None
    run = DemoRun(reactor, Report(new_console(plain_width=PLAIN_WIDTH)), output)
    status = run.run()
    for complaint in run.complaints:
        click.echo(f"sipalg demo: {complaint}", err=True)
    return status
