"""Two ends of mutual TLS that know nothing of us: Python's `ssl` over sockets, and how each says that it fared."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.ca import load_recipes, make, write
from tests.edge.sockets import LOOPBACK
from tests.helpers.system import PATIENCE

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SERVER_NAME = "callservice.ciscospark.com"
SOON = 1.0
"""Seconds after which an end that is expected to wait in vain gives up."""
GREETING = b"hello"
_BY_HAND: dict[str, Any] = {"do_handshake_on_connect": False, "suppress_ragged_eofs": False}
_CLOSED = 7
"""TCP_CLOSE in <net/tcp_states.h>: the state behind a reset; behind a FIN it is CLOSE_WAIT."""


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


class Farewell(Exception):
    """The other end has said close_notify, too early."""


class Answerer:
    """The server: takes one connection after the other and sends back what it reads."""

    def __init__(self, context: ssl.SSLContext | None = None, patience: float = PATIENCE) -> None:
        """The context may also come with each connection."""
        self._context = context
        self._patience = patience
        self._listener = socket.create_server((LOOPBACK, 0))
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
        return f"{LOOPBACK}:{self._listener.getsockname()[1]}"

    def expect(self, context: ssl.SSLContext | None = None) -> None:
        """One connection is about to come."""
        context = context or self._context
        assert context is not None, "somebody has to say what it shows"
        thread = threading.Thread(target=self._serve, args=(context,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def word(self) -> str:
        """How the latest one ended."""
        self._threads[-1].join(PATIENCE)
        return self._words[-1]

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _serve(self, context: ssl.SSLContext) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(self._patience)
        try:
            tls = context.wrap_socket(connection, server_side=True, **_BY_HAND)
        except OSError:
            connection.close()
            self._words.append("reset")
            return
        with tls:
            self._words.append(fared(tls, self._talk))

    def _talk(self, tls: ssl.SSLSocket) -> None:
        tls.do_handshake()
        self.version, self.peer = tls.version(), tls.getpeercert()
        while data := tls.recv(65536):
            tls.sendall(data)
        tls.unwrap()


def fared(tls: ssl.SSLSocket, talk: Callable[[ssl.SSLSocket], None]) -> str:
    """How a conversation ended, in a word; the kernel tells a reset from an end of stream, OpenSSL may not."""
    try:
        talk(tls)
    except Farewell:
        return "close notify"
    except ssl.SSLEOFError:
        state = tls.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return "reset" if state == _CLOSED else "eof"
    except ssl.SSLError as error:
        return str(error.reason).lower().replace("_", " ")
    except TimeoutError:
        return "timeout"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    return "ok"


def call(context: ssl.SSLContext, port: int, patience: float = PATIENCE, data: bytes = GREETING) -> str:
    """The client: connects, sends, and wants the same back; how it fared."""

    def talk(tls: ssl.SSLSocket) -> None:
        tls.do_handshake()
        tls.sendall(data)
        back = b""
        while len(back) < len(data):
            piece = tls.recv(65536)
            if not piece:
                raise Farewell
            back += piece
        assert back == data
        tls.unwrap()

    connection = socket.create_connection((LOOPBACK, port), PATIENCE)
    connection.settimeout(patience)
    with context.wrap_socket(connection, server_hostname=SERVER_NAME, **_BY_HAND) as tls:
        return fared(tls, talk)
