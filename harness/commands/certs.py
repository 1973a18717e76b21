"""`sipalg certs`: keys and certificates for the lab."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from harness.ca import ROOTS, load_recipes, make, write
from harness.pki.listing import Listed, listing
from harness.pki.recipes import shipped

_PLAIN_WIDTH = 1000
"""Columns where the output is no terminal: enough for every row to be one line."""


@click.group("certs")
def command() -> None:
    """Certificates for the lab: CAs, good certificates, and deliberately bad ones.

    \b
    Example:
      sipalg certs list
      sipalg certs make pki
    """


@command.command("make")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    metavar="R",
    help="A shipped one by name, or the path of your own .toml. Repeatable.  [default: all shipped]",
)
@click.option("--force", is_flag=True, help="Replace what is in DIR: new keys, new CAs.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, with every detail.")
def make_certificates(directory: Path, recipes: tuple[str, ...], force: bool, as_json: bool) -> int:
    """Make keys and certificates in DIR, and list them with what is wrong on purpose.

    Of each NAME: NAME.key, NAME.crt, NAME-chain.pem (itself and what it sends along), NAME-issuers.pem (the same
    without itself, for openssl -cert_chain). roots.pem holds all roots that are trusted. Nothing that exists is
    replaced without --force.

    \b
    Example:
      sipalg certs make pki --recipe webex --recipe expressway-e
      cd pki
      openssl s_server -accept 5062 -cert webex.crt -key webex.key -cert_chain webex-issuers.pem \\
          -CAfile roots.pem -Verify 3
      openssl s_client -connect 127.0.0.1:5062 -cert expressway-e.crt -key expressway-e.key \\
          -cert_chain expressway-e-issuers.pem -CAfile roots.pem -verify_return_error
    """
    pki = make(load_recipes(*recipes), datetime.now(UTC))
    write(pki, directory, replace=force)
    listed = listing(pki)
    if as_json:
        bundle = ROOTS if pki.trust() else None
        click.echo(msgspec.json.encode({"directory": str(directory), "roots": bundle, "certificates": listed}))
    else:
        _print(listed)
        click.echo(f"{len(pki.files())} files in {directory}")
    return 0


@command.command("list")
def list_recipes() -> int:
    """Name the shipped recipes.

    \b
    Example:
      sipalg certs list
    """
    titles = shipped()
    for name, title in titles.items():
        click.echo(f"{name:<{max(map(len, titles))}}  {title}")
    return 0


def _print(listed: list[Listed]) -> None:
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    for column in ("subject", "alternative names", "issuer", "valid until", "wrong on purpose"):
        table.add_column(column, overflow="fold")
    for each in listed:
        names = " +".join([*each.names[:1], *([str(len(each.names) - 1)] if len(each.names) > 1 else [])])
        until = each.not_after.strftime("%Y-%m-%d")
        table.add_row(each.name, each.common_name, names, each.issuer or "itself", until, each.wrong)
    console.print(table)
