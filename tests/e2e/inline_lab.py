"""`sipalg inline` as the router of a lab, with the kernel's own TCP on both sides of it.

Strategy: sockets are made inside the namespaces by threads that visit them, and used from here. The lab's name holds
the process number of the test run, so that runs do not meet; whatever happens, it is taken down.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

from harness.lab.lab import Lab
from harness.lab.namespace import within
from harness.lab.topology import Side, Topology
from tests.helpers.system import PATIENCE, cannot_run, eventually, require_system, sipalg_command, sipalg_environment

INSIDE, ROUTER, OUTSIDE, POOL = "10.0.30.2", "203.0.113.1", "203.0.113.20", "203.0.113.10"
NETWORK = "10.0.30.0/24"
DEVICE = "sipalg0"
POOLED = ("--inside", NETWORK, "--pool", POOL)
MAPPED = ("--inside", NETWORK, "--map", f"{INSIDE}={POOL}")
_TCP_CLOSE = 7
"""<net/tcp_states.h>; the state of a socket whose connection is in TIME-WAIT, too."""
_numbers = count(1)

T = TypeVar("T")


class InlineProcess:
    """A running `sipalg inline --install-routes` in the router's namespace."""

    def __init__(self, lab: Lab, *args: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` closes it
        command = sipalg_command("inline", "--tun", DEVICE, "--install-routes", *args)
        self._process = subprocess.Popen(
            lab.command("router", *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=sipalg_environment(),
        )
        try:
            eventually(f"inline on {DEVICE}", lambda: f"inline on {DEVICE}\n" in self.errors or not self.running)
            assert self.running, self.errors
        except BaseException:
            self.close()
            raise

    @property
    def errors(self) -> str:
        """What it has said on standard error."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def counters(self) -> dict[str, int]:
        """After its end: packets by what became of them."""
        return {fate: int(number) for number, fate in re.findall(r"^(\d+) packets (.+)$", self.errors, re.MULTILINE)}

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, and wait until it has ended well."""
        self._process.send_signal(number)
        status = self._process.wait(PATIENCE)
        assert status == 0, f"exit status {status}; standard error:\n{self.errors}"
        assert "Traceback" not in self.errors, self.errors
        assert "Unhandled" not in self.errors, self.errors

    def stop(self) -> None:
        """End it as an operator would."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it by force, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Nobody asks any more what it has said."""
        self.kill()
        self._errors.close()


class InlineLab:
    """A lab and what is done in it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def inside(self, function: Callable[[], T]) -> T:
        """Do something where the inside endpoint is."""
        return within(self.lab.namespace("inside"), function)

    def outside(self, function: Callable[[], T]) -> T:
        """Do something where the outside endpoint is."""
        return within(self.lab.namespace("outside"), function)

    def ip(self, place: str, line: str) -> str:
        """What iproute2 says somewhere in the lab."""
        return subprocess.check_output(["ip", "-n", self.lab.namespace(place), *line.split()], text=True)

    @contextmanager
    def inline(self, *args: str) -> Iterator[InlineProcess]:
        """The ALG in the router for as long as the block runs; it must end well when the block did."""
        process = InlineProcess(self.lab, *(args or POOLED))
        try:
            yield process
            if process.running:
                process.stop()
        finally:
            process.close()

    @contextmanager
    def connection(self, port: int = 5060) -> Iterator[tuple[socket.socket, socket.socket]]:
        """A TCP connection from the inside to a port of the outside: both its ends."""
        with self.outside(lambda: socket.create_server((OUTSIDE, port))) as listener:
            listener.settimeout(PATIENCE)
            with self.inside(lambda: socket.create_connection((OUTSIDE, port), PATIENCE)) as client:
                server, _ = listener.accept()
                with server:
                    for end in (client, server):
                        end.settimeout(PATIENCE)
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    yield client, server


@contextmanager
def inline_lab(offload: bool = True, sides: Iterable[Side] = ()) -> Iterator[InlineLab]:
    """A lab of its own for as long as the block runs."""
    require_system("ip", "iproute2")
    if os.geteuid() != 0:
        cannot_run("needs root: network namespaces")
    if not Path("/dev/net/tun").exists():
        cannot_run("needs /dev/net/tun")
    topology = Topology(f"t{os.getpid()}-{next(_numbers)}", tuple(sides) or Topology().sides)
    lab = Lab(topology)
    try:
        lab.up(offload)
        yield InlineLab(lab)
    finally:
        lab.down()


def datagram_socket(address: str, port: int = 0) -> socket.socket:
    """A UDP socket that does not wait for ever."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    sock.bind((address, port))
    return sock


def exchange(
    ends: tuple[socket.socket, socket.socket],
    pieces: tuple[Iterable[bytes], Iterable[bytes]],
    pause: float = 0.0,
) -> tuple[bytes, bytes]:
    """Both ends send their pieces at once, `pause` seconds apart, and close; what each has received.

    For both kernels the connection has to be over then: everything is acknowledged, the FINs too.
    """
    received = [b"", b""]
    threads = [
        *(threading.Thread(target=_send, args=(end, part, pause)) for end, part in zip(ends, pieces, strict=True)),
        *(threading.Thread(target=_receive, args=(end, received, place)) for place, end in enumerate(ends)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually("everything is acknowledged", lambda: [_state(end) for end in ends] == [_TCP_CLOSE] * 2)
    return received[0], received[1]


def unacknowledged(sock: socket.socket) -> int:
    """Bytes on their way (tcp(7), SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def _state(end: socket.socket) -> int:
    """The first byte of `struct tcp_info`."""
    return end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def _send(end: socket.socket, pieces: Iterable[bytes], pause: float) -> None:
    wait = threading.Event()
    for piece in pieces:
        end.sendall(piece)
        if pause:
            wait.wait(pause)
    end.shutdown(socket.SHUT_WR)


def _receive(end: socket.socket, received: list[bytes], place: int) -> None:
    parts = []
    try:
        while data := end.recv(1 << 16):
            parts.append(data)
    finally:
        received[place] = b"".join(parts)
