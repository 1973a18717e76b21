"""Expressions: Python's `re` as judge of what they mean, and of what is none; that they end, and how large they get."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alg.errors import ConfigError
from harness.expressway.expressions import compile_expression

_FLAGS = re.IGNORECASE | re.ASCII
_LETTERS = st.text("abB1@.{e}\n", max_size=7)
_PLAIN = ["a", "b", "1", "@", r"\.", ".", r"\d", r"\w", r"\W", "^", "$", r"\b", r"\Z", r"\x41", r"\N{DIGIT ONE}"]
_CLASSES = ["[ab{]", "[^a]", "[[a]", r"[\d@]", "[a&&b]", "[a||b]", "[]a]"]
_BRACES = ["{", "}", "{e}", "{e<=1}", "{1,e}", r"\{e}", "{2", "a{e}", r"\\{e}"]
_ATOMS = st.sampled_from([*_PLAIN, *_CLASSES, *_BRACES])
_REPETITIONS = st.sampled_from(["*", "+", "?", "*?", "+?", "{1,2}", "{2}", "{,1}", "{1,}", "{}", "{e}", "?+"])
_OPENINGS = st.sampled_from(["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"])
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, _REPETITIONS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(_OPENINGS, inner).map(lambda pair: f"{pair[0]}{pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: rf"({pair[0]}){pair[1]}\1"),
    ),
    max_leaves=6,
)


@given(_EXPRESSIONS, _LETTERS)
@example("a{e}", "b")
@example(r"\N{DIGIT ONE}", "1")
@example(r"(?<=a|bc)d", "ad")
@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
def test_python_agrees(expression: str, alias: str) -> None:
    """What is an expression, what it matches from the start and as a whole, and what its groups have."""
    try:
        judge = re.compile(expression, _FLAGS)
    except re.error:
        with pytest.raises(ConfigError):
            compile_expression(expression)
        return
    ours = compile_expression(expression)
    for expected, found in ((judge.match(alias), ours.match(alias)), (judge.fullmatch(alias), ours.fullmatch(alias))):
        assert (found is None) is (expected is None)
        if expected is not None and found is not None:
            assert (found.span(), found.groups()) == (expected.span(), expected.groups())


@pytest.mark.parametrize("expression", ["(a", "a{2,1}", "(?<!a*)b", r"\p{L}", "(?P<a>.)(?P<a>.)", "(?|a|b)", "(?u)a"])
def test_no_expression(expression: str) -> None:
    """What Python does not take is refused, whatever `regex` would make of it."""
    with pytest.raises(ConfigError):
        compile_expression(expression)


@pytest.mark.parametrize(
    "expression", ["(a|aa)+$", "(?=(a|aa)+$).*", "(?!(a|aa)+$).*", "(?>(a|aa)+$|b)", "(?:|a|aa)+$"]
)
def test_a_comparison_ends(expression: str) -> None:
    """One that would go on for days is given up, in look-arounds too."""
    with pytest.raises(TimeoutError):
        compile_expression(expression).fullmatch("a" * 60 + "c", timeout=0.01)


@pytest.mark.parametrize(
    "expression",
    ["(((a{1000}){1000}){1000})", "(a?){1000000}", "(" * 40 + "a" + ")+" * 40, "(?:[ab]\\d){99999}", "(a{200,}b){200}"],
)
def test_too_large(expression: str) -> None:
    """What would fill the memory is refused before it does."""
    with pytest.raises(ConfigError, match="with its repetitions it has more than 20000 characters"):
        compile_expression(expression)


def test_large_enough() -> None:
    """What people write is far from the limit: long lists, and the repetitions of a dial plan."""
    assert compile_expression("|".join(f"{number}@example.com" for number in range(1000))).fullmatch("999@example.com")
    assert compile_expression(r"(?:\d{7,15}@(?:[a-z]+\.){1,8}com)+").fullmatch("12345678@a.b.com")
