"""Expectations: sets of outcomes in words."""

from __future__ import annotations

import pytest

from harness.fuzz.classification import Kind
from harness.fuzz.expectation import Expectation, unharmed
from harness.fuzz.probing import Health
from tests.harness.fuzz.trials import trial


@pytest.mark.parametrize(
    ("words", "kind", "status", "allowed"),
    [
        ("accepted", Kind.ACCEPTED, 404, True),
        ("accepted", Kind.REJECTED, 400, False),
        ("accepted 400", Kind.REJECTED, 400, True),
        ("accepted 400", Kind.REJECTED, 500, False),
        ("rejected", Kind.REJECTED, 500, True),
        ("answered", Kind.REJECTED, 513, True),
        ("answered", Kind.ACCEPTED, 200, True),
        ("answered", Kind.SILENT, None, False),
        ("4xx", Kind.ACCEPTED, 420, True),
        ("4xx", Kind.REJECTED, 400, True),
        ("4xx", Kind.ACCEPTED, 500, False),
        ("4xx", Kind.ACCEPTED, 200, False),
        ("505 silent closed", Kind.CLOSED, None, True),
        ("505 silent closed", Kind.RESET, None, False),
        ("garbled reset", Kind.GARBLED, None, True),
        ("answered silent closed reset garbled", Kind.REFUSED, None, False),
    ],
)
def test_words(words: str, kind: Kind, status: int | None, allowed: bool) -> None:
    """A class, a status, a hundred."""
    assert Expectation.parse(words).allows(kind, status) is allowed


@pytest.mark.parametrize("words", ["", "good", "refused", "7xx", "99", "4x", "accepted,"])
def test_words_that_say_nothing(words: str) -> None:
    """A slip in the data shows at once; `refused` is never right."""
    with pytest.raises(ValueError, match=r"no outcome|must be expected"):
        Expectation.parse(words)


def test_for_a_person() -> None:
    """A sentence's list."""
    assert str(Expectation.parse("4xx silent closed")) == "4xx, silent or closed"
    assert str(Expectation.parse("accepted")) == "accepted"


@pytest.mark.parametrize(
    ("health", "well"),
    [(None, True), (Health(True, 1, ""), True), (Health(True, 2, ""), False), (Health(False, 3, ""), False)],
)
def test_a_target_that_suffered_is_never_as_expected(health: Health | None, well: bool) -> None:
    """Dead, or away for a while."""
    closed = trial(Kind.CLOSED, health=health)
    assert unharmed(closed) is well
    assert Expectation.parse("closed").met_by(closed) is well


def test_what_could_not_be_sent_says_nothing() -> None:
    """The message before is to blame."""
    assert Expectation.parse("accepted").met_by(trial(Kind.REFUSED, health=Health(False, 3, ""), absent=True))
    assert not Expectation.parse("accepted").met_by(trial(Kind.REFUSED, health=Health(False, 3, "")))
