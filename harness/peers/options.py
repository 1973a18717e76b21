"""The smallest exchange that proves a connection to carry SIP: OPTIONS and its answer (RFC 3261 11).

Strategy: bytes come in as they were decrypted, messages and replies go out. Whoever connected asks; whoever is asked
answers. Somebody else may ask for something else, or refuse: that is SIP too. Bytes that are none are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.config import Limits
from alg.sip.framing import Framed, MessageFramer
from alg.sip.message import field_value, summarise
from harness.expressway.log.entry import Address
from harness.fuzz.dialog import response_to

_REQUEST = """\
OPTIONS sip:{remote} SIP/2.0
Via: SIP/2.0/TLS {local};branch=z9hG4bK{token}
Max-Forwards: 70
From: <sip:{local}>;tag={token}
To: <sip:{remote}>
Call-ID: {token}
CSeq: 1 OPTIONS
Contact: <sip:{local};transport=tls>
Content-Length: 0

"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came in."""

    message: bytes
    reply: bytes | None
    """To be sent now."""


class OptionsExchange:
    """One side of it."""

    def __init__(self, local: Address, remote: Address, token: str) -> None:
        self._ends = {"local": f"{local[0]}:{local[1]}", "remote": f"{remote[0]}:{remote[1]}"}
        self._token = token
        """In branch, tag and Call-ID."""
        self._framer = MessageFramer(Limits())
        self.complete = False
        """A request was answered, ours or theirs."""

    def request(self) -> bytes:
        """Ours."""
        return _REQUEST.format(token=self._token, **self._ends).replace("\n", "\r\n").encode()

    def feed(self, data: bytes) -> list[Heard]:
        """The messages that end in these bytes."""
        return [self._hear(frame.data) for frame in self._framer.feed(data) if isinstance(frame, Framed)]

    def _hear(self, message: bytes) -> Heard:
        said = summarise(message)
        if said.method == "ACK":
            return Heard(message, None)
        if said.method is not None:
            status = b"200 OK" if said.method == "OPTIONS" else b"480 Temporarily Unavailable"
            reply = response_to(message, status, self._token.encode())
            self.complete |= reply is not None
            return Heard(message, reply)
        ours = (field_value(message, b"call-id", b"i") or b"") == self._token.encode()
        self.complete |= ours and said.status is not None and said.status >= 200
        return Heard(message, None)
