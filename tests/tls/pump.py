"""A bridge between real sockets on 127.0.0.1, in a thread: the least that an edge has to do."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self

from alg.tls.bridge import Inspector, KeyLog
from alg.tls.legs import Ending, Event, Leg, Output, StreamEnded
from tests.helpers.system import PATIENCE

_DEADLINE = 3 * PATIENCE
"""Seconds that a connection may take."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close send RST."""


class Pump:
    """Takes one connection, and makes one to `target`."""

    def __init__(self, target: str, inspector: Inspector, key_log: KeyLog | None = None) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._bridge = inspector.bridge(datetime.now(UTC), key_log)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        """Where it listens."""
        self.events: list[Event] = []
        self._sockets: list[socket.socket] = []
        self._reading: set[Leg] = set()
        self._trouble: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(2 * _DEADLINE)
        assert not self._thread.is_alive(), "both peers went"
        if self._trouble:
            raise self._trouble[0]

    def _run(self) -> None:
        try:
            with self._listener:
                self._listener.settimeout(_DEADLINE)
                client = self._listener.accept()[0]
            with client, socket.create_connection(self._target, PATIENCE) as server:
                self._sockets = [client, server]
                self._reading = set(Leg)
                self._pump()
        except BaseException as trouble:
            self._trouble.append(trouble)

    def _pump(self) -> None:
        with selectors.DefaultSelector() as selector:
            for leg in Leg:
                selector.register(self._sockets[leg], selectors.EVENT_READ, leg)
            end = time.monotonic() + _DEADLINE
            while self._reading and time.monotonic() < end:
                for key, _ in selector.select(0.1):
                    self._read(key.data)
                    if key.data not in self._reading:
                        selector.unregister(key.fileobj)

    def _read(self, leg: Leg) -> None:
        try:
            data = self._sockets[leg].recv(1 << 16)
        except OSError as error:
            self._reading.discard(leg)
            self._obey(self._bridge.lost(leg, error.strerror))
            return
        if not data:
            self._reading.discard(leg)
        self._obey(self._bridge.feed(leg, data) if data else self._bridge.eof(leg))

    def _obey(self, output: Output) -> None:
        self.events += output.events
        with suppress(OSError):
            for leg in Leg:
                self._sockets[leg].sendall(output.to_send[leg])
        for leg in Leg:
            self._end(leg, output.endings[leg])
        for leg in Leg:
            if output.clear[leg]:
                self._obey(self._bridge.send(leg.other, output.clear[leg]))
        for event in output.events:
            if isinstance(event, StreamEnded):
                self._obey(self._bridge.close(event.leg.other, event.clean))

    def _end(self, leg: Leg, ending: Ending | None) -> None:
        with suppress(OSError):
            if ending is Ending.FIN:
                self._sockets[leg].shutdown(socket.SHUT_WR)
            elif ending is Ending.RESET:
                self._sockets[leg].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self._sockets[leg].shutdown(socket.SHUT_RD)
