"""`openssl s_client` and `s_server`, with a relay between them that writes down what each sends.

Strategy: the relay hands bytes on as they come, so its transcript has them in an order that a middlebox could see.
Programs are told what to do on their standard input. They keep what they say in buffers, so tests wait for what is seen
on the wire.
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alg.tls.sightings import Sender
from tests.helpers.system import PATIENCE, eventually, require_system
from tests.tls.parties import Transcript

_ACCEPTS = re.compile(r"ACCEPT 127\.0\.0\.1:(\d+)")


class OpensslProcess:
    """A running `openssl` command."""

    def __init__(self, *args: str) -> None:
        self._process = subprocess.Popen(
            [require_system("openssl", "openssl"), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            errors="replace",
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._lines.extend(iter(self._process.stdout.readline, ""))

    @property
    def said(self) -> str:
        """What it has written so far."""
        return "".join(list(self._lines))

    @property
    def port(self) -> int:
        """Where a server listens."""
        eventually("s_server to listen", lambda: bool(_ACCEPTS.search(self.said)))
        found = _ACCEPTS.search(self.said)
        assert found is not None
        return int(found[1])

    def tell(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def quit(self) -> None:
        """Have a client take its leave properly; a server forgets the session of one that does not."""
        self.tell("Q")
        self._process.wait(PATIENCE)

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Relay:
    """Relays one connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self.transcript: Transcript = []
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:" + str(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=self._pump, args=(Sender.SERVER, server, client), daemon=True)
            back.start()
            self._pump(Sender.CLIENT, client, server)
            back.join(PATIENCE)

    def _pump(self, sender: Sender, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    self.transcript.append((sender, data))
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Wait for the connection to end; both programs must have ended by then."""
        self._listener.close()
        self._thread.join(PATIENCE)


@contextmanager
def openssl(*args: str) -> Iterator[OpensslProcess]:
    """A command for as long as the block runs."""
    process = OpensslProcess(*args)
    try:
        yield process
    finally:
        process.end()


@contextmanager
def server(certificate: Path, *args: str) -> Iterator[OpensslProcess]:
    """`s_server` on a free port."""
    with openssl("s_server", "-accept", "127.0.0.1:0", "-cert", str(certificate), *args) as process:
        yield process


@contextmanager
def client_through_relay(port: int, *args: str) -> Iterator[tuple[OpensslProcess, Transcript]]:
    """`s_client` through a relay, and what crosses it; complete when the block has ended."""
    relay = Relay(port)
    try:
        with openssl("s_client", "-connect", relay.address, *args) as process:
            yield process, relay.transcript
    finally:
        relay.close()
