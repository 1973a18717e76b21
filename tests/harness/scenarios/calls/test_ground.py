"""Addresses of a call: who is known as what, and who can send where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.scenarios.calls.ground import FIELD_CALLER, Ground
from harness.scenarios.stage import Network


@pytest.fixture
def network() -> Iterator[Network]:
    """One of our own."""
    with Network() as network:
        yield network


@pytest.mark.parametrize(("shrinking", "growth"), [(False, 2), (True, -2)])
def test_growth(network: Network, shrinking: bool, growth: int) -> None:
    """The caller's address changes its length, the callee's does not."""
    ground = Ground.on(network, shrinking=shrinking)
    assert len(ground.caller_outside) - len(ground.caller) == growth
    assert len(ground.callee[0]) == len(ground.callee_inside)


def test_sides_have_nothing_in_common(network: Network) -> None:
    """What is inside has no route outside, and the other way round."""
    ground = Ground.on(network)
    assert not ground.inside & ground.outside
    assert {ground.caller, ground.callee_inside} == ground.inside
    assert [(str(each.inside), str(each.outside)) for each in ground.maps] == [
        (ground.caller, ground.caller_outside),
        (ground.callee_inside, ground.callee[0]),
    ]


def test_somebody_elses_callee(network: Network) -> None:
    """Is where he says; everybody else stays."""
    ground = Ground.on(network, ("192.0.2.7", 5070))
    assert ground.callee == ("192.0.2.7", 5070)
    assert "192.0.2.7" in ground.outside
    assert ground.in_the_field[FIELD_CALLER] == ground.caller
