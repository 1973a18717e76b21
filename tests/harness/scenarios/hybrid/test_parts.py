"""What real peers are told to do."""

from __future__ import annotations

import re

import pytest

from alg.direction import Direction
from harness.scenarios.hybrid.ground import Ground
from harness.scenarios.hybrid.parts import PARTS
from harness.scenarios.stage import Network


@pytest.mark.parametrize("way", Direction)
def test_where_they_would_be(way: Direction) -> None:
    """The hosts and ports are those of the built-in ones."""
    with Network() as network:
        ground = Ground(network)
        places = dict(
            zip(
                ("cucm", "expressway-c", "expressway-e", "webex"),
                (ground.cucm, ground.trunk, ground.zone, ground.webex),
                strict=True,
            )
        )
        for part in PARTS[way]:
            host, port = places.pop(part.name)
            assert network.host(part.host) == host
            assert re.search(rf"\b{port}\b", part.ports)
    assert places == {}


@pytest.mark.parametrize("way", Direction)
def test_everybody_is_told_what_the_call_is(way: Direction) -> None:
    """Whoever calls is told whom; only Webex's calls need certificates in any case."""
    duties = {part.name: part.duty for part in PARTS[way]}
    caller = "webex" if way is Direction.INWARD else "cucm"
    called = "bob@example.com" if way is Direction.INWARD else "alice@sub.call.ciscospark.com"
    assert f"calls {called}" in duties[caller]
    assert [part.name for part in PARTS[way] if part.tls] == (["webex"] if way is Direction.INWARD else [])
