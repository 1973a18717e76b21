"""Watches a TLS connection without keys: which messages pass, and what those in clear say.

Strategy: the bytes of both senders come in as they pass, in any segmentation; out come `Sighting`s, in the order in
which the records end. Nothing is decrypted and nothing is guessed: up to TLS 1.2 a sender's handshake is in clear until
its ChangeCipherSpec, and the record behind that is its Finished (RFC 5246 7.3); in TLS 1.3 all is encrypted from the
ServerHello on and says so in the type of its record (RFC 8446 2, 5.2). The one thing taken from the order of records is
where the client's last flight begins.

Whoever watches changes nothing, so bytes that are no TLS are no error: the observer says in `not_tls` why it stopped,
and looks at nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping

from alg.tls.certificates import certificate_details, certificate_request_details
from alg.tls.framing import (
    LONGEST_RECORD_1_3,
    ContentType,
    HandshakeMessage,
    HandshakeReader,
    RecordReader,
    WireRecord,
)
from alg.tls.hello import ClientHello, read_client_hello, read_server_hello, resembles_tls_1_3
from alg.tls.names import alert_level_name, alert_name, version_name
from alg.tls.sightings import Message, Sender, Sighting
from alg.tls.vectors import TlsSyntaxError

_HANDSHAKE_MESSAGES = {
    (0, Sender.SERVER): Message.HELLO_REQUEST,
    (1, Sender.CLIENT): Message.CLIENT_HELLO,
    (2, Sender.SERVER): Message.SERVER_HELLO,
    (4, Sender.SERVER): Message.NEW_SESSION_TICKET,
    (11, Sender.SERVER): Message.SERVER_CERTIFICATE,
    (11, Sender.CLIENT): Message.CLIENT_CERTIFICATE,
    (12, Sender.SERVER): Message.SERVER_KEY_EXCHANGE,
    (13, Sender.SERVER): Message.CERTIFICATE_REQUEST,
    (14, Sender.SERVER): Message.SERVER_HELLO_DONE,
    (15, Sender.CLIENT): Message.CERTIFICATE_VERIFY,
    (16, Sender.CLIENT): Message.CLIENT_KEY_EXCHANGE,
    (22, Sender.SERVER): Message.CERTIFICATE_STATUS,
}
"""By handshake type and sender, what comes in clear (RFC 5246 7.4); of others nothing is said."""

_FINISHED = {Sender.CLIENT: Message.CLIENT_FINISHED, Sender.SERVER: Message.SERVER_FINISHED}
_ALERT_SIZES = frozenset((2 + 1 + 8, 2 + 1 + 16))
"""Bytes of an encrypted alert in TLS 1.3 without padding: the alert, its content type, and the tag of the cipher suite
(RFC 8446 5.2; eight bytes with CCM_8, else 16). A last flight begins with more: an empty Certificate has eight."""


class _Half:
    """What is known of one sender's stream."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.records = RecordReader()
        self.handshake = HandshakeReader()
        self.seen: set[Message] = set()
        """What was reported, of messages that are reported once."""


