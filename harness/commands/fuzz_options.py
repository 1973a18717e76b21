"""What the commands of `sipalg fuzz` share: their options, and what these come to.

Everything that a run is asked for and that must be the same for it to be resumed is in `settings_of`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.fuzz.classification import REFUSING
from harness.fuzz.drafts import METHODS
from harness.fuzz.journal import Beginning, Journal, place_of_run
from harness.fuzz.probing import Manner
from harness.fuzz.sizes import Message, Tokens
from harness.fuzz.target import OWNED, Target, TlsOptions

_FREE = frozenset({"seed", "out", "resume", "max_probes", "rate", "as_json", "owned"})
"""Options that may change when a run is resumed."""

Decorated = Callable[..., Any]

owned_option = click.option(
    OWNED, "owned", is_flag=True, help="Confirms a target that is not loopback. Without it such a target is refused."
)
json_option = click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="For a connection, for the target to read, and for its answer; an endpoint that says nothing costs so much.",
)

_TLS = (
    click.option("--tls", is_flag=True, help="Over TLS."),
    click.option("--cert", metavar="F.pem", help="Certificate chain to show: mutual TLS, or ours as a server."),
    click.option("--key", metavar="F.pem", help="Its key, if it is not in --cert."),
    click.option("--ca", metavar="F.pem", help="Check the far end's certificate against these authorities."),
    click.option("--verify", is_flag=True, help="Check it; without --ca against the system's authorities."),
    click.option("--name", metavar="NAME", help="The name that it must bear.  [default: HOST of --to]"),
)

_MANNER = (
    timeout_option,
    click.option(
        "--rate",
        type=click.FloatRange(0, 10_000, min_open=True),
        default=50.0,
        show_default=True,
        metavar="N",
        help="Most probes a second, health checks included.",
    ),
    click.option(
        "--connections",
        type=click.Choice(["fresh", "reuse"]),
        default="fresh",
        show_default=True,
        help="A connection for each probe, or one for as long as probes are accepted.",
    ),
    click.option(
        "--refusing",
        type=click.IntRange(300, 699),
        multiple=True,
        metavar="STATUS",
        help="A final response that counts as a refusal, beside "
        f"{', '.join(map(str, sorted(REFUSING)))}: 408 and 503 behind a proxy. Repeatable.",
    ),
)

_MESSAGE = (
    click.option(
        "--method",
        default="OPTIONS",
        show_default=True,
        metavar=f"{'|'.join(METHODS)}|FILE",
        help="What is sent: one of these, or a request out of a file, its branch, tag and Call-ID replaced.",
    ),
    click.option("--uri", metavar="URI", help="Request-URI.  [default: sip:HOST:PORT, or that of the file]"),
    click.option(
        "--sender", metavar="HOST", help="The host that messages name as their sender's.  [default: the connection's]"
    ),
)

_RUN = (
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Of all that is left to chance."),
    click.option("--out", metavar="DIR", help="Where journal and findings go.  [default: fuzz-COMMAND-HOST-PORT]"),
    click.option(
        "--resume", is_flag=True, help="Go on with a run that was cut short: the same command line, and this."
    ),
)


def _decorator(options: tuple[Decorated, ...]) -> Decorated:
    def decorate(function: Decorated) -> Decorated:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


tls_options = _decorator(_TLS)
manner_options = _decorator(_MANNER)
message_options = _decorator(_MESSAGE)
run_options = _decorator(_RUN)


def tls_of(options: dict[str, Any]) -> TlsOptions | None:
    """How TLS is spoken, if it is."""
    given = [name for name in ("cert", "key", "ca", "verify", "name") if options[name]]
    if not options["tls"]:
        if given:
            raise click.UsageError(f"--{given[0]}: there is no --tls")
        return None
    return TlsOptions(
        options["cert"],
        options["key"],
        options["ca"],
        bool(options["verify"] or options["ca"]),
        options["name"],
    )


def target_of(options: dict[str, Any]) -> Target:
    """The target, checked."""
    if not options["to"]:
        raise click.UsageError("Missing option '--to'.")
    return Target.parse(options["to"], "--to", options["owned"], tls_of(options))


def manner_of(options: dict[str, Any]) -> Manner:
    """How probes are sent and judged."""
    return Manner(
        options["timeout"],
        options["rate"],
        options["connections"] == "reuse",
        REFUSING | frozenset(options["refusing"]),
    )


def new_tokens() -> Tokens:
    """Identities that no other run has."""
    return Tokens(secrets.token_hex(5))


def message_of(options: dict[str, Any], target: Target, sender: str | None) -> Message:
    """What is sent."""
    return Message.choose(
        options["method"], options["uri"], target.address, target.tls is not None, new_tokens(), sender
    )


def settings_of(options: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for a run to be resumed."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in options.items() if name not in _FREE
    }


def open_journal(options: dict[str, Any], command: str, where: str) -> Journal:
    """The journal of a run at `where`, new or resumed; says on standard error where it is, and its seed."""
    place = place_of_run(options["out"], f"fuzz-{command}-{where.replace(':', '-')}", options["resume"])
    settings = settings_of(options)
    if options["resume"]:
        journal = Journal.resume(place, command, options["seed"], settings)
        more = f", {len(journal.earlier)} probes are done"
    else:
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(2**31)
        journal = Journal.create(place, Beginning(command, seed, settings))
        more = ""
    click.echo(f"sipalg fuzz {command}: seed {journal.beginning.seed}, journal in {place}{more}", err=True)
    return journal


def findings_directory(journal: Journal) -> Path:
    """Where the findings of a run go."""
    return journal.directory / "findings"
