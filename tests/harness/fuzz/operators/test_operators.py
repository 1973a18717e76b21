"""What is true of every operator."""

from __future__ import annotations

import ipaddress
import re
from random import Random

import pytest

from harness.fuzz.operators import OPERATORS
from harness.fuzz.spoiling import Effect, Operator
from tests.harness.fuzz.operators.spoils import SPECIMEN, TARGET, spoilt

_ROUTED = re.compile(rb"(?im)^(?:[a-z]+ sips?:|route[ \t]*:[^\r\n]*sips?:)(?:[^@ \r\n>]*@)?([\d.]+)")
each = pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.name)


@each
def test_the_same_chance_makes_the_same(operator: Operator) -> None:
    """And another one something else, sooner or later."""
    assert [one.data for one in spoilt(operator)] == [one.data for one in spoilt(operator)]
    if operator.name != "length-missing":
        assert len({one.data for one in spoilt(operator)}) > 1


@each
def test_something_is_spoilt(operator: Operator) -> None:
    """Most chances change the message."""
    assert sum(one.data != SPECIMEN.data for one in spoilt(operator)) > 40


@each
def test_framing_is_what_the_effect_says(operator: Operator) -> None:
    """Up to `spoilt` one length tells the truth; leading zeros and folds are read as such."""
    if operator.effect is not Effect.UNFRAMED:
        assert all(one.honest for one in spoilt(operator))


@each
def test_nobody_else_is_reached(operator: Operator) -> None:
    """Whatever is spoilt, no request line and no Route leads to another address."""
    for one in spoilt(operator, 300):
        for host in _ROUTED.findall(one.data):
            try:
                address = ipaddress.IPv4Address(host.decode())
            except ipaddress.AddressValueError:
                continue
            assert str(address) == TARGET[0]


@each
def test_it_says_what_it_does(operator: Operator) -> None:
    """For --list and for findings."""
    assert 5 < len(operator.about) < 100


def test_operators_meet_what_others_have_left() -> None:
    """None stumbles over what another one made of the message."""
    for first in OPERATORS.values():
        for second in OPERATORS.values():
            for seed in range(3):
                second.spoil(first.spoil(SPECIMEN, Random(seed)), Random(seed))


def test_what_spoils_the_end_comes_last() -> None:
    """So that the others find the message whole."""
    effects = [operator.effect for operator in OPERATORS.values()]
    assert effects[-9:] == [Effect.UNFRAMED] * 9
    assert Effect.UNFRAMED not in effects[:-9]
    assert len(OPERATORS) >= 40
