"""What is seen of a TLS connection: which message, from whom, where in its stream, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Sender(IntEnum):
    """Who sent bytes; also an index into a pair."""

    CLIENT = 0
    """Who opened the TCP connection."""
    SERVER = 1

    @property
    def peer(self) -> Sender:
        """The other one."""
        return Sender(1 - self)

    @property
    def label(self) -> str:
        """`client` or `server`, as reasons and events spell it."""
        return self.name.lower()


class Message(StrEnum):
    """What can be seen; the value is the word of events and of the command line."""

    CLIENT_HELLO = "client-hello"
    HELLO_RETRY_REQUEST = "hello-retry-request"
    SERVER_HELLO = "server-hello"
    SERVER_CERTIFICATE = "server-certificate"
    CERTIFICATE_STATUS = "certificate-status"
    """A stapled OCSP response (RFC 6066 8)."""
    SERVER_KEY_EXCHANGE = "server-key-exchange"
    CERTIFICATE_REQUEST = "certificate-request"
    SERVER_HELLO_DONE = "server-hello-done"
    CLIENT_CERTIFICATE = "client-certificate"
    CLIENT_KEY_EXCHANGE = "client-key-exchange"
    CERTIFICATE_VERIFY = "certificate-verify"
    NEW_SESSION_TICKET = "new-session-ticket"
    CHANGE_CIPHER_SPEC = "change-cipher-spec"
    """Up to TLS 1.2 what its sender sends from here on is encrypted; in TLS 1.3 it means nothing (RFC 8446 D.4)."""
    CLIENT_FINISHED = "client-finished"
    """Up to TLS 1.2 the first handshake record behind ChangeCipherSpec. In TLS 1.3 the first encrypted record of a
    client that offered no early data, unless it is no longer than an alert: there begin its Certificate, if it was
    asked for one, CertificateVerify and Finished."""
    SERVER_FINISHED = "server-finished"
    """The first handshake record behind ChangeCipherSpec; up to TLS 1.2 only."""
    HELLO_REQUEST = "hello-request"
    """In clear, so before anything else was agreed."""
    ENCRYPTED_HANDSHAKE = "encrypted-handshake"
    """The first handshake record of its sender behind its Finished, up to TLS 1.2: renegotiation, most likely."""
    ENCRYPTED = "encrypted"
    """The first encrypted record of its sender in TLS 1.3, or early data; what is in it does not show.

    Its details say whether it is as short as an alert, and whether it may be early data, as its sender offered some."""
    ALERT = "alert"
    """Up to TLS 1.2 each of them; in TLS 1.3 those in clear."""
    APPLICATION_DATA = "application-data"
    """The first record of its sender with application data, up to TLS 1.2."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One message."""

    message: Message
    sender: Sender
    start: int
    """Offset in its sender's stream of the record in which it begins."""
    stop: int
    """Offset behind the record in which it ends."""
    details: Mapping[str, object]
    """What it says, ready for an event: texts, numbers, lists of texts."""
