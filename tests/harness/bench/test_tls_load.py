"""The ends of measured handshakes."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from harness.bench.handshakes import certificates
from harness.bench.tls_load import CLIENT, HOST, SERVER, Asker, answer, context
from harness.ca import load_recipes, make, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates."""
    found = tmp_path_factory.mktemp("pki")
    certificates(found)
    return found


@pytest.fixture(scope="module")
def target(folder: Path) -> tuple[str, int]:
    """Where somebody answers, until the test run is over."""
    listener = socket.create_server((HOST, 0))
    tls = context(folder, SERVER, ssl.PROTOCOL_TLS_SERVER)
    Thread(target=answer, args=(tls, listener), daemon=True).start()
    address: tuple[str, int] = listener.getsockname()
    return address


def test_each_starts_at_its_time(folder: Path, target: tuple[str, int]) -> None:
    """The last of eleven at twenty a second starts after half a second, and not before."""
    start = time.monotonic()
    load = Asker(context(folder, CLIENT, ssl.PROTOCOL_TLS_CLIENT), target, 20, 11).run()
    assert (load.failed, load.reasons) == (0, {})
    assert time.monotonic() - start >= load.seconds >= 0.5
    assert load.milliseconds > 0


def test_who_is_not_trusted_fails(folder: Path, target: tuple[str, int], tmp_path: Path) -> None:
    """Mutual: a client with a certificate of somebody else's gets no answer, in TLS 1.3 too."""
    write(make(load_recipes("expressway-e"), datetime.now(UTC)), tmp_path)
    (tmp_path / "trust.pem").write_bytes((folder / "trust.pem").read_bytes())
    load = Asker(context(tmp_path, CLIENT, ssl.PROTOCOL_TLS_CLIENT), target, 100, 3).run()
    assert load.failed == 3
    assert load.milliseconds == 0.0
