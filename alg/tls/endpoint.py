"""One end of a TLS connection that is ours, on memory BIOs: cipher text in and out, clear text in and out.

Strategy: every call into OpenSSL ends in one of a few values; what OpenSSL calls an error becomes a `TlsFailure` with
OpenSSL's own words, and nothing else is raised, whatever the bytes. After a failure the endpoint is only drained.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from cryptography import x509
from OpenSSL import SSL

from alg.errors import SipalgError
from alg.tls.bindings import CertificateQuestion, verify_error
from alg.tls.names import alert_level_name, alert_name, version_name
from alg.tls.policy import Identity

UNEXPECTED_EOF: Final = "unexpected eof while reading"
"""OpenSSL's words, which pyOpenSSL replaces."""
_CHUNK: Final = 16 * 1024
"""Bytes of clear text that go into one record at most (RFC 8446 5.1)."""
_READ: Final = 16 * 1024
"""Bytes asked of OpenSSL at a time."""
_VERIFY_FAILED: Final = "certificate verify failed"


class TlsFailure(SipalgError):
    """OpenSSL gave up on a connection."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.detail = detail


class Progress(Enum):
    """How far a handshake is."""

    WAITING = "waiting"
    """For the peer."""
    SUSPENDED = "suspended"
    """For our certificate."""
    DONE = "done"


class End(Enum):
    """How a peer's clear text ended."""

    CLOSE_NOTIFY = "close-notify"
    TRUNCATED = "truncated"


class Notes:
    """What OpenSSL's callbacks need and leave, for one connection."""

    def __init__(self, key_log: Callable[[bytes], None] | None) -> None:
        self.key_log = key_log
        self.protocol: bytes | None = None
        """What we select in ALPN, as the server."""
        self.alerts: list[tuple[bool, str, str]] = []
        """Sent by us or received, level, description."""
        self.verify_error = 0
        """OpenSSL's number of why the peer's certificate is not accepted."""


def watch(context: SSL.Context) -> None:
    """Have alerts and keys of a context's connections written to their notes."""
    context.set_info_callback(_take_info)
    context.set_keylog_callback(_take_key)


def _take_info(connection: SSL.Connection, where: int, value: int) -> None:
    if where & SSL.SSL_CB_ALERT:
        notes: Notes = connection.get_app_data()
        sent = bool(where & SSL.SSL_CB_WRITE)
        notes.alerts.append((sent, alert_level_name(value >> 8), alert_name(value & 0xFF)))


def _take_key(connection: SSL.Connection, line: bytes) -> None:
    notes: Notes = connection.get_app_data()
    if notes.key_log is not None:
        notes.key_log(line)


