"""Processes under measurement."""

from __future__ import annotations

import pytest

from harness.bench.processes import BenchError, available, sipalg_proxy


def test_cpu_and_memory_are_those_of_the_process() -> None:
    """The figures come from the proxy's own process."""
    with sipalg_proxy("127.0.0.1", "127.0.0.1:9") as proxy:
        assert proxy.cpu_seconds() > 0
        assert proxy.resident_bytes() > 1_000_000


def test_a_proxy_that_does_not_start() -> None:
    """The reason is the proxy's own line."""
    with pytest.raises(BenchError, match=r"--to"), sipalg_proxy("127.0.0.1", "nowhere"):
        pass


def test_available() -> None:
    """Programs are looked for on the path."""
    assert available("sh")
    assert not available("no-such-program-at-all")
