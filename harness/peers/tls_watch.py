"""What a capture at one side of a TLS connection shows, noted in the meeting of that side.

Strategy: bytes of both senders come in as they pass, and go to a `TlsObserver`, which tells the messages. It tells the
subject of a certificate, but no alternative names, by which peers are judged: so the first certificate of each sender
is read once more, for its names. It comes in clear up to TLS 1.2, before its sender's ChangeCipherSpec (RFC 5246 7.3).
"""

from __future__ import annotations

from typing import Final

from cryptography import x509

from alg.tls.framing import ContentType, HandshakeReader, RecordReader
from alg.tls.records import TlsObserver
from alg.tls.sightings import Sender
from alg.tls.vectors import FieldReader, TlsSyntaxError
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_trust import Names, names_of

_CERTIFICATE: Final = 11
"""Type of a handshake message (RFC 5246 7.4)."""
_ENCRYPTED: Final = {ContentType.CHANGE_CIPHER_SPEC, ContentType.APPLICATION_DATA}
"""From here on nothing more of a sender's handshake is in clear."""


class Watch:
    """Over one connection; nothing is raised, whatever the bytes."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._observer = TlsObserver()
        self._readers = {sender: _CertificateReader() for sender in Sender}

    def feed(self, sender: Sender, data: bytes) -> None:
        """Bytes have passed."""
        self._meeting.seen += self._observer.feed(sender, data)
        names = self._readers[sender].feed(data)
        if names is not None:
            self._meeting.names[sender] = names


class _CertificateReader:
    """Looks for the first certificate in one sender's stream."""

    def __init__(self) -> None:
        self._records = RecordReader()
        self._handshake = HandshakeReader()
        self._over = False
        """It has come, or will not come any more."""

    def feed(self, data: bytes) -> Names | None:
        """Its names, once it has come; none at all in one that cannot be read, and where none is shown."""
        if self._over:
            return None
        try:
            chain = self._find(data)
            return None if chain is None else _names(chain)
        except TlsSyntaxError:
            self._over = True
            return None

    def _find(self, data: bytes) -> bytes | None:
        """The body of the message."""
        for record in self._records.feed(data):
            if record.kind in _ENCRYPTED:
                self._over = True
                return None
            for message in self._handshake.feed(record):
                if message.number == _CERTIFICATE:
                    self._over = True
                    return message.body
        return None


def _names(chain: bytes) -> Names:
    certificate = next(FieldReader(chain).vector(3).opaques(3), b"")
    try:
        return names_of(x509.load_der_x509_certificate(certificate))
    except (ValueError, x509.InvalidVersion):
        return Names("", ())
