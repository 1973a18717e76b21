"""What these tests share: a network in memory, and a reactor turned by hand for those that need sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.peers.turning import Turned
from tests.harness.sip.network import Network


@pytest.fixture
def network() -> Network:
    """Without loss, at second 0."""
    return Network()


@pytest.fixture(scope="session")
def only_reactor() -> Turned:
    """One for all tests."""
    return Turned()


@pytest.fixture
def turned(only_reactor: Turned) -> Iterator[Turned]:
    """A reactor; when the test is over, nothing is left in it, and nothing went wrong in it that nobody saw."""
    with only_reactor.watched():
        yield only_reactor
