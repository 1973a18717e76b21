"""What came of a situation, and which of a mistake's signs are in it."""

from __future__ import annotations

from dataclasses import dataclass

from alg.tls.policy import TlsVersion
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_rows import Signs


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of a mistake, expected and found."""

    what: str
    expected: str
    found: str

    @property
    def shown(self) -> bool:
        """It is there."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of a situation."""

    log_inside: str
    """Expressway-E's diagnostic log."""
    log_outside: str
    """Webex's, told in the same shape."""
    inside: Meeting
    outside: Meeting
    version: TlsVersion

    @property
    def succeeded(self) -> bool:
        """A SIP request and its response crossed, as both sides know."""
        return self.inside.answered and self.outside.answered

    def findings(self, signs: Signs) -> list[Finding]:
        """Each sign, expected and found. Of the wire, what arrived in clear: TLS 1.3 hides certificates and alerts."""
        found = [Finding("log", text, text if text in self.log_inside else "not there") for text in signs.log]
        if self.version is TlsVersion.TLS_1_2:
            found.append(Finding("alert", _sent(signs.alert), _sent(self._alert())))
            chain = self.outside.chains[1]
            found.append(Finding("certificates from Expressway-E", str(signs.chain_inside), str(chain)))
        found.append(Finding("reset", signs.reset_by or "none", self._reset() or "none"))
        silent = self.outside.loss is Loss.NOT and self.outside.failure is None and not self.outside.answered
        found.append(Finding("Webex hears of it", _yes(not signs.quiet_outside), _yes(not silent)))
        return found

    def shows(self, signs: Signs) -> bool:
        """All of the signs are there."""
        return all(finding.shown for finding in self.findings(signs))

    def _alert(self) -> tuple[str, str] | None:
        """The one that arrived, and who sent it."""
        for sender, receiver in (("inside", self.outside), ("outside", self.inside)):
            if receiver.alert is not None and not receiver.alert[0]:
                return sender, receiver.alert[1]
        return None

    def _reset(self) -> str:
        """The one that arrived, and whose it is."""
        if self.inside.dismissed and self.outside.loss is Loss.RESET:
            return "inside"
        sides = [name for name in ("inside", "outside") if getattr(self, name).loss is Loss.RESET]
        return f"towards {' and '.join(sides)}" if sides else ""


def _sent(alert: tuple[str, str] | None) -> str:
    return f"{alert[1]} from {alert[0]}" if alert is not None else "none"


def _yes(whether: bool) -> str:
    return "yes" if whether else "no"
