"""A port that does not answer."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.scenarios.hybrid import silence
from harness.scenarios.hybrid.silence import SILENCE, SilentPort
from harness.scenarios.registry import find
from harness.scenarios.stage import Network


def connects(address: tuple[str, int]) -> bool:
    """Whether somebody answers within half a second; ConnectionRefusedError if it is a RST."""
    try:
        with socket.create_connection(address, timeout=0.5):
            return True
    except TimeoutError:
        return False


def test_nobody_answers_and_nobody_refuses() -> None:
    """As long as it is kept; then the port is closed as any other."""
    with Network() as network:
        address = network.host(5), 5062
        with SilentPort(address):
            assert not connects(address)
            assert not connects(address)
        with pytest.raises(ConnectionRefusedError):
            connects(address)


def test_an_address_in_use() -> None:
    """Is told, and left alone."""
    with Network() as network, socket.socket() as listener:
        listener.bind((network.host(5), 5062))
        listener.listen()
        with pytest.raises(OSError, match="in use"):
            SilentPort((network.host(5), 5062))
        assert connects((network.host(5), 5062))


def test_a_machine_on_which_a_full_queue_is_not_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told, and the scenarios that need silence are skipped there."""
    switch = tmp_path / "tcp_abort_on_overflow"
    monkeypatch.setattr(silence, "_SWITCH", switch)
    assert SILENCE.missing() == ""
    switch.write_text("0\n")
    assert SILENCE.missing() == ""
    switch.write_text("1\n")
    assert "tcp_abort_on_overflow" in SILENCE.missing()
    assert all(SILENCE in find(label)[0].needs for label in ("I2", "O1", "O2"))
