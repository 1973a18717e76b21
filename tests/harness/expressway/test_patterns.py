"""Patterns: the guide's own examples, grep and Python's re as judges, variables, and what is no pattern."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import ConfigError
from harness.expressway.patterns import (
    Behavior,
    Check,
    Pattern,
    PatternType,
    Variables,
    check_pattern,
    matches,
    validate,
)
from tests.helpers.system import require_system

VARIABLES = Variables(
    (
        ("localdomains", ("example.com", "eng.example.com")),
        ("localdomain2", ("eng.example.com",)),
        ("ip", ("10.0.0.1", "10.0.0.11")),
        ("ipv4_2", ()),
    )
)


@pytest.mark.parametrize(
    ("string", "alias", "matched"),
    [
        ("9?123", "9123", True),
        ("9?123", "123", True),
        (r"\d{3}", "123", True),
        (r"\d{3}", "1234", False),
        (r"\d{3,5}", "12345", True),
        (r"^\d\d\d$", "123", True),
        (r"^\d\d\d$", "1234", False),
        ("[0-9#*]", "#", True),
        ("[^0-9#*]", "*", False),
        (".*@example.(net|com)", "bob@example.net", True),
        (".*@example.(net|com)", "bob@example.org", False),
        ("(?!.*@example.com$).*", "bob@example.com", False),
        ("(?!.*@example.com$).*", "bob@example.net", True),
        ("(?!alice).*", "alice@example.com", False),
        ("(?!alice).*", "bob@example.com", True),
        (".*(?<!net)", "bob@example.net", False),
        (".*(?<!net)", "bob@example.com", True),
        (r"\d{7,15}", "123456", False),
        (r"\d{7,15}", "1234567a", False),
        (".*@EXAMPLE.COM", "bob@example.com", True),
        (r".*@.*\.ciscospark\.com", "bob-test@dmzlab.call.ciscospark.com", True),
        ("[[:digit:]]+@[[:alpha:].]+", "5010@example.com", True),
        ("[[:digit:]]+", "501x", False),
    ],
)
def test_regular_expressions_of_the_guide(string: str, alias: str, matched: bool) -> None:
    """Each example of the administrator guide's table matches what the table says: the whole alias, in any case."""
    assert matches(alias, string) is matched


def test_the_initials_of_the_guide() -> None:
    """Groups are put together by number, and what is in no group is gone."""
    pattern = Pattern(PatternType.REGEX, "(.).*_(.).*(@example.com)", Behavior.REPLACE, r"\1\2\3")
    assert check_pattern("alice_brown@example.com", pattern) == Check(True, "ab@example.com")


@pytest.mark.parametrize(
    ("kind", "string", "behavior", "replace", "expected"),
    [
        (PatternType.EXACT, "9123@example.com", Behavior.LEAVE, "", "9123@example.com"),
        (PatternType.EXACT, "9123@EXAMPLE.com", Behavior.REPLACE, "123", "123"),
        (PatternType.EXACT, "9123", Behavior.LEAVE, "", None),
        (PatternType.PREFIX, "9", Behavior.STRIP, "", "123@example.com"),
        (PatternType.PREFIX, "9", Behavior.REPLACE, "00", "00123@example.com"),
        (PatternType.PREFIX, "1", Behavior.STRIP, "", None),
        (PatternType.SUFFIX, "@example.com", Behavior.STRIP, "", "9123"),
        (PatternType.SUFFIX, "@example.com", Behavior.REPLACE, "@example.net", "9123@example.net"),
        (PatternType.SUFFIX, "example", Behavior.STRIP, "", None),
        (PatternType.SUFFIX, "9.23@example.com", Behavior.STRIP, "", None),
        (PatternType.REGEX, r"9(\d+)@.*", Behavior.REPLACE, r"\1", "123"),
        (PatternType.REGEX, r"9(\d+)(x)?@.*", Behavior.REPLACE, r"\1-\2", "123-"),
        (PatternType.REGEX, r"\d+", Behavior.LEAVE, "", None),
        (PatternType.PREFIX, "9", Behavior.ADD_PREFIX, "00", "009123@example.com"),
        (PatternType.REGEX, ".*", Behavior.ADD_SUFFIX, ";x", "9123@example.com;x"),
    ],
)
def test_behaviors(kind: PatternType, string: str, behavior: Behavior, replace: str, expected: str | None) -> None:
    """Only the part that matched is stripped or replaced; nothing becomes of an alias that does not match."""
    check = check_pattern("9123@example.com", Pattern(kind, string, behavior, replace))
    assert check == (Check(False, "9123@example.com") if expected is None else Check(True, expected))


@pytest.mark.parametrize(
    ("kind", "string", "alias", "expected"),
    [
        (PatternType.REGEX, "(.+)@%localdomains%", "bob@eng.example.com", "bob"),
        (PatternType.REGEX, "(.+)@%localdomains%", "bob@engXexample.com", None),
        (PatternType.REGEX, "(.+)@%LocalDomain2%", "bob@eng.example.com", "bob"),
        (PatternType.REGEX, "(.+)@%localdomain2%", "bob@example.com", None),
        (PatternType.REGEX, "(?!.*@%ipv4_2%.*$)(.*)@.*", "bob@example.com", "bob"),
        (PatternType.REGEX, "(.*)%40.*", "bob%40example.com", "bob"),
    ],
)
def test_variables_in_a_regular_expression(kind: PatternType, string: str, alias: str, expected: str | None) -> None:
    """A variable is any of its values, letter by letter, and no group; one without a value matches nothing."""
    check = check_pattern(alias, Pattern(kind, string, Behavior.REPLACE, r"\1"), VARIABLES)
    assert check == (Check(False, alias) if expected is None else Check(True, expected))


