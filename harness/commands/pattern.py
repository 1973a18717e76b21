"""`sipalg pattern`: does an alias match, and what does it become."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from alg.errors import ConfigError
from harness.expressway.loading import load_expressway
from harness.expressway.patterns import Behavior, Pattern, PatternType, check_pattern, validate
from harness.expressway.settings import Expressway, RuleMode

_TYPES = {kind.value.lower(): kind for kind in PatternType}
_BEHAVIORS = {
    "leave": Behavior.LEAVE,
    "strip": Behavior.STRIP,
    "replace": Behavior.REPLACE,
    "add-prefix": Behavior.ADD_PREFIX,
    "add-suffix": Behavior.ADD_SUFFIX,
}


@click.command("pattern")
@click.argument("alias")
@click.option(
    "--type", "kind", type=click.Choice(list(_TYPES)), default="regex", show_default=True, help="Pattern type."
)
@click.option("--string", metavar="TEXT", help="Pattern string.")
@click.option(
    "--behavior", type=click.Choice(list(_BEHAVIORS)), default="leave", show_default=True, help="Pattern behavior."
)
@click.option("--replace", default="", metavar="TEXT", help="Replace string, or the text to add; \\1 is a group.")
@click.option("--rule", metavar="NAME", help="Check the pattern of this search rule of --config instead.")
@click.option("--config", metavar="F.toml", help="The Expressway whose domains and addresses %variables% stand for.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(alias: str, rule: str | None, config: str | None, as_json: bool, **options: Any) -> int:
    """Check a pattern, as an Expressway's Check pattern tool does.

    Regular expressions are compared with the whole alias, without regard to case. Exit status 1 if the alias does not
    match.

    \b
    Examples:
      sipalg pattern cucm.rtp.example.net --type prefix --string cucm.rtp.example.net
      sipalg pattern 5010@example.com --string '(\\d{4})@.*' --behavior replace --replace '\\1@example.net'
      sipalg pattern bob@example.com --rule 'to DNS' --config expe.toml
    """
    expressway = load_expressway(config) if config else Expressway()
    pattern = _rule_pattern(expressway, rule, config) if rule else _pattern(**options)
    validate(pattern, expressway.variables, "pattern")
    check = check_pattern(alias, pattern, expressway.variables)
    if as_json:
        found = {"result": check.result, "details": check.details, "alias": check.alias, "matched": check.matched}
        click.echo(msgspec.json.encode(found))
    else:
        click.echo(f"Result   {check.result}\nDetails  {check.details}\nAlias    {check.alias}")
    return 0 if check.matched else 1


def _pattern(kind: str, string: str | None, behavior: str, replace: str) -> Pattern:
    """The pattern that the options describe."""
    if string is None:
        raise click.UsageError("Missing option '--string', or '--rule' with '--config'.")
    return Pattern(_TYPES[kind], string, _BEHAVIORS[behavior], replace)


def _rule_pattern(expressway: Expressway, name: str, config: str | None) -> Pattern:
    """The pattern of a search rule."""
    if config is None:
        raise click.UsageError("Option '--rule' needs '--config'.")
    for rule in expressway.search_rules:
        if rule.name == name:
            if rule.mode is not RuleMode.ALIAS_PATTERN_MATCH:
                raise ConfigError(f"--rule {name!r}: its mode is {rule.mode.value}, it has no pattern")
            return rule.pattern
    raise ConfigError(f"--rule {name!r}: {config} has no such search rule")
