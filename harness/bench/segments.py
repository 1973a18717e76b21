"""INVITEs that arrive rewritten, sent in one segment and in two: an ALG that looks at packets rewrites the former only.

Strategy: one at a time over a connection of their own, each written at once, so that the kernel cuts it where the
segment is full. The last line of the body carries the INVITE's number and is nobody's to change: what has come with it
is the message. A rewritten one names the inside address nowhere.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from alg.errors import SipalgError
from harness.bench.messages import INSIDE, last_line, sized_invite
from harness.bench.routers import CALLEE, INLINE, KERNEL, PORT, TRANSPARENT, Router, bench_lab
from harness.lab.lab import Lab
from harness.lab.namespace import within

SMALL, LARGE = 500, 1774
"""Bytes: a segment takes 1448."""
_TIMEOUT = 5.0
"""Seconds until a message that has not come is lost, and the connection with it."""


@dataclass(frozen=True, slots=True)
class SegmentsFigure:
    """One row."""

    router: str
    offload: bool
    """Whether the lab's devices hand on more than a segment at a time."""
    message_bytes: int
    sent: int
    rewritten: int = 0
    unmodified: int = 0
    remark: str = ""
    """Why there is nothing to measure."""


def measure_segments(messages: int, offloads: tuple[bool, ...] = (False, True)) -> list[SegmentsFigure]:
    """INVITEs of both lengths through each ALG, without offload and with it."""
    figures = []
    for offload in offloads:
        with bench_lab(offload) as lab:
            for router in (KERNEL, INLINE, TRANSPARENT):
                figures += _measure(lab, router, offload, messages)
    return figures


def _measure(lab: Lab, router: Router, offload: bool, messages: int) -> list[SegmentsFigure]:
    lengths = (SMALL, LARGE)
    try:
        with router.start(lab):
            return [
                SegmentsFigure(router.name, offload, length, messages, *_send(lab, length, messages))
                for length in lengths
            ]
    except SipalgError as error:
        return [SegmentsFigure(router.name, offload, length, 0, remark=str(error)) for length in lengths]


def _send(lab: Lab, length: int, messages: int) -> tuple[int, int]:
    """How many arrived rewritten, and how many unmodified, until all have been sent or the connection is broken."""
    rewritten = unmodified = 0
    media_port = 20_000 + 2 * length
    with suppress(OSError), _connection(lab) as (client, server):
        port = client.getsockname()[1]
        for number in range(messages):
            message = sized_invite(number, length, port, media_port)
            client.sendall(message)
            received = _receive(server, last_line(number))
            rewritten += INSIDE.encode() not in received
            unmodified += received == message
    return rewritten, unmodified


@contextmanager
def _connection(lab: Lab) -> Iterator[tuple[socket.socket, socket.socket]]:
    """From the inside to the outside: both ends."""
    target = (CALLEE, PORT)
    with within(lab.namespace("outside"), lambda: socket.create_server(target)) as listener:
        listener.settimeout(_TIMEOUT)
        with within(lab.namespace("inside"), lambda: socket.create_connection(target, _TIMEOUT)) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(_TIMEOUT)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield client, server


def _receive(server: socket.socket, end: bytes) -> bytes:
    """Everything up to some bytes; OSError if they do not come."""
    received = b""
    while not received.endswith(end):
        more = server.recv(1 << 16)
        if not more:
            raise ConnectionError("closed inside a message")
        received += more
    return received
