"""Certificates of a run: made, read, or none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.ca import load_recipes, make, write
from harness.peers import traversal_tls
from harness.scenarios.reflection.papers import Papers
from harness.scenarios.stage import Network, Stage
from harness.sip.uri import Address


def papers(folder: Path, kind: str = "TLS", peers: Mapping[str, Address] | None = None) -> Papers:
    """With certificates from a folder."""
    with Network() as network:
        return Papers(Stage(None, network, folder, peers or {}, certificates=folder), kind)


def test_without_tls(tmp_path: Path) -> None:
    """None are read; a SERVICE has one of a real one's size all the same."""
    found = papers(tmp_path, "TCP")
    assert found.secure(traversal_tls.zone_server) is None
    assert 1000 < len(found.shown_in_service) < 2000


def test_those_that_others_know(tmp_path: Path) -> None:
    """Our Expressway-E sends its own in a SERVICE; what others show needs no key here."""
    write(make(load_recipes(), datetime.now(UTC), traversal_tls.RECIPES), tmp_path)
    assert papers(tmp_path).shown_in_service == (tmp_path / "expressway-e-rsa.crt").read_bytes()
    (tmp_path / "expressway-c.key").unlink()
    peers = {"expressway-c": ("127.0.48.7", 7003)}
    assert papers(tmp_path, peers=peers).secure(traversal_tls.zone_server) is not None
    with pytest.raises(ConfigError, match=r"expressway-c\.key: No such file"):
        papers(tmp_path)
