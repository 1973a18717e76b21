"""Certificates, and servers that end with their test: what commands and what they drive are tested against."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.harness.fuzz.servers import LimitedServer
from tests.helpers.certificates import CLIENT, SERVER, sign


@dataclass(frozen=True)
class Pki:
    """PEM files."""

    ca: Path
    server: Path
    """For 127.0.0.1 and target.example, with its key."""
    client: Path
    stranger: Path
    """A client's of another CA."""

    def server_context(self, mutual: bool = False) -> ssl.SSLContext:
        """A server's, by the standard library."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A CA, what it signed, and what it did not."""
    folder = tmp_path_factory.mktemp("pki")
    ca, other = sign("test CA", ca=True), sign("other CA", ca=True)
    ca_path = folder / "ca.pem"
    ca_path.write_bytes(ca.chain_pem)
    server = sign("target", ca, ["127.0.0.1", "target.example"], uses=[SERVER])
    client, stranger = (sign("client", issuer, uses=[CLIENT]) for issuer in (ca, other))
    return Pki(ca_path, server.write(folder, "server"), client.write(folder, "client"), stranger.write(folder, "odd"))


class StartServer(Protocol):
    """Starts a server."""

    def __call__(self, limit: int = 10**9, **options: Any) -> LimitedServer:
        """`options` are those of LimitedServer."""


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Servers that listen no more when the test is over."""
    running: list[LimitedServer] = []

    def start(limit: int = 10**9, **options: Any) -> LimitedServer:
        server = LimitedServer(limit, **options)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave their journals in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)
