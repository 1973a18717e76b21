"""SYNs that nobody answers, that are refused, and that are let in: from the kernel's own sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.scenarios.hybrid import knocking
from harness.scenarios.hybrid.connectivity import ANSWERED, NO_SYN, REFUSED, REPEATED
from harness.scenarios.hybrid.knocking import UNSEEN, Knocks
from harness.scenarios.hybrid.silence import SilentPort
from harness.scenarios.stage import Network
from tests.helpers.system import cannot_run, eventually

PORT = 5062


@pytest.fixture
def host() -> Iterator[str]:
    """An address that nobody else uses; raw sockets need root."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()
    except PermissionError:
        cannot_run("needs root for raw sockets")
    with Network() as network:
        yield network.host(3)


def knock(host: str, port: int = PORT) -> None:
    """Try to connect."""
    with socket.socket() as sock:
        sock.settimeout(0.2)
        sock.connect_ex((host, port))


def test_nobody_knocks(host: str) -> None:
    """What goes to other ports does not count, nor what was there before."""
    knock(host)
    with closing(Knocks((host, PORT))) as knocks:
        knock(host, PORT + 1)
        assert knocks.told(False) == NO_SYN


def test_a_closed_port(host: str) -> None:
    """Each SYN is another one."""
    with closing(Knocks((host, PORT))) as knocks:
        for _ in range(3):
            knock(host)
        assert knocks.told(False) == REFUSED


def test_a_silent_port(host: str) -> None:
    """The kernel sends its SYN again after a second (RFC 6298 2.1)."""
    with SilentPort((host, PORT)), closing(Knocks((host, PORT))) as knocks, socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex((host, PORT)) != 0
        told: list[str] = []

        def repeated() -> bool:
            told.append(knocks.told(False))
            return told[-1] == REPEATED

        eventually("the second SYN", repeated)
        assert told[0] == REFUSED, "one alone may be either"


def test_who_is_let_in(host: str) -> None:
    """Is known without looking."""
    with closing(Knocks((host, PORT))) as knocks:
        assert knocks.told(True) == ANSWERED


def test_without_root(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is claimed; the same for an address that is not ours."""

    def forbidden(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    with closing(Knocks(("192.0.2.7", PORT))) as elsewhere:
        assert elsewhere.told(False) == UNSEEN
    monkeypatch.setattr(knocking.socket, "socket", forbidden)
    with closing(Knocks((host, PORT))) as knocks:
        assert (knocks.told(False), knocks.told(True)) == (UNSEEN, ANSWERED)
