"""What the tests of peers share: a reactor turned by hand, and certificates made once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.ca import Pki, load_recipes, make, write
from tests.harness.peers.turning import Turned


@pytest.fixture(scope="session")
def only_reactor() -> Turned:
    """One for all tests."""
    return Turned()


@pytest.fixture
def turned(only_reactor: Turned) -> Iterator[Turned]:
    """A reactor; when the test is over, nothing is left in it, and nothing went wrong in it that nobody saw."""
    with only_reactor.watched():
        yield only_reactor


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Expressway-E's, Webex's, and a firewall's."""
    return make(load_recipes("webex", "expressway-e", "firewall"), datetime.now(UTC))


@pytest.fixture(scope="session")
def papers(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All certificates, in files."""
    folder = tmp_path_factory.mktemp("papers") / "pki"
    write(pki, folder)
    return folder
