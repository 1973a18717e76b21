"""Blocking sockets for tests of a proxy: an upstream that accepts, and links through the proxy."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from tests.helpers.system import PATIENCE, ProxyProcess

LOOPBACK = "127.0.0.1"
SMALL_BUFFER = 65536
"""Bytes of a socket's buffer where the kernel is not to hide what the proxy holds."""


class Upstream:
    """Where the proxy connects to."""

    def __init__(self, buffer: int | None = None) -> None:
        self._listener = socket.socket()
        if buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._listener.bind((LOOPBACK, 0))
        self._listener.listen(1024)
        self._listener.settimeout(PATIENCE)
        self._accepted: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Its port."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    def accept(self) -> socket.socket:
        """The next connection."""
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted.append(connection)
        return connection

    def close_accepted(self) -> None:
        """Close the connections, also those that nobody has accepted."""
        self._listener.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self._accepted.append(self._listener.accept()[0])
        self._listener.settimeout(PATIENCE)
        for connection in self._accepted:
            connection.close()
        self._accepted.clear()

    def close(self) -> None:
        """Close everything."""
        for connection in (self._listener, *self._accepted):
            connection.close()


def connect(port: int, buffer: int | None = None) -> socket.socket:
    """A connection to a port of this machine."""
    client = socket.socket()
    client.settimeout(PATIENCE)
    if buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        client.connect((LOOPBACK, port))
    except OSError:
        client.close()
        raise
    return client


@dataclass
class Link:
    """One connection through a proxy."""

    proxy: ProxyProcess
    client: socket.socket
    server: socket.socket


def receive(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes, or what came before the end."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 1 << 20))
        if not piece:
            break
        data += piece
    return bytes(data)


def receive_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    data = bytearray()
    while piece := connection.recv(1 << 20):
        data += piece
    return bytes(data)


def silent(connection: socket.socket, seconds: float = 0.15) -> bool:
    """Whether nothing comes for a while, not even an end."""
    connection.settimeout(seconds)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        connection.settimeout(PATIENCE)


def reset(connection: socket.socket) -> None:
    """Close with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ends_by_reset(connection: socket.socket) -> bool:
    """Whether the stream ends with a reset, whatever comes before."""
    try:
        receive_all(connection)
    except ConnectionResetError:
        return True
    return False


def udp_socket(address: str, port: int = 0) -> socket.socket:
    """A UDP socket of an endpoint."""
    sock = socket.socket(type=socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    try:
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def free_port_pair(address: str) -> int:
    """An even port that is free there, as is the next one."""
    while True:
        with udp_socket(address) as first:
            port: int = first.getsockname()[1]
            if port % 2:
                continue
            try:
                udp_socket(address, port + 1).close()
            except OSError:
                continue
            return port