class Endpoint:
    """One connection; as its server if `serves`."""

    def __init__(self, context: SSL.Context, serves: bool, notes: Notes) -> None:
        self.connection = SSL.Connection(context)
        self.connection.set_app_data(notes)
        self.notes = notes
        self.progress = Progress.WAITING
        self.end: End | None = None
        self.broken = False
        """OpenSSL gave up; what it left for the peer can be drained."""
        self.untouched = True
        """No byte has come from the peer."""
        self._clear: list[bytes] = []
        self._cut = False
        """The peer's TCP stream has ended."""
        self._question: CertificateQuestion | None = None
        if serves:
            self.connection.set_accept_state()
        else:
            self.connection.set_connect_state()

    @property
    def up(self) -> bool:
        """Whether the handshake is complete."""
        return self.progress is Progress.DONE

    def show(self, identity: Identity) -> None:
        """Show this certificate when the handshake comes to it, and behind it the context's chain.

        TlsFailure if it is too weak for the context's security level.
        """
        try:
            self.connection.use_certificate(identity.chain[0])
            self.connection.use_privatekey(identity.key)
        except SSL.Error as error:
            raise TlsFailure(words_of(error)) from None

    def listen_for_question(self, waits: bool) -> None:
        """Note when the server asks for our certificate; if `waits`, the handshake is suspended there."""
        self._question = CertificateQuestion(self.connection, waits)

    @property
    def asked(self) -> bool:
        """Whether the server has asked for our certificate."""
        return self._question is not None and self._question.asked

    def go_on(self) -> None:
        """End the suspension with what is to be shown, or nothing; `shake` goes on."""
        assert self._question is not None, "was suspended"
        self._question.go_on()

    def refuse(self) -> None:
        """End the suspension by failing: `internal_error` for the server; TlsFailure, as it is one."""
        assert self._question is not None, "was suspended"
        self._question.refuse()
        self.shake()

    def take(self, data: bytes) -> None:
        """Bytes that came from the peer; `shake` or `read` look at them."""
        if data:
            self.untouched = False
        view = memoryview(data)
        while view:
            view = view[self.connection.bio_write(view) :]

    def take_eof(self) -> None:
        """No more will come from the peer.

        Behind the handshake OpenSSL does not hear of it: it would take that for an error, and write no more either.
        """
        self._cut = True
        if not self.up:
            self.connection.bio_shutdown()

    def shake(self) -> Progress:
        """Go on with the handshake; TlsFailure if it fails."""
        try:
            self.connection.do_handshake()
        except SSL.WantReadError:
            self.progress = Progress.WAITING
        except SSL.WantX509LookupError:
            self.progress = Progress.SUSPENDED
        except SSL.Error as error:
            raise self._failure(error) from None
        else:
            self.progress = Progress.DONE
        return self.progress

    def read(self) -> None:
        """Decrypt what came; TlsFailure if that fails, behind what could be decrypted."""
        try:
            while self.end is None:
                self._clear.append(self.connection.recv(_READ))
        except SSL.WantReadError:
            self.end = End.TRUNCATED if self._cut else None
        except SSL.ZeroReturnError:
            self.end = End.CLOSE_NOTIFY
        except SSL.Error as error:
            raise self._failure(error) from None

    def write(self, clear: bytes) -> None:
        """Encrypt; TlsFailure if that is impossible by now."""
        view = memoryview(clear)
        try:
            while view:
                view = view[self.connection.send(view[:_CHUNK]) :]
        except SSL.Error as error:
            raise self._failure(error) from None

    def close(self) -> None:
        """Say close_notify; TlsFailure if that is impossible by now."""
        try:
            self.connection.shutdown()
        except SSL.Error as error:
            raise self._failure(error) from None

    def clear(self) -> bytes:
        """What was decrypted and not yet taken."""
        clear = b"".join(self._clear)
        self._clear.clear()
        return clear

    def drain(self) -> bytes:
        """Bytes for the peer."""
        pieces = []
        try:
            while True:
                pieces.append(self.connection.bio_read(_READ))
        except SSL.WantReadError:
            return b"".join(pieces)

    def peer_certificate(self) -> x509.Certificate | None:
        """What the peer has shown; ValueError if it cannot be read."""
        try:
            return self.connection.get_peer_certificate(as_cryptography=True)
        except x509.InvalidVersion as error:
            raise ValueError(str(error)) from error

    @property
    def version(self) -> str:
        """Such as `TLS 1.3`."""
        return version_name(self.connection.get_protocol_version())

    @property
    def cipher(self) -> str:
        """As OpenSSL calls it."""
        return self.connection.get_cipher_name() or ""

    @property
    def alpn(self) -> bytes | None:
        """The protocol that was agreed upon."""
        return self.connection.get_alpn_proto_negotiated() or None

    def _failure(self, error: SSL.Error) -> TlsFailure:
        self.broken = True
        if isinstance(error, SSL.SysCallError):
            return TlsFailure(UNEXPECTED_EOF)
        if isinstance(error, SSL.ZeroReturnError):
            return TlsFailure("close notify")
        reason, number = words_of(error), self.notes.verify_error
        return TlsFailure(reason, verify_error(number) if number and _VERIFY_FAILED in reason else "")


def words_of(error: SSL.Error) -> str:
    """What OpenSSL's error queue said first; what follows there are the callers of who said it."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return next((entry[-1] for entry in entries if entry[-1]), "failed without a reason")
