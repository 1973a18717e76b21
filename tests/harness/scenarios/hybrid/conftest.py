"""A reactor that is turned by hand, and a stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned


@pytest.fixture
def turned() -> Iterator[Turned]:
    """For one test; no socket, no timer and no unhandled error may be left."""
    turned = Turned()
    with turned.watched():
        yield turned


@pytest.fixture
def stage(turned: Turned, tmp_path: Path) -> Iterator[Stage]:
    """On a network of its own."""
    with Network() as network:
        yield Stage(turned.reactor, network, tmp_path)
