"""A reactor that is turned by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.peers.turning import Turned


@pytest.fixture
def turned() -> Iterator[Turned]:
    """For one test; no socket, no timer and no unhandled error may be left."""
    turned = Turned()
    with turned.watched():
        yield turned
