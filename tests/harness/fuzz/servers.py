"""A SIP server with a limit that it does not tell: what it counts, and how it refuses, are a test's choice."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
_LENGTH = re.compile(rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)", re.IGNORECASE)
_SETTLING = 0.1
"""Seconds that a server that reads once gives the rest of a message to come."""
_BUFFER = 4 << 20
_COPIED = re.compile(rb"(?im)^(?:via|from|to|call-id|cseq|record-route):.*\r\n")


@dataclass
class LimitedServer:
    """Answers requests up to a limit, and refuses larger ones; a thread for each connection."""

    limit: int
    counts: str = "whole"
    """whole, header, body, or read: what one read call can take."""
    refuses: str = "closed"
    """reset, closed, silent, garbled, or a status."""
    context: ssl.SSLContext | None = None
    """For TLS."""
    mortal: bool = False
    """It does not survive what it refuses."""
    port: int = 0
    """Where it listens; 0 takes any free one."""
    answer: bytes = b"200 OK"
    hole: range = range(0)
    """Sizes of messages that are refused although larger ones are not."""
    accepted: list[int] = field(default_factory=list)
    """Sizes of the messages that were answered."""
    seen: list[bytes] = field(default_factory=list)
    """Every whole message that came."""
    reads: list[int] = field(default_factory=list)
    """Bytes of every read call."""
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOOPBACK, self.port))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self.open = 0
        """Connections that stand."""
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.open += 1
        try:
            with suppress(OSError):
                if self.context is not None:
                    connection = self.context.wrap_socket(connection, server_side=True)
                self._talk(connection)
        finally:
            connection.close()
            with self._lock:
                self.open -= 1

    def _talk(self, connection: socket.socket) -> None:
        held = b""
        while True:
            data = self._read_once(connection) if self.counts == "read" else connection.recv(65536)
            if not data:
                return
            self.reads.append(len(data))
            held += data
            while held:
                size = self._whole(held)
                if size is None:
                    if self.counts == "read" and not self._refuse(connection, held):
                        return
                    held = b"" if self.counts == "read" else held
                    break
                message, held = held[:size], held[size:]
                self.seen.append(message)
                if self._too_large(message):
                    if not self._refuse(connection, message):
                        return
                elif not message.startswith(b"ACK "):
                    self.accepted.append(len(message))
                    connection.sendall(respond(message, self.answer))

    def _read_once(self, connection: socket.socket) -> bytes:
        """What one read call gives when a whole message, or as much as comes soon, waits; the rest of that is lost."""
        end = time.monotonic() + _SETTLING
        while (waiting := connection.recv(_BUFFER, socket.MSG_PEEK)) and time.monotonic() < end:
            if self._whole(waiting) is not None:
                break
            time.sleep(0.002)
        data = connection.recv(self.limit)
        left = len(waiting) - len(data)
        while left > 0:
            left -= len(connection.recv(left))
        return data

    def _whole(self, held: bytes) -> int | None:
        """Bytes of the message that `held` begins with; None if it is not all there."""
        head, empty_line, body = held.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if not empty_line or found is None or len(body) < int(found[1]):
            return None
        return len(head) + 4 + int(found[1])

    def _too_large(self, message: bytes) -> bool:
        header = message.index(b"\r\n\r\n") + 4
        sizes = {"whole": len(message), "header": header, "body": len(message) - header, "read": 0}
        return sizes[self.counts] > self.limit or len(message) in self.hole

    def _refuse(self, connection: socket.socket, message: bytes) -> bool:
        """Whether the connection goes on."""
        if self.mortal:
            self.close()
        if self.refuses == "silent":
            return True
        if self.refuses == "garbled":
            connection.sendall(b"SIP/2.0 2xx\r\nwhat?\r\n\r\n")
            return True
        if self.refuses.isdigit():
            connection.sendall(respond(message, self.refuses.encode() + b" No"))
            return True
        if self.refuses == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        return False


def respond(request: bytes, status: bytes) -> bytes:
    """A response to a request, or to the beginning of one."""
    head = request.partition(b"\r\n\r\n")[0] + b"\r\n"
    copied = b"".join(match[0] for match in _COPIED.finditer(head))
    return b"SIP/2.0 " + status + b"\r\n" + copied + b"Content-Length: 0\r\n\r\n"
