"""Mutual TLS handshakes at a steady rate, and who answers them: each a process of its own beside what is measured.

Strategy: Python's `ssl` in threads, whose work OpenSSL does without the interpreter's lock. A handshake counts once an
OPTIONS has come back over it, since in TLS 1.3 the client knows no sooner that its certificate was accepted. Each
starts at its time, whether the ones before are done or not.

    python -m harness.bench.tls_load answer FOLDER                       says `listening on PORT`, ends with its input
    python -m harness.bench.tls_load ask FOLDER VERSION TARGET RATE N   says a `Load` in JSON
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median

from harness.bench.messages import options

HOST = "127.0.0.1"
SERVER, CLIENT, FIREWALL = "webex", "expressway-e", "firewall-root"
"""Names in the PKI."""
SERVER_NAME = "callservice.ciscospark.com"
TRUST = "trust.pem"
"""Everybody's roots, the firewall's among them."""
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_THREADS = 64
_PATIENCE = 20.0
"""seconds"""
_MESSAGE = options(0)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of the handshakes."""

    failed: int
    reasons: dict[str, int]
    """How many failed for which reason."""
    seconds: float
    """From the first start to the last end."""
    milliseconds: float
    """Median time from connecting to the answer."""


def context(folder: Path, name: str, purpose: int) -> ssl.SSLContext:
    """For an end that shows a certificate and demands one."""
    made = ssl.SSLContext(purpose)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(folder / f"{name}-chain.pem", folder / f"{name}.key")
    made.load_verify_locations(folder / TRUST)
    made.verify_mode = ssl.CERT_REQUIRED
    made.options |= ssl.OP_NO_TICKET
    return made


class Asker:
    """Makes handshakes, each at its time."""

    def __init__(self, tls: ssl.SSLContext, target: tuple[str, int], rate: float, handshakes: int) -> None:
        self._tls = tls
        self._target = target
        self._rate = rate
        """A second."""
        self._handshakes = handshakes
        self._next = count()
        self._lock = threading.Lock()
        self._took: list[float] = []
        self._reasons: dict[str, int] = {}

    def run(self) -> Load:
        """All of them."""
        start = time.monotonic()
        threads = [threading.Thread(target=self._work, args=(start,)) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        failed, took = sum(self._reasons.values()), self._took
        return Load(failed, self._reasons, time.monotonic() - start, 1000 * median(took) if took else 0.0)

    def _work(self, start: float) -> None:
        while True:
            with self._lock:
                number = next(self._next)
            if number >= self._handshakes:
                return
            time.sleep(max(0.0, start + number / self._rate - time.monotonic()))
            begun, reason = time.monotonic(), ""
            try:
                self._ask()
            except OSError as error:
                reason = str(error)
            with self._lock:
                if reason:
                    self._reasons[reason] = self._reasons.get(reason, 0) + 1
                else:
                    self._took.append(time.monotonic() - begun)

    def _ask(self) -> None:
        with (
            socket.create_connection(self._target, _PATIENCE) as connection,
            self._tls.wrap_socket(_prompt(connection), server_hostname=SERVER_NAME) as tls,
        ):
            tls.sendall(_MESSAGE)
            back = b""
            while len(back) < len(_MESSAGE):
                piece = tls.recv(len(_MESSAGE))
                if not piece:
                    raise ConnectionError("closed before the answer")
                back += piece
            tls.unwrap()


def answer(tls: ssl.SSLContext, listener: socket.socket) -> None:
    """Send back what comes, connection by connection."""
    while True:
        connection, _ = listener.accept()
        connection.settimeout(_PATIENCE)
        try:
            with tls.wrap_socket(_prompt(connection), server_side=True) as accepted:
                while data := accepted.recv(1 << 16):
                    accepted.sendall(data)
                accepted.unwrap()
        except OSError:
            connection.close()


def _prompt(connection: socket.socket) -> socket.socket:
    """A socket that does not wait for company (RFC 896)."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def main(role: str, folder: str, *more: str) -> None:
    """One process."""
    if role == "answer":
        tls = context(Path(folder), SERVER, ssl.PROTOCOL_TLS_SERVER)
        with socket.create_server((HOST, 0), backlog=1024) as listener:
            for _ in range(_THREADS):
                threading.Thread(target=answer, args=(tls, listener), daemon=True).start()
            print(f"listening on {listener.getsockname()[1]}", flush=True)
            sys.stdin.read()
        return
    version, target, rate, handshakes = more
    host, _, port = target.rpartition(":")
    tls = context(Path(folder), CLIENT, ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = tls.maximum_version = VERSIONS[version]
    print(json.dumps(asdict(Asker(tls, (host, int(port)), float(rate), int(handshakes)).run())))


if __name__ == "__main__":
    main(*sys.argv[1:])
