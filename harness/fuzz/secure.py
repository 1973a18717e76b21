"""TLS on memory: encrypted bytes in, plain bytes out, and back. Sockets are elsewhere."""

from __future__ import annotations

import ssl


class TlsFailure(Exception):
    """The handshake failed, or the far end broke off with an alert; the message says how."""


class TlsSession:
    """One side of a TLS connection, client or server."""

    def __init__(self, context: ssl.SSLContext, server_side: bool = False, name: str | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, None if server_side else name)
        self.established = False
        self.closed = False
        """The far end has said that it sends no more."""

    def advance(self) -> None:
        """Take the handshake as far as it goes; TlsFailure if it ends it."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise TlsFailure(describe(error)) from None
        self.established = True

    def receive(self, encrypted: bytes) -> bytes:
        """Bytes from the network; what they say."""
        self._incoming.write(encrypted)
        if not self.established:
            self.advance()
        plain = bytearray()
        while self.established and not self.closed:
            try:
                piece = self._tls.read(65536)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            except ssl.SSLError as error:
                raise TlsFailure(describe(error)) from None
            plain += piece
            self.closed = not piece
        return bytes(plain)

    def send(self, plain: bytes) -> None:
        """Plain bytes to send, as one record where they fit."""
        self._tls.write(plain)

    def close(self) -> None:
        """Say that no more is sent."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return

    def outgoing(self) -> bytes:
        """Encrypted bytes for the network."""
        return self._outgoing.read()


def describe(error: ssl.SSLError) -> str:
    """What went wrong, in OpenSSL's words without its source lines."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()
