"""TLS of an Expressway's SIP connections: who is let in, into which zone, and what the log says of the handshake.

Strategy: a `harness.sip.security.Layer`. OpenSSL's output is held until it is known what the other side's certificate
is worth: a refusal goes out as OpenSSL's alert, a dismissal as a reset in place of the whole flight (seed 003, mutual
TLS, problems 1, 2 and 6). A port that asks for no certificate lets in whoever can speak TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from OpenSSL import SSL

from alg.tls.endpoint import Endpoint, Notes, Progress, TlsFailure
from harness.expressway.log import tls as lines
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.tls_trust import (
    Admission,
    Certificates,
    Dismissal,
    Names,
    Refusal,
    Trust,
    names_of,
    refusal_of,
)
from harness.peers.tls_verdict import Verdict
from harness.peers.tls_words import told
from harness.sip.flow import Loss
from harness.sip.security import Encrypted, Ending, Step
from harness.sip.uri import Address

Admitted = Callable[[Address, Address, str], None]
"""Hears of both ends of a connection, ours first, and of the zone that its certificate puts it into."""


@dataclass(frozen=True, slots=True)
class PeerTrust:
    """Whom a zone with known peers lets in: a traversal zone or a neighbor zone."""

    trusted: Certificates
    """Trusted CA certificate list."""
    zone: str
    verify: bool
    """SIP TLS Verify Mode"""
    subject: str
    """What the certificate has to name: TLS Verify Subject Name of a server, the peer's address for a client."""

    @property
    def anchors(self) -> Certificates:
        """The trusted CA certificate list."""
        return self.trusted

    @property
    def partial(self) -> bool:
        """A chain needs its root."""
        return False

    def refuse(self, objection: int, names: Names, inbound: bool) -> Refusal | None:
        """A chain that leads to none of the CAs, if the zone verifies."""
        return refusal_of(objection) if objection and self.verify else None

    def admit(self, names: Names, inbound: bool) -> Admission | Dismissal:
        """By the name, if the zone verifies."""
        if self.verify and self.subject.lower() not in map(str.lower, names.all):
            return Dismissal(f"{self.zone}: {self.subject} is no name of {names.common_name}")
        return Admission(self.zone)


class ExpresswayLayer(Encrypted):
    """One side of one connection; a `Layer`."""

    def __init__(
        self,
        context: SSL.Context,
        trust: Trust | None,
        serves: bool,
        called: str,
        log: DiagnosticLog,
        admitted: Admitted,
        key_log: Callable[[bytes], None] | None = None,
    ) -> None:
        """Without `trust` no certificate is asked for; `called` is the name that a client asks for."""
        self._trust = trust
        self._serves = serves
        self._called = called
        self._log = log
        self._on_admitted = admitted
        self._notes = Notes(key_log)
        super().__init__(Endpoint(context, serves, self._notes))
        self._verdict = Verdict(self._endpoint.connection, self._judge) if trust is not None else None
        self._ends: tuple[Address, Address] = ("", 0), ("", 0)
        self._names = Names("", ())
        self._objections: tuple[str, ...] = ()
        self._admission: Admission | None = None
        self._waited = False
        self._established = False

    @property
    def up(self) -> bool:
        """The handshake is complete, and nothing has failed."""
        return self._established and not self._over

    def opened(self, local: Address, remote: Address) -> Step:
        """A client begins."""
        self._ends = local, remote
        if self._serves:
            return Step()
        if self._called and not self._called.replace(".", "").isdigit():
            self._endpoint.connection.set_tlsext_host_name(self._called.encode("ascii", "ignore"))
        return self._go_on()

    def feed(self, data: bytes) -> Step:
        """As far as it goes."""
        if self._over:
            return Step()
        self._endpoint.take(data)
        return self._go_on()

    def lost(self, loss: Loss) -> None:
        """In the middle of a handshake this is a failure of TLS; behind it, of TCP alone."""
        if not self._over:
            self._fail(lines.REMOTE_DISCONNECT)

    def _judge(self, objection: int, certificate: x509.Certificate) -> int:
        assert self._trust is not None, "asks for a certificate"
        self._names = names_of(certificate)
        refusal = self._trust.refuse(objection, self._names, self._serves)
        if refusal is None:
            return 0
        self._objections = refusal.reasons
        return refusal.error

    def _go_on(self) -> Step:
        endpoint = self._endpoint
        try:
            if not endpoint.up:
                progress = endpoint.shake()
                if self._dismissed():
                    return Step(ending=Ending.RESET, failure=self._fail(lines.IDENTITY_UNACCEPTABLE))
                if progress is not Progress.DONE:
                    self._wait()
                    return Step(endpoint.drain())
                self._establish()
            endpoint.read()
        except TlsFailure as failure:
            reason = self._fail(told(failure, self._notes, "; ".join(self._objections), self._serves))
            return Step(endpoint.drain(), endpoint.clear(), Ending.CLOSE, reason)
        if endpoint.end is not None:
            return Step(endpoint.drain(), endpoint.clear(), Ending.CLOSE)
        return Step(endpoint.drain(), endpoint.clear())

    def _dismissed(self) -> bool:
        """Nothing is wrong with the certificate, and still there is no zone for it."""
        if self._trust is None or self._verdict is None or self._verdict.accepted is None or self._admission:
            return False
        admission = self._trust.admit(self._names, self._serves)
        if isinstance(admission, Dismissal):
            return True
        self._admission = admission
        return False

    def _wait(self) -> None:
        if not self._waited:
            self._waited = True
            self._log.write(lines.handshake_in_progress())

    def _establish(self) -> None:
        self._established = True
        names, admission = self._names, self._admission
        self._log.write(lines.handshake_succeeded(), *lines.peer_names(names.common_name, names.alt_names))
        if admission is None:
            return
        if admission.subject:
            found = admission.subject, admission.zone
            self._log.write(*lines.mapped_to_dns_zone(names.common_name, names.alt_names, *found))
        self._on_admitted(*self._ends, admission.zone)

    def _fail(self, failure: lines.TlsFailure) -> str:
        """It is over; the log says why, but for the end of the TCP connection, which is still to come."""
        self._over = True
        if self._established:
            return failure.closed
        local, remote = self._ends
        gave_up = [lines.handshake_failed()] if failure.error == 1 else []
        if self._serves:
            event, *rest, _ = lines.inbound_failure(failure, local, remote)
            self._log.write(event, *gave_up, *rest)
        else:
            *said, _ = lines.outbound_failure(failure, local, remote, self._called)
            self._log.write(*gave_up, *said)
        return failure.closed
