"""An Expressway from its TOML file: decoded once, and checked as a whole.

Strategy: every table is decoded by its own type, then names, patterns and priorities are compared with each other. What
is wrong is told as one line with the file, the table and the key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from alg.errors import ConfigError
from harness.expressway.patterns import Behavior, Pattern, PatternType, Variables, validate
from harness.expressway.settings import (
    DEFAULT_ZONE,
    LOCAL_ZONE,
    ConfiguredZone,
    DefaultZone,
    DnsZone,
    Expressway,
    Policy,
    PolicyRule,
    RuleMode,
    RuleSource,
    SearchRule,
    SourceType,
    System,
    Transform,
)

_T = TypeVar("_T")

_SINGLE = ("system", "policy")
_REPEATED = ("zone", "transform", "policy_rule", "search_rule")
_TYPES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "system": (System,),
    "policy": (Policy,),
    "zone": get_args(ConfiguredZone),
    "transform": (Transform,),
    "policy_rule": (PolicyRule,),
    "search_rule": (SearchRule,),
}
"""The types that a table may have."""

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_NO_MEMBER = re.compile(r"Invalid (?:enum )?value '(.*)' - at `\$\.(.*)`")
_ELSEWHERE = re.compile(r"(.*) - at `\$\.(.*)`")

_SEARCH_BEHAVIORS = frozenset({Behavior.LEAVE, Behavior.STRIP, Behavior.REPLACE})
_TRANSFORM_BEHAVIORS = frozenset(Behavior) - {Behavior.LEAVE}


def load_expressway(path: str) -> Expressway:
    """The Expressway of a file; ConfigError naming file, table and key."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: {getattr(error, 'strerror', None) or error}") from None
    return parse_expressway(text, f"--config {path}")


