"""Networks of loopback, each for one run."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from harness.scenarios.stage import Network, Stage, loopback


def test_two_runs_get_two_networks() -> None:
    """Even if they begin to look at the same place; what is given back can be had again."""
    with Network(loopback(7)) as first, Network(loopback(7)) as second:
        hosts = {first.host(2), second.host(2)}
        assert len(hosts) == 2
        assert all(host.startswith("127.") and host.endswith(".2") for host in hosts)
    with Network(loopback(7)) as again:
        assert again.host(2) in hosts


@pytest.mark.parametrize("start", [0, 255, 256, 16383, 16384, 4194303])
def test_every_process_number_has_its_network(start: int) -> None:
    """Addresses are valid, and away from those that people use."""
    with Network(loopback(start)) as network:
        numbers = [int(part) for part in network.host(250).split(".")]
    assert numbers[0] == 127
    assert 64 <= numbers[1] < 128
    assert 0 <= numbers[2] < 256


def test_what_is_kept_is_for_its_owner(tmp_path: Path) -> None:
    """Captures may hold keys."""
    with Network() as network:
        Stage(None, network, tmp_path).keep("capture.pcapng", b"\x0a")
        Stage(None, network, tmp_path).keep("expe.log", "zürich")
    file = tmp_path / "capture.pcapng"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"\x0a"
    assert (tmp_path / "expe.log").read_text("utf-8") == "zürich"
