"""Back-pressure: a reader that stops reading stops the other side's writer, and the proxy does not grow."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, request, response
from tests.edge.sockets import LOOPBACK, SMALL_BUFFER, Link, Upstream, connect
from tests.helpers.system import eventually

MIB = 1 << 20
TOTAL = 200 * MIB
MOST_GROWTH = 30 * MIB
"""Bytes of memory: what Twisted buffers, a message that is held, and the allocator's slack."""


class Pusher:
    """Sends blocks from a thread, counting the bytes the kernel took."""

    def __init__(self, connection: socket.socket, block: bytes, times: int) -> None:
        self.sent = 0
        self.digest = ""
        self._connection = connection
        self._block = memoryview(block)
        self._times = times
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._connection.settimeout(60)
        for _ in range(self._times):
            done = 0
            while done < len(self._block):
                taken = self._connection.send(self._block[done:])
                done += taken
                self.sent += taken
        self._connection.shutdown(socket.SHUT_WR)

    def wait_until_blocked(self) -> int:
        """Wait until nothing more is taken for half a second; the bytes taken so far."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 0.5:
            if self.sent != last:
                last, since = self.sent, time.monotonic()
            time.sleep(0.02)
        return last

    def join(self) -> None:
        """Wait until all is sent."""
        self._thread.join(30)
        assert not self._thread.is_alive(), f"stuck after {self.sent} bytes"


@pytest.fixture
def tight() -> Iterator[Upstream]:
    """An upstream whose kernel buffers are small."""
    with closing(Upstream(SMALL_BUFFER)) as here:
        yield here


Opener = Callable[..., Link]


@pytest.fixture
def tight_link(start_proxy: StartProxy, tight: Upstream) -> Iterator[Opener]:
    """A link whose ends have small kernel buffers."""
    clients = []

    def open_link(*args: str) -> Link:
        proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", tight.address, "--map", MAP, *args)
        clients.append(connect(proxy.port, SMALL_BUFFER))
        return Link(proxy, clients[-1], tight.accept())

    yield open_link
    for client in clients:
        client.close()


def received_digest(connection: socket.socket) -> tuple[int, str]:
    """Size and SHA-256 of all that comes."""
    digest, size = hashlib.sha256(), 0
    buffer = bytearray(MIB)
    while count := connection.recv_into(buffer):
        digest.update(memoryview(buffer)[:count])
        size += count
    return size, digest.hexdigest()


def due_digest(block: bytes, times: int) -> tuple[int, str]:
    """Size and SHA-256 of a block so many times."""
    digest = hashlib.sha256()
    for _ in range(times):
        digest.update(block)
    return len(block) * times, digest.hexdigest()


@pytest.mark.parametrize("way", ["to the server", "to the client"])
@pytest.mark.parametrize("kind", ["messages", "other bytes"])
def test_a_reader_that_stops(tight_link: Opener, way: str, kind: str) -> None:
    """200 MB towards a side that does not read: the proxy stays small, the sender blocks; later all of it arrives."""
    crossing = tight_link("--media", "rewrite") if kind == "messages" else tight_link("--no-l4f")
    outward = way == "to the server"
    sender, reader = (crossing.client, crossing.server) if outward else (crossing.server, crossing.client)
    block = due = bytes(range(256)) * (MIB // 256)
    if kind == "messages":
        make = request if outward else response
        old, new = (INSIDE, OUTSIDE) if outward else (OUTSIDE, INSIDE)
        block = b"".join(make(old, call=f"{number:05}", size=60_000) for number in range(17))
        due = b"".join(make(new, call=f"{number:05}", size=60_000) for number in range(17))
    times = TOTAL // len(block) + 1
    idle = crossing.proxy.resident
    pusher = Pusher(sender, block, times)
    taken = pusher.wait_until_blocked()
    growth = crossing.proxy.resident - idle
    assert taken < TOTAL // 2, "the sender was not blocked"
    assert growth < MOST_GROWTH
    assert received_digest(reader) == due_digest(due, times)
    pusher.join()
    assert crossing.proxy.resident - idle < MOST_GROWTH


def test_a_stopped_reader_holds_up_nobody_else(tight_link: Opener, tight: Upstream) -> None:
    """While one connection is stopped, its other direction and other connections go on."""
    crossing = tight_link("--media", "rewrite")
    block = request(INSIDE, size=60_000)
    pusher = Pusher(crossing.client, block, 1600)
    pusher.wait_until_blocked()
    crossing.server.sendall(response(OUTSIDE))
    due = response(INSIDE)
    assert crossing.client.recv(len(due), socket.MSG_WAITALL) == due
    with closing(connect(crossing.proxy.port)) as client:
        server = tight.accept()
        client.sendall(request(INSIDE))
        assert server.recv(len(request(OUTSIDE)), socket.MSG_WAITALL) == request(OUTSIDE)
    assert received_digest(crossing.server) == due_digest(request(OUTSIDE, size=60_000), 1600)
    pusher.join()


def test_a_sender_that_leaves_while_stopped(tight_link: Opener) -> None:
    """A sender that ended its stream while the reader was not reading is heard to the end later."""
    crossing = tight_link("--no-l4f")
    block = bytes(range(256)) * 4096
    pusher = Pusher(crossing.client, block, 12)
    eventually("the sender has been heard a bit", lambda: pusher.sent > SMALL_BUFFER)
    time.sleep(0.3)
    assert received_digest(crossing.server) == due_digest(block, 12)
    pusher.join()
    crossing.server.sendall(b"heard")
    assert crossing.client.recv(5, socket.MSG_WAITALL) == b"heard"
