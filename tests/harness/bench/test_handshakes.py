"""The benchmark of mutual TLS handshakes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.bench import handshakes
from harness.bench.handshakes import HandshakeFigure, answering, ask, certificates, measure_handshakes
from harness.bench.processes import BenchError, sipalg_proxy
from harness.commands.bench import _print


def test_nothing_fails_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small load goes each way in both versions, and the proxies have closed what they opened."""
    monkeypatch.setattr(handshakes, "_WARMING", 5)
    figures = measure_handshakes(200, 20)
    assert [(row.way, row.tls) for row in figures] == [
        (way, version) for way in ("direct", "pass", "terminate") for version in ("1.2", "1.3")
    ]
    assert [row.failed for row in figures] == [0] * 6
    assert [row.left_open for row in figures] == [None, None, 0, 0, 0, 0]
    assert [row.cpu_us is None for row in figures] == [True, True, False, False, False, False]


def test_failures_are_counted(tmp_path: Path) -> None:
    """Each with its reason: here a reset in place of every third handshake."""
    certificates(tmp_path)
    with answering(tmp_path) as target:
        rules = [word for number in (1, 4) for word in ("--tls-inspect", f"reset:client-hello,nth={number}")]
        with sipalg_proxy("127.0.0.1", target, *rules) as proxy:
            load = ask(tmp_path, "1.3", f"127.0.0.1:{proxy.port}", 100, 6)
    assert load.failed == sum(load.reasons.values()) == 2
    assert all("reset" in reason or "EOF" in reason for reason in load.reasons)


def test_ends_that_do_not_start(tmp_path: Path) -> None:
    """A measurement that cannot be made is an error of the benchmark."""
    with pytest.raises(BenchError, match="server did not start"), answering(tmp_path):
        pass
    with pytest.raises(BenchError, match="client did not end well"):
        ask(tmp_path, "1.2", "127.0.0.1:9", 1, 1)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Latency stands against that of the same version without a proxy."""
    direct = HandshakeFigure("direct", "1.2", 10, 0, 200.0, 2.0)
    other = dataclasses.replace(direct, tls="1.3", latency_ms=4.0)
    passed = HandshakeFigure("pass", "1.3", 10, 0, 200.0, 10.0, 900.0, 0, 0.0)
    _print("handshakes", [direct, other, passed])
    assert capsys.readouterr().out.count("2.50") == 1
