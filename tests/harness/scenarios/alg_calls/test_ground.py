"""Addresses of a call: who is known as what, and who can send where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.scenarios.alg_calls.ground import FIELD_CALLER, Ground
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
    assert len(ground.caller_outside) - len(ground.caller[0]) == ground.growth == growth
    assert len(ground.callee[0]) == len(ground.callee_inside)


def test_sides_have_nothing_in_common(network: Network) -> None:
    """What is inside has no route outside, and the other way round."""
    ground = Ground.on(network)
    assert not ground.inside & ground.outside
    assert {ground.caller[0], ground.callee_inside} == ground.inside
    assert [(str(each.inside), str(each.outside)) for each in ground.maps] == [
        (ground.caller[0], ground.caller_outside),
        (ground.callee_inside, ground.callee[0]),
    ]


def test_somebody_elses_callee(network: Network) -> None:
    """Is where he says; everybody else stays, and so does the port that the caller calls."""
    ground = Ground.on(network, callee=("192.0.2.7", 5070))
    assert ground.callee == ("192.0.2.7", 5070)
    assert "192.0.2.7" in ground.outside
    assert ground.called == (network.host(103), 5060)
    assert ground.in_the_field[FIELD_CALLER] == ground.caller[0] == network.host(2)


def test_somebody_elses_caller(network: Network) -> None:
    """Is where she says, and has an address of the network outside."""
    ground = Ground.on(network, caller=("10.0.30.77", 5070))
    assert ground.inside == {"10.0.30.77", network.host(103)}
    assert ground.caller_outside == network.host(102)
    assert ground.growth == len(network.host(102)) - len("10.0.30.77")
