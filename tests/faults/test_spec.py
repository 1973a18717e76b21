"""Faults as they are asked for: conditions, parameters, and what is wrong with them."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from alg.errors import ConfigError
from alg.faults import FAULTS
from alg.faults.spec import Condition, Draws, FaultSpec
from alg.sip.message import Summary

INVITE = Summary("INVITE", None, "abc@example.com", "1 INVITE")
OK = Summary(None, 200, "abc@example.com", "1 INVITE")


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_parses_by_its_name(name: str) -> None:
    """Its parameters have defaults that it accepts, and its texts are there."""
    fault = FaultSpec.parse(name).fault
    assert fault.name == name
    assert fault.title
    assert fault.source


def test_conditions() -> None:
    """All have to hold."""
    condition = FaultSpec.parse("noop:method=INVITE,direction=outward,call-id=abc*").condition
    assert condition.names(INVITE, Direction.OUTWARD)
    assert not condition.names(INVITE, Direction.INWARD)
    assert not condition.names(OK, Direction.OUTWARD)
    assert not condition.names(Summary("BYE", None, "abc@example.com", "2 BYE"), Direction.OUTWARD)
    assert not condition.names(Summary("INVITE", None, "xabc", "1 INVITE"), Direction.OUTWARD)


def test_status_with_a_method_is_that_of_the_transaction() -> None:
    """200 to an INVITE, not to a BYE."""
    condition = FaultSpec.parse("noop:status=200,method=INVITE").condition
    assert condition.names(OK, Direction.INWARD)
    assert not condition.names(Summary(None, 200, "a", "2 BYE"), Direction.INWARD)
    assert not condition.names(INVITE, Direction.INWARD)


def test_chance_is_the_same_for_the_same_seed() -> None:
    """About as often as was asked for, and otherwise for another seed."""
    condition, other = Condition(probability=0.3, seed=7), Condition(probability=0.3, seed=8)
    fallen = [condition.falls(draw) for draw in range(2000)]
    assert fallen == [condition.falls(draw) for draw in range(2000)]
    assert fallen != [other.falls(draw) for draw in range(2000)]
    assert 500 < sum(fallen) < 700


def test_draws_count_for_each_fault() -> None:
    """The sequence of one does not depend on the others."""
    condition, draws = Condition(probability=0.5, seed=1), Draws()
    mixed = [(draws.falls(0, condition), draws.falls(1, condition)) for _ in range(100)]
    assert [first for first, _ in mixed] == [second for _, second in mixed]
    assert [first for first, _ in mixed] == [condition.falls(draw) for draw in range(1, 101)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nothing", "no fault 'nothing'; known: ack-misrouted,"),
        ("noop:when=now", "'when=now' is none of KEY=VALUE with times, method, status,"),
        ("noop:method", "'method' is none of KEY=VALUE"),
        ("noop:method=", "'method=' is none of KEY=VALUE"),
        ("noop:nth=1,nth=2", "nth is said twice"),
        ("noop:status=99", "status=99: no number from 100 to 699"),
        ("noop:nth=0", "nth=0: no number from 1"),
        ("noop:direction=up", "direction=up: neither outward nor inward"),
        ("noop:probability=2", "probability=2: no number from 0 to 1"),
        ("noop:probability=x", "probability=x: no number"),
        ("noop:probability=nan", "probability=nan: no number"),
        ("noop:seed=-1", "seed=-1: no number"),
        ("idle-timeout:seconds=soon", "idle-timeout: seconds=soon: no number"),
        ("long-line-dropped:length=0", "long-line-dropped: length=0: no number from 1"),
    ],
)
def test_what_makes_no_sense(text: str, complaint: str) -> None:
    """The error names setting, text and key."""
    with pytest.raises(ConfigError) as caught:
        FaultSpec.parse(text)
    assert str(caught.value).startswith(f"--fault {text}: ")
    assert complaint in str(caught.value)