def test_variables_elsewhere() -> None:
    """In a prefix or suffix too, the longest value that fits; and those with one value in a replace string."""
    suffix = Pattern(PatternType.SUFFIX, "@%localdomains%", Behavior.STRIP)
    assert check_pattern("bob@eng.example.com", suffix, VARIABLES).alias == "bob"
    prefix = Pattern(PatternType.PREFIX, "%ip%", Behavior.STRIP)
    assert check_pattern("10.0.0.11", prefix, VARIABLES).alias == ""
    replace = Pattern(PatternType.SUFFIX, "@example.com", Behavior.REPLACE, "@%localdomain2%%x%")
    assert check_pattern("bob@example.com", replace, VARIABLES).alias == "bob@eng.example.com%x%"


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        (Pattern(PatternType.PREFIX, ""), "rule 1: 'Pattern String' is missing"),
        (Pattern(PatternType.REGEX, "(a"), r"rule 1: '\(a' is no regular expression: missing \)"),
        (Pattern(PatternType.REGEX, "a{2,1}"), "is no regular expression: min repeat"),
        (Pattern(PatternType.REGEX, "(?<!a*)b"), "rule 1: .* is no regular expression: look-behind"),
        (Pattern(PatternType.REGEX, "a{99999999999}"), "rule 1: .* is no regular expression"),
        (
            Pattern(PatternType.REGEX, "a", Behavior.STRIP),
            "rule 1: .*Strip goes with Prefix and Suffix, not with Regex",
        ),
        (Pattern(PatternType.EXACT, "a", Behavior.STRIP), "not with Exact"),
        (Pattern(PatternType.REGEX, "(a)", Behavior.REPLACE, r"\2"), r"has \\2, but the pattern has 1 group"),
        (Pattern(PatternType.PREFIX, "(a)", Behavior.REPLACE, r"\1"), r"has \\1, but the pattern has 0 group"),
        (Pattern(PatternType.PREFIX, "a", Behavior.REPLACE, "%localdomains%"), "%localdomains% has its place"),
    ],
)
def test_no_pattern(pattern: Pattern, complaint: str) -> None:
    """What the product would not take is told with the place."""
    with pytest.raises(ConfigError, match=complaint):
        validate(pattern, VARIABLES, "rule 1")


def test_patterns_that_are_fine() -> None:
    """A group that only Leave would not use, a bracket in a bracket, a variable in a pattern."""
    validate(Pattern(PatternType.REGEX, "a", Behavior.LEAVE, r"\9"), VARIABLES, "rule 1")
    validate(Pattern(PatternType.REGEX, "[[a]b%localdomains%"), VARIABLES, "rule 1")
    assert matches("[bexample.com", "[[a]b%localdomains%", VARIABLES)


_LETTERS = st.text("ab.@1", max_size=8)
_ATOMS = st.sampled_from(["a", "b", "B", "1", "@", r"\.", ".", "[ab]", "[^a]", "[1-9]", "[[:digit:]]", "[.@]"])
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)


@given(_EXPRESSIONS, _LETTERS)
def test_grep_agrees(expression: str, alias: str) -> None:
    """A POSIX extended expression matches exactly the aliases that grep's -x and -i find by it."""
    command = [require_system("grep", "grep"), "-xiqE", "-e", expression]
    judge = subprocess.run(command, input=f"{alias}\n", text=True, check=False, env={"LC_ALL": "C"})
    assert judge.returncode in (0, 1)
    assert matches(alias, expression) is (judge.returncode == 0)


@given(_EXPRESSIONS, _EXPRESSIONS, _LETTERS)
def test_python_agrees_about_groups(first: str, second: str, alias: str) -> None:
    """What \\1 and \\2 become is what Python's own templates make of the same groups."""
    expression = f"({first})(?:@|a)?(?P<second>{second})".replace("[:digit:]", "0-9")
    judge = re.fullmatch(expression, alias, re.IGNORECASE)
    number = re.compile(expression).groupindex["second"]
    if number > 9:
        return
    pattern = Pattern(PatternType.REGEX, expression, Behavior.REPLACE, rf"<\{number}-\1>")
    expected = Check(False, alias) if judge is None else Check(True, judge.expand(r"<\g<second>-\g<1>>"))
    assert check_pattern(alias, pattern) == expected


@given(st.text(max_size=6), st.text(max_size=3), st.text(max_size=6))
def test_literals_are_literal(before: str, string: str, behind: str) -> None:
    """Whatever characters a prefix or suffix has, it is found where the alias begins or ends with it."""
    for kind, alias, rest in (
        (PatternType.PREFIX, string + behind, behind),
        (PatternType.SUFFIX, before + string, before),
    ):
        assert check_pattern(alias, Pattern(kind, string, Behavior.STRIP)) == Check(True, rest)
    assert check_pattern(before + string, Pattern(PatternType.EXACT, before + string)).matched


def test_what_the_tool_says() -> None:
    """The words of the result page."""
    assert (Check(True, "a").result, Check(True, "a").details) == ("Succeeded", "Alias matched pattern")
    assert (Check(False, "a").result, Check(False, "a").details) == ("Failed", "Alias did not match pattern")