def parse_expressway(text: str, setting: str) -> Expressway:
    """The Expressway that TOML text describes; ConfigError naming `setting`, table and key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{setting}: {error}") from None
    for key in document:
        if key not in _TYPES:
            raise ConfigError(f"{setting}: unknown table {key!r}{_suggestion(key, _TYPES)}")
    expressway = Expressway(
        system=_single(document, "system", System, setting),
        zones=tuple(_repeated(document, "zone", ConfiguredZone, setting)),
        transforms=tuple(_repeated(document, "transform", Transform, setting)),
        policy=_single(document, "policy", Policy, setting),
        policy_rules=tuple(_repeated(document, "policy_rule", PolicyRule, setting)),
        search_rules=tuple(_repeated(document, "search_rule", SearchRule, setting)),
    )
    validate_expressway(expressway, setting)
    return expressway


def validate_expressway(expressway: Expressway, setting: str) -> None:
    """ConfigError, naming `setting`, table and key, for tables that contradict themselves or each other."""
    if expressway.system.static_nat_mode and not expressway.system.static_nat_address:
        raise ConfigError(f"{setting}: [system]: 'Ethernet 1 IP V4 StaticNAT Address' is missing")
    _validate_zones(expressway, setting)
    _unique([str(rule.priority) for rule in expressway.transforms], setting, "transform", "Priority")
    for number, transform in enumerate(expressway.transforms, 1):
        where = f"{setting}: [[transform]] {number}"
        _validate_pattern(transform.pattern, _TRANSFORM_BEHAVIORS, expressway.variables, where)
    for number, rule in enumerate(expressway.policy_rules, 1):
        where = f"{setting}: [[policy_rule]] {number}"
        if rule.source_type is SourceType.ZONE:
            _known_zone(expressway, rule.zone, f"{where}: 'Originating zone'")
        for key, expression in (("Source pattern", rule.source), ("Destination pattern", rule.destination)):
            if expression:
                validate(Pattern(PatternType.REGEX, expression), expressway.variables, f"{where}: {key!r}")
    _unique([rule.name for rule in expressway.search_rules], setting, "search_rule", "Name")
    for number, search_rule in enumerate(expressway.search_rules, 1):
        _validate_search_rule(expressway, search_rule, f"{setting}: [[search_rule]] {number}")


def _validate_zones(expressway: Expressway, setting: str) -> None:
    _unique([zone.name for zone in expressway.zones], setting, "zone", "Name")
    for number, zone in enumerate(expressway.zones, 1):
        where = f"{setting}: [[zone]] {number}"
        if zone.name == LOCAL_ZONE or (zone.name == DEFAULT_ZONE and not isinstance(zone, DefaultZone)):
            raise ConfigError(f"{where}: 'Name': {zone.name!r} is the product's own")
        if isinstance(zone, DnsZone) and zone.dns_override and not zone.dns_override_name:
            raise ConfigError(f"{where}: 'SIP DnsOverride Name' is missing")
        if isinstance(zone, DnsZone) and zone.tls_verify and not zone.tls_subject:
            raise ConfigError(f"{where}: 'SIP TLS Verify Subject Name' is missing")


def _validate_search_rule(expressway: Expressway, rule: SearchRule, where: str) -> None:
    if rule.source_mode is RuleSource.NAMED:
        _known_zone(expressway, rule.source_name, f"{where}: 'Source Name'")
    if rule.target == DEFAULT_ZONE:
        raise ConfigError(f"{where}: 'Target Name': nothing is sent to the default zone")
    _known_zone(expressway, rule.target, f"{where}: 'Target Name'")
    if rule.mode is RuleMode.ALIAS_PATTERN_MATCH:
        _validate_pattern(rule.pattern, _SEARCH_BEHAVIORS, expressway.variables, where)


def _validate_pattern(pattern: Pattern, behaviors: frozenset[Behavior], variables: Variables, where: str) -> None:
    if pattern.behavior not in behaviors:
        known = ", ".join(behavior.value for behavior in Behavior if behavior in behaviors)
        raise ConfigError(f"{where}: 'Pattern Behavior': {pattern.behavior.value!r} is none of {known}")
    validate(pattern, variables, where)


def _known_zone(expressway: Expressway, name: str, where: str) -> None:
    if expressway.zone(name) is None:
        names = [LOCAL_ZONE, DEFAULT_ZONE, *(zone.name for zone in expressway.zones)]
        raise ConfigError(f"{where}: no zone {name!r}{_suggestion(name, names)}")


def _unique(values: Sequence[str], setting: str, table: str, key: str) -> None:
    for number, value in enumerate(values, 1):
        if value in values[: number - 1]:
            first = values.index(value) + 1
            raise ConfigError(f"{setting}: [[{table}]] {number}: {key!r}: {value!r} is that of [[{table}]] {first} too")


def _single(document: dict[str, Any], table: str, kind: type[_T], setting: str) -> _T:
    content = document.get(table, {})
    if not isinstance(content, dict):
        raise ConfigError(f"{setting}: {table} must be a table, [{table}]")
    return _decode(content, table, kind, f"{setting}: [{table}]")


def _repeated(document: dict[str, Any], table: str, kind: Any, setting: str) -> list[Any]:
    contents = document.get(table, [])
    if not isinstance(contents, list) or not all(isinstance(content, dict) for content in contents):
        raise ConfigError(f"{setting}: {table} must be repeated tables, [[{table}]]")
    return [
        _decode(content, table, kind, f"{setting}: [[{table}]] {number}") for number, content in enumerate(contents, 1)
    ]


def _decode(content: dict[str, Any], table: str, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_explain(str(error), table, content)}") from None


def _explain(complaint: str, table: str, content: dict[str, Any]) -> str:
    """What msgspec says, in the words of the file."""
    types = [kind for kind in _TYPES[table] if kind.__struct_config__.tag in (None, content.get("Type"))]
    if found := _UNKNOWN.match(complaint):
        return f"unknown key {found[1]!r}{_suggestion(found[1], *(kind.__struct_encode_fields__ for kind in types))}"
    if found := _MISSING.match(complaint):
        return f"{found[1]!r} is missing"
    if found := _NO_MEMBER.match(complaint):
        return f"{found[2]!r}: {found[1]!r} is none of {', '.join(_choices(found[2], table, types))}"
    if found := _ELSEWHERE.match(complaint):
        return f"{found[2]!r}: {found[1]}"
    return complaint


def _choices(key: str, table: str, types: Iterable[type[msgspec.Struct]]) -> list[str]:
    """The values that a key may have."""
    if key == "Type":
        return [str(kind.__struct_config__.tag) for kind in _TYPES[table]]
    kinds = [entry.type for kind in types for entry in msgspec.structs.fields(kind) if entry.encode_name == key]
    return [str(member.value) for kind in kinds[:1] if isinstance(kind, type(Enum)) for member in kind]


def _suggestion(key: str, *known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, {name for names in known for name in names}, 1)
    return f"; did you mean {near[0]!r}?" if near else ""
