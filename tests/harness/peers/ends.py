"""One peer alone, for tests in which the other end is somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from itertools import count

from twisted.internet.defer import Deferred

from alg.edge.entrance import Address
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_peer import PeerSettings, TlsPeer
from harness.peers.tls_rows import GOOD, Situation
from harness.peers.tls_stage import inside_settings, outside_settings
from tests.harness.peers.turning import Turned

EXPRESSWAY, WEBEX = "127.0.0.2", "127.0.0.3"
NOW = datetime.now(UTC)


def now() -> datetime:
    """At all times the same."""
    return NOW


class Alone:
    """A peer with its log."""

    def __init__(self, turned: Turned, host: str, settings: PeerSettings, version: TlsVersion) -> None:
        self._turned = turned
        self._host = host
        self._log = StringIO()
        log = DiagnosticLog(self._log, "peer", now, X8_10)
        tokens = (f"token{number}" for number in count(1))
        settings = replace(settings, version=version)
        self.peer = TlsPeer(turned.reactor, settings, log, now, lambda: next(tokens))

    @property
    def log(self) -> str:
        """So far."""
        return self._log.getvalue()

    def listen(self) -> Address:
        """Where it does."""
        return self.peer.listen((self._host, 0))

    def connect(self, target: Address, timeout: float = 10.0) -> None:
        """From its own address."""
        self.peer.connect(self._host, target, timeout)

    def concluded(self) -> Meeting:
        """Its first connection, which has come to an end or has had its answer."""
        self._turned.until("the connection comes to an end", lambda: self.peer.concluded.called)
        return self.peer.meetings[0]

    def close(self) -> None:
        """It is gone."""
        self._turned.result(Deferred.fromCoroutine(self.peer.close()))


def expressway(
    turned: Turned, pki: Pki, situation: Situation = GOOD, version: TlsVersion = TlsVersion.TLS_1_2
) -> Alone:
    """Expressway-E."""
    return Alone(turned, EXPRESSWAY, inside_settings(situation, pki, version), version)


def webex(turned: Turned, pki: Pki, situation: Situation = GOOD, version: TlsVersion = TlsVersion.TLS_1_2) -> Alone:
    """Webex."""
    return Alone(turned, WEBEX, outside_settings(situation, pki, version), version)
