"""What a pattern string matches, and what it makes of the alias.

Strategy: every pattern type becomes one regular expression over the alias, its variables filled in; the match says
which part the behaviour strips or replaces. Regular expressions follow the Expressway Administrator Guide (X14.0.1,
"Regular Expressions"): POSIX syntax with `\\d` and negative look-around, compared without regard to case, and over the
whole alias, since `(?!alice).*` is "any string that does not start with alice" and `.*(?<!net)` "any string that does
not end with net". `\\1` to `\\9` in a replace string are groups. Variables are those of "Pattern Matching Variables".
Whether a pattern matches is known within `LIMIT`, or Undecided is raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import regex

from alg.errors import ConfigError
from harness.expressway.expressions import LIMIT, Undecided, compile_expression


class PatternType(Enum):
    """How the pattern string is compared with the alias."""

    EXACT = "Exact"
    PREFIX = "Prefix"
    SUFFIX = "Suffix"
    REGEX = "Regex"


class Behavior(Enum):
    """What becomes of the part of the alias that matched."""

    LEAVE = "Leave"
    STRIP = "Strip"
    REPLACE = "Replace"
    ADD_PREFIX = "AddPrefix"
    ADD_SUFFIX = "AddSuffix"


@dataclass(frozen=True, slots=True)
class Variables:
    """What `%name%` stands for: names in lower case, each with its values."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def get(self, name: str) -> tuple[str, ...] | None:
        """The values of a variable, which may be none; None for a name that is no variable."""
        return dict(self.values).get(name.lower())


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, as search rules and transforms have them."""

    type: PatternType
    string: str
    behavior: Behavior = Behavior.LEAVE
    replace: str = ""
    """The replace string, or the text that AddPrefix and AddSuffix add."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the *Check pattern* tool says of an alias."""

    matched: bool
    alias: str
    """The resulting alias; the one that was asked for if nothing matched."""

    @property
    def result(self) -> str:
        """The tool's `Result`."""
        return "Succeeded" if self.matched else "Failed"

    @property
    def details(self) -> str:
        """The tool's `Details`."""
        return "Alias matched pattern" if self.matched else "Alias did not match pattern"


_VARIABLE = re.compile(r"%(\w+)%")
_GROUP = re.compile(r"\\([1-9])")
_CHARACTER_CLASS = re.compile(r"\[:(\w+):\]")
_CHARACTER_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
"""Character classes of POSIX bracket expressions (POSIX.1-2017 9.3.5)."""
_NOTHING = "(?!)"
"""Matches nowhere: a variable without a value, such as %localdomains% on an Expressway-E, which has no domains."""
_STRIPPED = frozenset({PatternType.PREFIX, PatternType.SUFFIX})


def check_pattern(alias: str, pattern: Pattern, variables: Variables = Variables()) -> Check:
    """Whether the alias matches, and what it becomes; ConfigError if the pattern makes no sense, or is Undecided."""
    found = _find(pattern.type, pattern.string, variables, alias)
    if found is None:
        return Check(False, alias)
    text = _fill(pattern.replace, variables)
    before, behind = alias[: found.start()], alias[found.end() :]
    match pattern.behavior:
        case Behavior.LEAVE:
            return Check(True, alias)
        case Behavior.STRIP:
            return Check(True, before + behind)
        case Behavior.REPLACE:
            return Check(True, before + _GROUP.sub(lambda group: found[int(group[1])] or "", text) + behind)
        case Behavior.ADD_PREFIX:
            return Check(True, text + alias)
        case Behavior.ADD_SUFFIX:
            return Check(True, alias + text)


def matches(alias: str, expression: str, variables: Variables = Variables()) -> bool:
    """Whether a regular expression, as call policy rules have them, matches the alias; may be Undecided."""
    return _find(PatternType.REGEX, expression, variables, alias) is not None


def validate(pattern: Pattern, variables: Variables, setting: str) -> None:
    """ConfigError, naming `setting`, for a pattern that the product would not take."""
    if not pattern.string:
        raise ConfigError(f"{setting}: 'Pattern String' is missing")
    if pattern.behavior is Behavior.STRIP and pattern.type not in _STRIPPED:
        raise ConfigError(
            f"{setting}: 'Pattern Behavior' Strip goes with Prefix and Suffix, not with {pattern.type.value}"
        )
    try:
        groups = _compile(pattern.type, pattern.string, variables).groups
        _fill(pattern.replace, variables)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from None
    if pattern.behavior is Behavior.REPLACE:
        for group in map(int, _GROUP.findall(pattern.replace)):
            if group > groups:
                raise ConfigError(f"{setting}: 'Pattern Replace' has \\{group}, but the pattern has {groups} group(s)")


def _find(kind: PatternType, string: str, variables: Variables, alias: str) -> regex.Match[str] | None:
    expression = _compile(kind, string, variables)
    try:
        match kind:
            case PatternType.PREFIX:
                return expression.match(alias, timeout=LIMIT)
            case PatternType.SUFFIX:
                return expression.search(alias, timeout=LIMIT)
            case _:
                return expression.fullmatch(alias, timeout=LIMIT)
    except TimeoutError:
        raise Undecided(f"{string!r} compared with {alias!r}: no result after {LIMIT:g} s of computing") from None


@lru_cache(maxsize=4096)
def _compile(kind: PatternType, string: str, variables: Variables) -> regex.Pattern[str]:
    """The pattern as an expression; ConfigError if it is none."""
    pieces = []
    start = 0
    for found in _VARIABLE.finditer(string):
        values = variables.get(found[1])
        if values is not None:
            pieces += [_literal(kind, string[start : found.start()]), _alternatives(values)]
            start = found.end()
    pieces.append(_literal(kind, string[start:]))
    text = "".join(pieces) + (r"\Z" if kind is PatternType.SUFFIX else "")
    try:
        return compile_expression(text)
    except ConfigError as error:
        raise ConfigError(f"{string!r} is no regular expression: {error}") from None


def _literal(kind: PatternType, text: str) -> str:
    if kind is not PatternType.REGEX:
        return re.escape(text)
    return _CHARACTER_CLASS.sub(lambda name: _CHARACTER_CLASSES.get(name[1], name[0]), text)


def _alternatives(values: tuple[str, ...]) -> str:
    """Any of the values, the longest that fits, as a group that is not counted."""
    longest_first = sorted(values, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})" if values else _NOTHING


def _fill(text: str, variables: Variables) -> str:
    """A replace string with its variables replaced; ConfigError for one that stands for several values."""

    def value(found: re.Match[str]) -> str:
        values = variables.get(found[1])
        if values is None:
            return found[0]
        if found[1].lower() in _ONLY_IN_PATTERNS:
            raise ConfigError(f"'Pattern Replace': {found[0]} has its place in a pattern string only")
        return "".join(values)

    return _VARIABLE.sub(value, text)


_ONLY_IN_PATTERNS = frozenset({"ip", "ipv4", "ipv6", "localdomains"})
"""Variables that stand for several values."""
