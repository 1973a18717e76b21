"""Two sessions joined in memory: bytes are carried to and fro in pieces, and endings are obeyed as TCP would."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from io import StringIO

from alg.tls.endpoint import Notes
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_peer import PeerSettings
from harness.peers.tls_rows import GOOD, Situation
from harness.peers.tls_session import Ending, Output, TlsSession
from harness.peers.tls_stage import inside_settings, outside_settings
from tests.harness.peers.ends import now

INSIDE, OUTSIDE = ("172.16.2.2", 5062), ("146.20.193.45", 33441)


@dataclass
class End:
    """One session, and what it wants sent."""

    settings: PeerSettings
    serves: bool
    log: StringIO = field(default_factory=StringIO)
    sending: deque[bytes] = field(default_factory=deque)
    sent: bytes = b""
    ending: Ending = Ending.STAY

    def __post_init__(self) -> None:
        settings = self.settings
        context = PeerContexts(settings.identity, settings.trust, settings.version, now).new()
        log = DiagnosticLog(self.log, "peer", now, X8_10)
        meeting, notes = Meeting(self.serves), Notes(None)
        self.session = TlsSession(meeting, context, settings.trust, settings.called, log, "token", notes)

    @property
    def meeting(self) -> Meeting:
        """What it saw."""
        return self.session.meeting

    @property
    def said(self) -> str:
        """Its log."""
        return self.log.getvalue()

    def obey(self, output: Output) -> None:
        """What it wants."""
        if output.send:
            self.sending.append(output.send)
            self.sent += output.send
        if output.ending is not Ending.STAY and self.ending is Ending.STAY:
            self.ending = output.ending


class Pair:
    """Expressway-E and Webex."""

    def __init__(
        self,
        pki: Pki,
        situation: Situation = GOOD,
        version: TlsVersion = TlsVersion.TLS_1_2,
        piece: int = 1 << 20,
    ) -> None:
        self.inside = End(inside_settings(situation, pki, version), situation.inbound)
        self.outside = End(outside_settings(situation, pki, version), not situation.inbound)
        self.client, self.server = (self.inside, self.outside)[:: -1 if situation.inbound else 1]
        self._piece = piece
        self._told: set[int] = set()
        self.inside.obey(self.inside.session.opened(INSIDE, OUTSIDE))
        self.outside.obey(self.outside.session.opened(OUTSIDE, INSIDE))

    def run(self) -> Pair:
        """Until nothing moves."""
        while any(self.step(end) for end in (self.client, self.server)):
            pass
        return self

    def step(self, sender: End) -> bool:
        """Carry what somebody has to send; whether that was anything."""
        receiver = self.server if sender is self.client else self.client
        if sender.sending:
            data = sender.sending.popleft()
            for at in range(0, len(data), self._piece):
                receiver.obey(receiver.session.feed(data[at : at + self._piece]))
            return True
        if sender.ending is Ending.STAY or id(sender) in self._told:
            return False
        self._told.add(id(sender))
        receiver.session.lost(Loss.RESET if sender.ending is Ending.RESET else Loss.EOF)
        if sender.ending is Ending.CLOSE:
            receiver.obey(receiver.session.hang_up())
        return True
