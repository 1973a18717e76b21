"""One side of one mutual TLS connection, on memory: bytes in, bytes and endings out, everything noted and logged.

Strategy: OpenSSL's output is held until it is known what the other side's certificate is worth: a refusal goes out as
OpenSSL's alert, a dismissal as a reset in place of the whole flight. What follows a good handshake is one OPTIONS and
its 200. The `Meeting` and the log say the same.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from OpenSSL import SSL

from alg.tls.endpoint import Endpoint, Notes, Progress, TlsFailure
from alg.tls.framing import RecordReader
from alg.tls.sightings import Sender
from alg.tls.vectors import TlsSyntaxError
from harness.expressway.log import network, tls
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import Address, Entry, Event
from harness.peers.options import OptionsExchange
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_trust import Dismissal, Names, Refusal, Trust, names_of
from harness.peers.tls_verdict import Verdict
from harness.peers.tls_watch import Watch
from harness.peers.tls_words import told

_TLS_1_3 = "TLS 1.3"


class Ending(Enum):
    """What becomes of the TCP connection behind what is sent."""

    STAY = "stay"
    CLOSE = "close"
    """No more is sent; the other side's end is awaited, so that what it sent meanwhile does not turn into a reset."""
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Output:
    """What is to be done now."""

    send: bytes = b""
    ending: Ending = Ending.STAY


