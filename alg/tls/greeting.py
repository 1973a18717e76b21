"""What a client says first: its ClientHello, read when it is whole, or the insight that none will come."""

from __future__ import annotations

from alg.tls.framing import ContentType, HandshakeReader, RecordReader
from alg.tls.hello import ClientHello, read_client_hello
from alg.tls.vectors import TlsSyntaxError

_CLIENT_HELLO = 1
_LONGEST_NAME = 253
"""Characters of a host name (RFC 1035 2.3.4, without the bytes of lengths)."""


class Greeting:
    """The first bytes of one client."""

    def __init__(self) -> None:
        self.complete = False
        """No more is needed to know."""
        self._hello: ClientHello | None = None
        self._records = RecordReader()
        self._messages = HandshakeReader()

    def feed(self, data: bytes) -> None:
        """More bytes, until it is complete; nothing is raised, whatever they are."""
        try:
            self._look(data)
        except TlsSyntaxError:
            self.complete = True

    def _look(self, data: bytes) -> None:
        for record in self._records.feed(data):
            if record.kind is not ContentType.HANDSHAKE:
                self.complete = True
                return
            for message in self._messages.feed(record):
                self.complete = True
                if message.number == _CLIENT_HELLO:
                    self._hello = read_client_hello(message.body)
                return

    @property
    def is_tls(self) -> bool:
        """Whether a whole ClientHello has come."""
        return self._hello is not None

    @property
    def server_name(self) -> str | None:
        """The host name that the client asks for, if it is one that can be passed on."""
        name = self._hello.sni if self._hello is not None else None
        return name if name and "\\" not in name and len(name) <= _LONGEST_NAME else None

    @property
    def protocols(self) -> list[bytes]:
        """What the client offers in ALPN, without names that are not printable, as GREASE is (RFC 8701)."""
        offers = self._hello.alpn if self._hello is not None else []
        return [offer.encode("ascii") for offer in offers if offer and "\\" not in offer and len(offer) <= 0xFF]
