"""`sipalg locate`: which search rules a call meets, in which order, and which zone gets it."""

from __future__ import annotations

import sys
import uuid
from datetime import datetime
from textwrap import indent

import click
import msgspec

from alg.errors import ConfigError
from harness.expressway.loading import load_expressway
from harness.expressway.locate import Located, locate, offline
from harness.expressway.log.calls import Call, search_attempted, search_completed
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.expressway.log.network import policy_lines, search_considering, search_filtered
from harness.expressway.report import Identity, as_object, result_tree, rule_list, verdict
from harness.expressway.routes import Way, decide_route
from harness.expressway.search import Request, plan
from harness.expressway.settings import LOCAL_ZONE, Expressway, Protocol, Zone

_LOCAL = ("127.0.0.1", 0)
"""Where a search comes from that nobody sent."""


EXAMPLE = """\
[system]
"SystemUnit Name" = "expc"
"SIP Domains" = ["example.com"]
[[zone]]
Type = "TraversalClient"
Name = "Hybrid Call Service Traversal"
"SIP PreloadedSipRoutes Accept" = "On"
[[zone]]
Type = "Neighbor"
Name = "CUCM11"
"Peer Address" = ["192.0.2.21"]
"SIP Port" = 5065
[[policy_rule]]
"Source pattern" = ".*@example.net"
"Destination pattern" = ".*"
Action = "Reject"
[[search_rule]]
Name = "Hybrid Call Service Inbound Routing"
Priority = 2
Mode = "AliasPatternMatch"
"Pattern Type" = "Prefix"
"Pattern String" = "cucm.example.com"
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "CUCM11"
"""
"""A configuration file, for the help."""


@click.command(
    "locate",
    epilog="\b\nA configuration has the product's own names, those of xConfiguration; there are [[transform]] too:\n"
    + indent(EXAMPLE, "  "),
)
@click.argument("alias")
@click.option(
    "--config", required=True, metavar="F.toml", help="The Expressway: zones, transforms, policy, search rules."
)
@click.option("--source", default=LOCAL_ZONE, show_default=True, metavar="ZONE", help="Where the request comes in.")
@click.option("--source-alias", default="xcom-locate", show_default=True, metavar="ALIAS", help="The caller.")
@click.option(
    "--authenticated/--unauthenticated", default=True, show_default=True, help="Whether the caller is authenticated."
)
@click.option(
    "--protocol", type=click.Choice(["sip", "h323"]), default="sip", show_default=True, help="Of the request."
)
@click.option("--route", multiple=True, metavar="URI", help="A Route of the INVITE. Repeatable, in order.")
@click.option("--absent", multiple=True, metavar="ZONE", help="A zone that does not have the alias. Repeatable.")
@click.option("--log", is_flag=True, help="Print the lines of the diagnostic log too, on standard error.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(
    alias: str,
    config: str,
    source: str,
    source_alias: str,
    authenticated: bool,
    protocol: str,
    route: tuple[str, ...],
    absent: tuple[str, ...],
    log: bool,
    as_json: bool,
) -> int:
    """Locate an alias, as an Expressway's Locate tool does, without a network.

    The Local Zone has the aliases that the file says are registered; every other zone is taken to have any alias,
    unless it is --absent. Shows the result, then every search rule and why it did not get the call. Exit status 1 if
    nobody does.

    \b
    Examples:
      sipalg locate bob@dmzlab.call.example.com --config expe.toml --source 'Hybrid Call Service Traversal'
      sipalg locate bob@example.com --config expc.toml --source 'Hybrid Call Service Traversal' \\
          --route 'sip:cucm.example.com;lr'
    """
    expressway = load_expressway(config)
    zone = _zone(expressway, source, "--source")
    for name in absent:
        _zone(expressway, name, "--absent")
    request = Request(
        alias, zone.name, authenticated, source_alias, Protocol[protocol.upper()], _route(expressway, route, zone)
    )
    planned = plan(expressway, request)
    if planned.undecided:
        raise ConfigError(f"--config {config}: {planned.undecided[0]}")
    located = locate(expressway, planned, offline(expressway, frozenset(absent)))
    identity = Identity(str(uuid.uuid4()), str(uuid.uuid4()), datetime.now())
    if log:
        _write_log(expressway, located, identity)
    if as_json:
        click.echo(msgspec.json.encode(as_object(located)))
    else:
        click.echo(result_tree(expressway, located, identity))
        click.echo(rule_list(located))
        click.echo(verdict(located), nl=False)
    return 0 if located.found else 1


def _zone(expressway: Expressway, name: str, option: str) -> Zone:
    zone = expressway.zone(name)
    if zone is None:
        known = ", ".join(repr(entry.name) for entry in expressway.zones)
        raise ConfigError(f"{option}: no zone {name!r}; the file has {known or 'none'}")
    return zone


def _route(expressway: Expressway, routes: tuple[str, ...], zone: Zone) -> str | None:
    """The Route that the search is about; None if it is our own, and the alias decides."""
    own = {"127.0.0.1", expressway.system.address_1, expressway.system.address_2}
    decision = decide_route("INVITE", False, routes, lambda host, _: host in own, zone)
    return None if decision.way is Way.REQUEST_URI else decision.uri


def _write_log(expressway: Expressway, located: Located, identity: Identity) -> None:
    """What the Expressway would write about this search."""
    log = DiagnosticLog(sys.stderr, expressway.system.name, lambda: datetime.now().astimezone(), X8_10)
    request = located.plan.request
    call = Call(_LOCAL, request.source_alias, request.alias, identity.serial_number, identity.tag, method="OPTIONS")
    log.write(search_attempted(call), *policy_lines(located.plan, _LOCAL), *search_filtered(located.plan))
    log.write(*(search_considering(located.plan, attempt.candidate) for attempt in located.attempts))
    log.write(search_completed(call, located.rejection))