class TlsObserver:
    """One TCP connection, which may be a TLS one."""

    def __init__(self) -> None:
        self.version: str | None = None
        """Such as `TLS 1.3`, once the server chose it."""
        self.sni: str | None = None
        """The name that the client asked for."""
        self.not_tls: str | None = None
        """Why it stopped looking, once it has."""
        self._number = 0
        """The version as a number, 0 before the server chose it."""
        self._keys_agreed = False
        """A TLS 1.3 ServerHello has come."""
        self._hello: ClientHello | None = None
        """The client's latest."""
        self._halves = [_Half(sender) for sender in Sender]

    @property
    def held(self) -> int:
        """Bytes kept until the rest of what they belong to comes."""
        return sum(half.records.held + half.handshake.held for half in self._halves)

    def feed(self, sender: Sender, data: bytes) -> list[Sighting]:
        """What has passed now that `data` has; nothing is raised, whatever the bytes."""
        sightings: list[Sighting] = []
        if self.not_tls is not None:
            return sightings
        half = self._halves[sender]
        try:
            for record in half.records.feed(data):
                if record.length:
                    self._take(half, record, sightings)
        except TlsSyntaxError as error:
            self.not_tls = str(error) if sender is Sender.CLIENT else f"{error} (server)"
            self._halves = []
        return sightings

    def _take(self, half: _Half, record: WireRecord, sightings: list[Sighting]) -> None:
        """Append what a record shows."""
        match record.kind:
            case ContentType.HANDSHAKE if half.records.in_clear:
                for message in half.handshake.feed(record):
                    self._take_message(half, message, record, sightings)
            case ContentType.HANDSHAKE:
                finished = _FINISHED[half.sender]
                _see(half, Message.ENCRYPTED_HANDSHAKE if finished in half.seen else finished, record, sightings)
            case ContentType.CHANGE_CIPHER_SPEC:
                self._change_cipher_spec(half, record, sightings)
            case ContentType.APPLICATION_DATA:
                self._take_data(half, record, sightings)
            case ContentType.ALERT:
                details = _alert_details(record)
                sightings.append(Sighting(Message.ALERT, half.sender, record.start, record.stop, details))

    def _take_message(
        self, half: _Half, message: HandshakeMessage, record: WireRecord, sightings: list[Sighting]
    ) -> None:
        """Append a handshake message in clear that ends in `record`."""
        name = _HANDSHAKE_MESSAGES.get((message.number, half.sender))
        if name is None or self._keys_agreed:
            return
        try:
            name, details = self._read(name, message.body)
        except TlsSyntaxError as error:
            raise TlsSyntaxError(f"malformed {name} at offset {message.start}: {error}") from error
        sightings.append(Sighting(name, half.sender, message.start, record.stop, details))

    def _read(self, name: Message, body: bytes) -> tuple[Message, dict[str, object]]:
        """The message's name, which may turn out to be another one, and what it says."""
        match name:
            case Message.CLIENT_HELLO:
                self._hello = read_client_hello(body)
                self.sni = self._hello.sni if self.sni is None else self.sni
                return name, self._hello.details
            case Message.SERVER_HELLO:
                chosen = read_server_hello(body)
                self._choose(chosen.version, final=not chosen.retry)
                return Message.HELLO_RETRY_REQUEST if chosen.retry else name, chosen.details(self._hello)
            case Message.SERVER_CERTIFICATE | Message.CLIENT_CERTIFICATE:
                return name, certificate_details(body)
            case Message.CERTIFICATE_REQUEST:
                return name, certificate_request_details(body, self._number)
        return name, {}

    def _choose(self, number: int, final: bool) -> None:
        """The server chose a version; `final` if it agreed on keys as well."""
        self._number, self.version = number, version_name(number)
        if resembles_tls_1_3(number):
            self._keys_agreed = final
            for half in self._halves:
                half.records.longest = LONGEST_RECORD_1_3

    def _change_cipher_spec(self, half: _Half, record: WireRecord, sightings: list[Sighting]) -> None:
        """One in clear is reported; up to TLS 1.2 it was the last record in clear.

        A client may send one before it knows the version, which means nothing either (RFC 8446 D.4).
        """
        if not half.records.in_clear:
            return
        if self._number and not resembles_tls_1_3(self._number):
            half.handshake.expect_none_held()
            half.records.in_clear = False
            half.seen.discard(Message.CHANGE_CIPHER_SPEC)
        _see(half, Message.CHANGE_CIPHER_SPEC, record, sightings)

    def _take_data(self, half: _Half, record: WireRecord, sightings: list[Sighting]) -> None:
        """Application data, or in TLS 1.3 whatever is encrypted."""
        from_client = half.sender is Sender.CLIENT
        early = from_client and half.records.in_clear and self._hello is not None and self._hello.early_data
        if not (self._keys_agreed or early):
            _see(half, Message.APPLICATION_DATA, record, sightings, {"length": record.length})
            return
        alert_size = record.length in _ALERT_SIZES
        details = {"length": record.length, "alert_size": alert_size, "early_data": early}
        _see(half, Message.ENCRYPTED, record, sightings, details)
        if from_client and not early and not alert_size:
            _see(half, Message.CLIENT_FINISHED, record, sightings, {"by": "record order"})


def _see(
    half: _Half,
    message: Message,
    record: WireRecord,
    sightings: list[Sighting],
    details: Mapping[str, object] | None = None,
) -> None:
    """Append what is one record, if it is the first of its kind from this sender."""
    if message not in half.seen:
        half.seen.add(message)
        sightings.append(Sighting(message, half.sender, record.start, record.stop, details or {}))


def _alert_details(record: WireRecord) -> dict[str, object]:
    """Level and description (RFC 8446 6, RFC 5246 7.2)."""
    if not record.contents:
        word = "encrypted" if record.length > 1 else "incomplete"
        return {"level": word, "description": word}
    level, description = record.contents
    return {"level": alert_level_name(level), "description": alert_name(description)}
