"""Two ends of mutual TLS that know nothing of us: Python's `ssl` over sockets, and how each says that it fared.

Strategy: TLS and the socket are kept apart. Joined, they lose a word that matters here: where SSL_read_ex fails, Python
3.11 calls a reset an end of stream, and it cannot wrap a connection that was reset while it waited to be accepted.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from harness.ca import load_recipes, make, write
from tests.edge.sockets import LOOPBACK
from tests.helpers.system import PATIENCE

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SERVER_NAME = "callservice.ciscospark.com"
SOON = 0.7
"""Seconds after which an end that is expected to wait in vain gives up."""
GREETING = b"hello"
_READ = 1 << 16
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Outcome:
    """What each end says: `ok`, `close notify`, `reset`, `eof`, `timeout`, or OpenSSL's reason in small letters."""

    client: str
    server: str


class Papers:
    """The certificates of both ends, in files: the client is Expressway-E, the server Webex."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write(make(load_recipes("webex", "expressway-e", "firewall"), datetime.now(UTC)), folder)

    def path(self, name: str) -> str:
        """A file of the PKI."""
        return str(self.folder / name)

    def context(self, purpose: int, name: str, version: str, *trust: str) -> ssl.SSLContext:
        """For an end that shows a certificate and demands one."""
        context = ssl.SSLContext(purpose)
        context.minimum_version = context.maximum_version = VERSIONS[version]
        context.load_cert_chain(self.path(f"{name}-chain.pem"), self.path(f"{name}.key"))
        for root in trust or ("roots.pem",):
            context.load_verify_locations(self.path(root))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, version: str, *trust: str) -> ssl.SSLContext:
        """Expressway-E's."""
        return self.context(ssl.PROTOCOL_TLS_CLIENT, "expressway-e", version, *trust)

    def server(self, version: str, *trust: str) -> ssl.SSLContext:
        """Webex's."""
        return self.context(ssl.PROTOCOL_TLS_SERVER, "webex", version, *trust)


class TlsEnd:
    """One end of a connection; as its server if `serves`."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, serves: bool, piece: int = 1 << 20) -> None:
        self.raw = raw
        self._piece = piece
        """Bytes that are sent at a time."""
        self.said_first = 0
        """Bytes that it had to say before it waited."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if serves else SERVER_NAME
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=serves, server_hostname=name)

    def do_handshake(self) -> None:
        """All of it."""
        self._do(self.tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        """Encrypt and send."""
        self._do(lambda: self.tls.write(data))

    def recv(self, size: int) -> bytes:
        """At most so many bytes; none behind the other's close_notify."""
        try:
            return self._do(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError:
            return b""

    def unwrap(self) -> None:
        """Say close_notify, and wait for the other's."""
        self._do(self.tls.unwrap)

    def say_goodbye(self) -> None:
        """close_notify and FIN, without waiting for the other's."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self._send()
        self.raw.shutdown(socket.SHUT_WR)

    def settimeout(self, seconds: float) -> None:
        """Of everything that waits."""
        self.raw.settimeout(seconds)

    def close(self) -> None:
        """Without a word."""
        self.raw.close()

    def _do(self, step: Callable[[], _Result]) -> _Result:
        """Whatever TLS says before a failure is sent, if there is still somebody."""
        try:
            while True:
                try:
                    done = step()
                except ssl.SSLWantReadError:
                    self._send()
                    self._receive()
                else:
                    self._send()
                    return done
        except ssl.SSLError:
            with suppress(OSError):
                self._send()
            raise

    def _send(self) -> None:
        self.said_first = self.said_first or self._outgoing.pending
        while self._outgoing.pending:
            self._put(self._outgoing.read(self._piece))

    def _put(self, data: bytes) -> None:
        self.raw.sendall(data)

    def _receive(self) -> None:
        data = self.raw.recv(_READ)
        self._incoming.write(data)
        if not data:
            self._incoming.write_eof()


class Farewell(Exception):
    """The other end has said close_notify, too early."""


class Answerer:
    """The server: takes one connection after the other and sends back what it reads."""

    def __init__(
        self, context: ssl.SSLContext | None = None, patience: float = PATIENCE, host: str = LOOPBACK, port: int = 0
    ) -> None:
        """Context and patience may also come with each connection."""
        self._context = context
        self._patience = patience
        self._listener = socket.create_server((host, port))
        self._listener.settimeout(PATIENCE)
        self._words: list[str] = []
        self._threads: list[threading.Thread] = []
        self.peer: dict[str, Any] | None = None
        """The certificate of the latest client."""
        self.version: str | None = None
        """Of its TLS, as OpenSSL calls it."""

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def expect(self, context: ssl.SSLContext | None = None, patience: float | None = None) -> None:
        """One connection is about to come."""
        context = context or self._context
        assert context is not None, "somebody has to say what it shows"
        thread = threading.Thread(target=self._serve, args=(context, patience or self._patience), daemon=True)
        thread.start()
        self._threads.append(thread)

    def word(self) -> str:
        """How the latest one ended."""
        self._threads[-1].join(2 * PATIENCE)
        assert len(self._words) == len(self._threads), "every connection comes to an end"
        return self._words[-1]

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _serve(self, context: ssl.SSLContext, patience: float) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(patience)
            self._words.append(fared(TlsEnd(connection, context, serves=True), self._talk))

    def _talk(self, end: TlsEnd) -> None:
        end.do_handshake()
        self.version, self.peer = end.tls.version(), end.tls.getpeercert()
        while data := end.recv(_READ):
            end.sendall(data)
        end.unwrap()


def fared(end: TlsEnd, talk: Callable[[TlsEnd], None]) -> str:
    """How a conversation ended, in a word."""
    try:
        talk(end)
    except Farewell:
        return "close notify"
    except ssl.SSLEOFError:
        return "eof"
    except ssl.SSLError as error:
        return str(error.reason).lower().replace("_", " ")
    except TimeoutError:
        return "timeout"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    return "ok"


def call(
    context: ssl.SSLContext, port: int, patience: float = PATIENCE, data: bytes = GREETING, host: str = LOOPBACK
) -> str:
    """The client: connects, sends, and wants the same back; how it fared."""

    def talk(end: TlsEnd) -> None:
        end.do_handshake()
        end.sendall(data)
        back = b""
        while len(back) < len(data):
            piece = end.recv(_READ)
            if not piece:
                raise Farewell
            back += piece
        assert back == data
        end.unwrap()

    with socket.create_connection((host, port), PATIENCE) as connection:
        connection.settimeout(patience)
        return fared(TlsEnd(connection, context, serves=False), talk)
