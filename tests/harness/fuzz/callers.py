"""A caller that places one call after the other, and does not take every answer."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.harness.fuzz.servers import LOOPBACK, respond
from tests.helpers.system import PATIENCE

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0\r\na=sendrecv\r\nm=video 4002 RTP/AVP 97\r\nm=audio 4004 RTP/AVP 0\r\n"
)


@dataclass
class Caller:
    """Places calls to a port until it is stopped; takes 200s up to a limit."""

    port: int
    limit: int = 10**9
    refuses: str = "closed"
    """closed, reset, silent, garbled, bye (instead of ACK), or gone: never calls again."""
    early: bool = False
    """With an offer in the INVITE."""
    hangs_up: bool = False
    """Sends BYE itself."""
    context: ssl.SSLContext | None = None
    answers: list[bytes] = field(default_factory=list)
    """The 200s that came."""
    byes: int = 0
    """BYEs of the other side's."""
    calls: int = 0

    def __post_init__(self) -> None:
        self.stopped = False
        self._held = b""
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Call no more. The other side must have closed, or close soon."""
        self.stopped = True
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self.stopped:
            with suppress(OSError):
                if self._connection is None:
                    self._connect()
                assert self._connection is not None, "is connected"
                self._call(self._connection)
                continue
            self._disconnect()
            time.sleep(0.01)
        self._disconnect()

    def _connect(self) -> None:
        self._held = b""
        self._connection = socket.create_connection((LOOPBACK, self.port), PATIENCE)
        if self.context is not None:
            self._connection = self.context.wrap_socket(self._connection)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _call(self, connection: socket.socket) -> None:
        self.calls += 1
        connection.sendall(self._request(b"INVITE", body=OFFER if self.early else b""))
        answer = self._read(connection)
        self.answers.append(answer)
        found = re.search(rb"(?m)^To:[^\r]*(;tag=[^\r;]+)", answer)
        tag = found[1] if found else b""
        if len(answer) > self.limit:
            self._refuse(connection, tag)
            return
        connection.sendall(self._request(b"ACK", tag))
        if self.hangs_up:
            connection.sendall(self._request(b"BYE", tag))
            assert self._read(connection).startswith(b"SIP/2.0 200 ")
            return
        bye = self._read(connection)
        self.byes += bye.startswith(b"BYE ")
        connection.sendall(respond(bye, b"200 OK"))

    def _refuse(self, connection: socket.socket, tag: bytes) -> None:
        if self.refuses == "silent":
            return
        if self.refuses == "garbled":
            connection.sendall(b"what?\r\n\r\n")
            connection.recv(1)
        if self.refuses == "bye":
            connection.sendall(self._request(b"BYE", tag))
            self._read(connection)
            return
        self.stopped = self.refuses == "gone"
        if self.refuses == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        raise OSError("the call is over")

    def _request(self, method: bytes, tag: bytes = b"", body: bytes = b"") -> bytes:
        number = b"%06d" % self.calls
        lines = [
            method + b" sip:us@127.0.0.1 SIP/2.0",
            b"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK" + method + number,
            b"Record-Route: <sip:hop@127.0.0.1:9;lr>",
            b"Max-Forwards: 70",
            b"From: <sip:caller@127.0.0.1>;tag=caller",
            b"To: <sip:us@127.0.0.1>" + tag,
            b"Call-ID: call" + number,
            b"CSeq: 1 " + method,
            b"Contact: <sip:caller@127.0.0.1:9>",
            *([b"Content-Type: application/sdp"] if body else []),
            b"Content-Length: %d" % len(body),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _read(self, connection: socket.socket) -> bytes:
        """The next message."""
        while True:
            head, empty_line, body = self._held.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if empty_line and length and len(body) >= int(length[1]):
                size = len(head) + 4 + int(length[1])
                message, self._held = self._held[:size], self._held[size:]
                return message
            data = connection.recv(1 << 20)
            if not data:
                raise OSError("closed")
            self._held += data
