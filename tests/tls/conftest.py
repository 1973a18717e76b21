"""What the tests of TLS share: certificates, made once."""

from __future__ import annotations

import pytest

from tests.tls.parties import Papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A root, an intermediate, a server, a client, and a stranger whom nobody signed."""
    return Papers(tmp_path_factory.mktemp("papers"))
