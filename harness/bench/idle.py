"""Memory that an idle connection costs the proxy, and whether all of many still work afterwards."""

from __future__ import annotations

import selectors
import socket
from dataclasses import dataclass

from harness.bench.messages import INSIDE, OUTSIDE, options
from harness.bench.processes import Proxy, sipalg_proxy
from harness.descriptors import raise_descriptor_limit

_HOST = "127.0.0.1"
_BUSY_MESSAGES = 5000
_SPARE_DESCRIPTORS = 64
_TIMEOUT = 20.0
"""seconds"""


@dataclass(frozen=True, slots=True)
class IdleFigure:
    """The row."""

    connections: int
    bytes_each: float
    """Resident memory of the proxy per connection (two sockets)."""
    lost: int
    """Connections over which a message did not arrive, rewritten, after they had been idle."""
    busy_delivered: int
    """Messages that crossed on the busy connection while the others were idle, of `busy_sent`."""
    busy_sent: int


def measure_idle(connections: int) -> IdleFigure:
    """Open the connections, keep one busy, then send a message on every one.

    The proxy needs two descriptors for each: where the system does not allow as many, fewer connections are measured.
    """
    allowed = raise_descriptor_limit(2 * connections + _SPARE_DESCRIPTORS)
    connections = min(connections, (allowed - _SPARE_DESCRIPTORS) // 2)
    with socket.create_server((_HOST, 0), backlog=1024) as server:
        target = f"{_HOST}:{server.getsockname()[1]}"
        with sipalg_proxy(_HOST, target, "--map", f"{INSIDE}={OUTSIDE}") as proxy:
            before = proxy.resident_bytes()
            pairs = [_connect(proxy, server) for _ in range(connections)]
            each = (proxy.resident_bytes() - before) / connections
            delivered = _converse(*pairs[0])
            lost = _lost(pairs)
            for pair in pairs:
                for end in pair:
                    end.close()
    return IdleFigure(connections, each, lost, delivered, _BUSY_MESSAGES)


def _connect(proxy: Proxy, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection((_HOST, proxy.port), timeout=_TIMEOUT)
    accepted, _ = server.accept()
    accepted.settimeout(_TIMEOUT)
    return client, accepted


def _converse(client: socket.socket, accepted: socket.socket) -> int:
    """Messages that arrive rewritten on one connection, each sent when the one before has come."""
    delivered = 0
    for number in range(_BUSY_MESSAGES):
        client.sendall(options(number))
        delivered += _receive(accepted, len(_expected(number))) == _expected(number)
    return delivered


def _lost(pairs: list[tuple[socket.socket, socket.socket]]) -> int:
    """Send one message on every connection; those on which it does not arrive as it should."""
    waiting = selectors.DefaultSelector()
    for number, (client, accepted) in enumerate(pairs):
        client.sendall(options(number))
        waiting.register(accepted, selectors.EVENT_READ, number)
    arrived = 0
    while waiting.get_map() and (ready := waiting.select(_TIMEOUT)):
        for key, _ in ready:
            accepted = pairs[key.data][1]
            waiting.unregister(accepted)
            arrived += _receive(accepted, len(_expected(key.data))) == _expected(key.data)
    waiting.close()
    return len(pairs) - arrived


def _expected(number: int) -> bytes:
    return options(number).replace(INSIDE.encode(), OUTSIDE.encode())


def _receive(accepted: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := accepted.recv(size - len(data))):
        data += more
    return data
