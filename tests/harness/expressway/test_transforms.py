"""Pre-search transforms: which one is applied, and that it is one only."""

from __future__ import annotations

import pytest

from harness.expressway import patterns
from harness.expressway.patterns import Behavior, PatternType
from harness.expressway.settings import Expressway, State, System, Transform
from harness.expressway.transforms import Transformed, transform_alias
from tests.harness.expressway.configurations import AND_SO_ON, ENDLESS

STRIP = Transform(priority=20, string="@%ip%", type=PatternType.SUFFIX)
ADD = Transform(
    priority=10, string=r"\d{4}", type=PatternType.REGEX, behavior=Behavior.ADD_SUFFIX, replace="@%localdomain1%"
)
EXPRESSWAY = Expressway(system=System(address_1="192.0.2.1", domains=["example.com"]), transforms=(STRIP, ADD))


def test_no_transform_matches() -> None:
    """The alias stays."""
    assert transform_alias(EXPRESSWAY, "bob@example.net") == Transformed(None, "bob@example.net")


def test_variables_and_additional_text() -> None:
    """A number gets the domain of the system."""
    assert transform_alias(EXPRESSWAY, "5010") == Transformed(ADD, "5010@example.com")


def test_only_one_is_applied() -> None:
    """What a transform made is not transformed again, although the next one matches it."""
    assert transform_alias(EXPRESSWAY, "5010@192.0.2.1") == Transformed(STRIP, "5010")


def test_the_lowest_priority_number_comes_first() -> None:
    """Whatever their order in the file."""
    first = Transform(priority=1, string="5", behavior=Behavior.REPLACE, replace="6")
    expressway = Expressway(transforms=(STRIP, ADD, first))
    assert transform_alias(expressway, "5010") == Transformed(first, "6010")


def test_a_disabled_transform() -> None:
    """It is as if it were not there."""
    disabled = Transform(priority=1, string="5", state=State.DISABLED)
    assert transform_alias(Expressway(transforms=(disabled,)), "5010") == Transformed(None, "5010")


def test_a_transform_that_nobody_can_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over, and says so; the next one is looked at."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    endless = Transform(priority=1, string=ENDLESS, type=PatternType.REGEX)
    last = Transform(priority=30, string="aa", behavior=Behavior.REPLACE, replace="b")
    found = transform_alias(Expressway(transforms=(endless, last)), AND_SO_ON)
    assert (found.transform, found.alias) == (last, AND_SO_ON.replace("aa", "b", 1))
    assert found.undecided == (
        f"transform of priority 1: {ENDLESS!r} compared with {AND_SO_ON!r}: no result after 0.01 s of computing",
    )