class TlsSession:
    """One side, from `opened` to `lost`."""

    def __init__(
        self,
        meeting: Meeting,
        context: SSL.Context,
        trust: Trust,
        called: str,
        log: DiagnosticLog,
        token: str,
        notes: Notes,
    ) -> None:
        self.meeting = meeting
        self.over = False
        """It failed, or the other side has gone."""
        self._trust = trust
        self._called = called
        """The name that a client asks for."""
        self._log = log
        self._token = token
        self._notes = notes
        self._endpoint = Endpoint(context, meeting.serves, notes)
        self._verdict = Verdict(self._endpoint.connection, self._judge)
        self._names = Names("", ())
        """Those of the other side."""
        self._subject = ""
        """The one by which it came into its zone."""
        self._admitted = False
        self._waited = False
        self._talk = OptionsExchange(("", 0), ("", 0), token)
        self._watch = Watch(meeting)
        self._records = RecordReader()
        """Of what comes in."""

    def opened(self, local: Address, remote: Address) -> Output:
        """The TCP connection stands."""
        meeting = self.meeting
        meeting.local, meeting.remote = local, remote
        self._talk = OptionsExchange(local, remote, self._token)
        if meeting.serves:
            self._log.write(network.tcp_connecting(remote, local), network.tcp_established(remote, local))
            return Output()
        self._log.write(network.tcp_established(local, remote))
        self._endpoint.connection.set_tlsext_host_name(self._called.encode("ascii"))
        return self._go_on(0)

    def feed(self, data: bytes) -> Output:
        """Bytes from the other side."""
        if self.over:
            return Output()
        self._note(data, ours=False)
        records = self._count_records(data) if self._endpoint.up else 0
        self._endpoint.take(data)
        return self._go_on(records)

    def lost(self, loss: Loss) -> None:
        """The other side sends no more, or has broken the connection off."""
        if self.meeting.loss is Loss.NOT:
            self.meeting.loss = loss
        if not self.over:
            self._fail(tls.REMOTE_DISCONNECT)

    def hang_up(self) -> Output:
        """End it in order."""
        goodbye = b"" if self.over else self._say_goodbye()
        self.over = True
        return Output(goodbye, Ending.CLOSE)

    @property
    def concluded(self) -> bool:
        """Nothing is to be expected any more."""
        return self.over or self.meeting.answered

    def _judge(self, objection: int, certificate: x509.Certificate) -> int:
        self._names = names_of(certificate)
        refusal: Refusal | None = self._trust.refuse(objection, self._names, self.meeting.serves)
        if refusal is None:
            return 0
        self.meeting.objections = refusal.reasons
        return refusal.error

    def _go_on(self, records: int) -> Output:
        """As far as what has come goes; `records` of it came behind the handshake."""
        try:
            if not self._endpoint.up:
                progress = self._endpoint.shake()
                dismissal = self._dismissal()
                if dismissal is not None:
                    return self._dismiss(dismissal)
                if progress is not Progress.DONE:
                    return Output(self._wait())
                self._finish_handshake()
            self._endpoint.read()
            clear = self._endpoint.clear()
            goodbyes = int(self._endpoint.end is not None)
            if clear or records > goodbyes:
                self._establish()
            self._converse(clear)
        except TlsFailure as failure:
            self._fail(told(failure, self._notes, "; ".join(self.meeting.objections), self.meeting.serves))
            return Output(self._drain(), Ending.CLOSE)
        if self._endpoint.end is None:
            return Output(self._drain())
        goodbye = self._say_goodbye()
        self.lost(Loss.EOF)
        return Output(goodbye, Ending.CLOSE)

    def _wait(self) -> bytes:
        """More has to come."""
        if not self._waited:
            self._waited = True
            self._log.write(tls.handshake_in_progress())
        return self._drain()

    def _dismissal(self) -> Dismissal | None:
        """Why there is no going on with somebody whose certificate was accepted."""
        if self._admitted or self._verdict.accepted is None:
            return None
        admission = self._trust.admit(self._names, self.meeting.serves)
        if isinstance(admission, Dismissal):
            return admission
        self._admitted = True
        self.meeting.zone, self._subject = admission.zone, admission.subject
        return None

    def _dismiss(self, dismissal: Dismissal) -> Output:
        self.meeting.objections = (dismissal.reason,)
        self.meeting.dismissed = True
        self._fail(tls.IDENTITY_UNACCEPTABLE)
        return Output(ending=Ending.RESET)

    def _finish_handshake(self) -> None:
        """This side has all it needs."""
        if self.meeting.serves or self._endpoint.version != _TLS_1_3:
            self._establish()
        if not self.meeting.serves:
            request = self._talk.request()
            self._endpoint.write(request)
            self._log.sent(self.meeting.local, self.meeting.remote, request)

    def _establish(self) -> None:
        """The other side is known to have accepted this one."""
        if self.meeting.established:
            return
        self.meeting.established = True
        names = self._names
        self._log.write(tls.handshake_succeeded(), *tls.peer_names(names.common_name, names.alt_names))
        if self._subject:
            zone = self.meeting.zone
            self._log.write(*tls.mapped_to_dns_zone(names.common_name, names.alt_names, self._subject, zone))

    def _converse(self, clear: bytes) -> None:
        """Whatever was decrypted."""
        local, remote = self.meeting.local, self.meeting.remote
        for heard in self._talk.feed(clear):
            self._log.received(local, remote, heard.message)
            if heard.reply is not None:
                self._endpoint.write(heard.reply)
                self._log.sent(local, remote, heard.reply)
        self.meeting.answered = self._talk.complete

    def _fail(self, failure: tls.TlsFailure) -> None:
        """It is over, and the log says why."""
        self.over = True
        if self.meeting.established:
            self._log.write(self._closed(failure.closed))
        else:
            self.meeting.failure = failure
            self._log.write(*self._failure_lines(failure))

    def _failure_lines(self, failure: tls.TlsFailure) -> list[Entry | Event]:
        """With the line that the product has where its TLS library gave up."""
        gave_up = [tls.handshake_failed()] if failure.error == 1 else []
        local, remote = self.meeting.local, self.meeting.remote
        if self.meeting.serves:
            event, *rest = tls.inbound_failure(failure, local, remote)
            return [event, *gave_up, *rest]
        return [*gave_up, *tls.outbound_failure(failure, local, remote, self._called)]

    def _closed(self, reason: str) -> Entry:
        local, remote = self.meeting.local, self.meeting.remote
        source, destination = (remote, local) if self.meeting.serves else (local, remote)
        return network.tcp_closed(source, destination, reason)

    def _say_goodbye(self) -> bytes:
        if self._endpoint.up:
            with suppress(TlsFailure):
                self._endpoint.close()
        return self._drain()

    def _drain(self) -> bytes:
        """Bytes for the other side."""
        data = self._endpoint.drain()
        self._note(data, ours=True)
        return data

    def _note(self, data: bytes, ours: bool) -> None:
        sender = Sender.SERVER if ours is self.meeting.serves else Sender.CLIENT
        self._watch.feed(sender, data)

    def _count_records(self, data: bytes) -> int:
        """TLS records that end in these bytes; bytes that are none are OpenSSL's to complain about."""
        try:
            return sum(1 for _ in self._records.feed(data))
        except TlsSyntaxError:
            return 0
