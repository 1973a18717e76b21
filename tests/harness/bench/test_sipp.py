"""SIPp at both ends of a measurement."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.bench.processes import BenchError
from harness.bench.sipp import End, Sipp
from tests.helpers.lab import Address
from tests.helpers.system import PATIENCE, require_system

CALLER, CALLEE = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def port() -> int:
    """One that is free on the callee's address."""
    require_system("sipp", "sip-tester")
    with socket.socket() as sock:
        sock.bind((CALLEE, 0))
        number: int = sock.getsockname()[1]
        return number


@pytest.mark.parametrize("transport", ["t1", "tn"])
def test_calls(tmp_path: Path, port: int, transport: str) -> None:
    """All succeed where somebody answers; all have failed where nobody does."""
    sipp = Sipp(End(CALLER), End(CALLEE), tmp_path)
    with sipp.answering(port):
        assert sipp.call(f"{CALLEE}:{port}", transport, 100, 20) == 0
    assert sipp.call(f"{CALLEE}:{port}", transport, 100, 20) == 20


def first_words(tmp_path: Path, port: int, source: int = 0, own_media_ports: bool = False) -> tuple[Address, bytes]:
    """Whom a server that hangs up after two INVITEs has seen, and what it has heard."""

    def hear(server: socket.socket) -> tuple[Address, bytes]:
        with server:
            connection, peer = server.accept()
        with connection:
            connection.settimeout(PATIENCE)
            said = b""
            while said.count(b"a=rtpmap:0 ") < 2:
                said += connection.recv(1 << 16)
        return peer, said

    server = socket.create_server((CALLEE, port))
    server.settimeout(PATIENCE)
    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(hear, server)
        sipp = Sipp(End(CALLER, port=source), End(CALLEE), tmp_path, own_media_ports)
        assert sipp.call(f"{CALLEE}:{port}", "t1", 100, 2) == 2
        return heard.result()


def test_the_port_of_the_connection(tmp_path: Path, port: int) -> None:
    """The caller's one connection comes from the port that was asked for, and its messages name that."""
    peer, said = first_words(tmp_path, port, source=port)
    assert peer == (CALLER, port)
    assert f"Via: SIP/2.0/TCP {CALLER}:{port};".encode() in said


@pytest.mark.parametrize("own", [True, False])
def test_media_ports(tmp_path: Path, port: int, own: bool) -> None:
    """Calls announce the same one, or each another."""
    _, said = first_words(tmp_path, port, own_media_ports=own)
    assert len(set(re.findall(rb"^m=audio (\d+) ", said, re.MULTILINE))) == (2 if own else 1)


def test_a_callee_that_cannot_listen(tmp_path: Path, port: int) -> None:
    """Where is said."""
    sipp = Sipp(End(CALLER), End(CALLEE), tmp_path)
    with (
        socket.create_server((CALLEE, port)),
        pytest.raises(BenchError, match=f"sipp cannot answer on {CALLEE}:{port}"),
        sipp.answering(port),
    ):
        pass
