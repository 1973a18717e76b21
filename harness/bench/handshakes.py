"""Mutual TLS handshakes at a steady rate: direct, through inspection that passes, and through one that terminates.

Strategy: the ends are processes of their own, the same for every way. One proxy takes the handshakes of both versions;
what it has more of afterwards than after the first ones, it has leaked.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness.bench.processes import BenchError, Proxy, sipalg_proxy
from harness.bench.tls_load import CLIENT, FIREWALL, HOST, SERVER, TRUST, VERSIONS, Load
from harness.ca import load_recipes, make, write

DIRECT = "direct"
_WARMING = 200
"""Handshakes after which a proxy has all that it needs."""
_PROGRAM = (sys.executable, "-m", "harness.bench.tls_load")
_SETTLING = 10.0
"""Seconds within which a proxy has closed what its peers have."""


@dataclass(frozen=True, slots=True)
class HandshakeFigure:
    """One row."""

    way: str
    tls: str
    handshakes: int
    failed: int
    per_second: float
    """That were made, of those that were to be."""
    latency_ms: float
    """Median time of a handshake and one OPTIONS there and back."""
    cpu_us: float | None = None
    """CPU time of the proxy per handshake."""
    left_open: int | None = None
    """Descriptors that are open behind the last handshake, and were not before the first."""
    kept_bytes: float | None = None
    """Resident memory per handshake that is not given back."""


def measure_handshakes(rate: float, handshakes: int) -> list[HandshakeFigure]:
    """So many a second, so many for each version and way."""
    with tempfile.TemporaryDirectory(prefix="sipalg-bench-") as name:
        folder = Path(name)
        certificates(folder)
        terminating = ("--tls-ca", str(folder / f"{FIREWALL}.crt"), str(folder / f"{FIREWALL}.key"))
        ways = {
            "pass": ("--tls-inspect", "pass"),
            "terminate": ("--tls-inspect", "terminate", *terminating),
        }
        with answering(folder) as target:
            loads = [(version, ask(folder, version, target, rate, handshakes)) for version in VERSIONS]
            figures = [_figure(DIRECT, version, handshakes, load) for version, load in loads]
            for way, options in ways.items():
                with sipalg_proxy(HOST, target, *options) as proxy:
                    figures += [_through(proxy, way, folder, version, rate, handshakes) for version in VERSIONS]
        return figures


def certificates(folder: Path) -> None:
    """Both ends and the firewall, and one file with the roots of all."""
    pki = make(load_recipes(SERVER, CLIENT, "firewall"), datetime.now(UTC))
    write(pki, folder)
    (folder / TRUST).write_bytes(pki.trust() + pki.trust(FIREWALL))


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """The server, for as long as the block runs; where it listens."""
    command = [*_PROGRAM, "answer", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "was asked for"
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise BenchError("the TLS server did not start")
        yield f"{HOST}:{line.split()[-1]}"


def ask(folder: Path, version: str, target: str, rate: float, handshakes: int) -> Load:
    """What comes of so many handshakes."""
    command = [*_PROGRAM, "ask", str(folder), version, target, str(rate), str(handshakes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise BenchError("the TLS client did not end well")
    return msgspec.json.decode(done.stdout, type=Load)


def _through(proxy: Proxy, way: str, folder: Path, version: str, rate: float, handshakes: int) -> HandshakeFigure:
    target = f"{HOST}:{proxy.port}"
    descriptors = proxy.descriptors()
    ask(folder, version, target, rate, _WARMING)
    memory, before = proxy.resident_bytes(), proxy.cpu_seconds()
    load = ask(folder, version, target, rate, handshakes)
    spent = proxy.cpu_seconds() - before
    end = time.monotonic() + _SETTLING
    while proxy.descriptors() > descriptors and time.monotonic() < end:
        time.sleep(0.1)
    left = proxy.descriptors() - descriptors, (proxy.resident_bytes() - memory) / handshakes
    return _figure(way, version, handshakes, load, spent / handshakes * 1e6, *left)


def _figure(
    way: str,
    version: str,
    handshakes: int,
    load: Load,
    microseconds: float | None = None,
    descriptors: int | None = None,
    memory: float | None = None,
) -> HandshakeFigure:
    rate = (handshakes - load.failed) / load.seconds
    return HandshakeFigure(
        way, version, handshakes, load.failed, rate, load.milliseconds, microseconds, descriptors, memory
    )
