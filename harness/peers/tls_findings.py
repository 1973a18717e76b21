"""What came of a situation, which of a mistake's signs are in it, and whether a row went as it should.

Strategy: everything expected becomes a `Finding` that says what was found; a row has passed if all of them are as
expected, and its reasons are those that are not. A mistake has to show all its signs and keep SIP from crossing; the
cure has to let SIP cross and show none.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.tls.policy import TlsVersion
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_rows import Row, Signs
from harness.peers.tls_trust import Names

_NONE = "none"
_ABSENT = "not there"
STANDS = "stands"
"""Of a connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence, expected and found."""

    what: str
    expected: str
    found: str

    @property
    def shown(self) -> bool:
        """It is there."""
        return self.expected == self.found

    def __str__(self) -> str:
        if self.shown:
            return f"{self.what}: {self.found}"
        return f"{self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a situation."""

    log_inside: str
    """Expressway-E's diagnostic log."""
    log_outside: str
    """Webex's, told in the same shape."""
    inside: Meeting
    outside: Meeting
    version: TlsVersion
    capture: bytes = b""
    """Of both sides of the firewall, as pcapng, with what decrypts it. Empty if another firewall was led through."""
    connection: str = STANDS
    """Whether there was a TCP connection from one peer to the other; else who did not take part in one, and why."""

    @property
    def succeeded(self) -> bool:
        """A SIP request and its response crossed, as both sides know."""
        return self.inside.answered and self.outside.answered

    def of_mistake(self, signs: Signs) -> list[Finding]:
        """Each sign of a mistake. Of the wire, what arrived in clear: TLS 1.3 hides certificates and alerts."""
        found = [self._connected()]
        found += [Finding("log of Expressway-E", text, self._logged(text)) for text in signs.log]
        found.append(self._crossed("no"))
        found += self._named(signs)
        if self.version is TlsVersion.TLS_1_2:
            found.append(Finding("alert", _sent(signs.alert), _sent(self._alert())))
            chain = _count(self.outside.chains[1])
            found.append(Finding("certificates from Expressway-E", _count(signs.chain_inside), chain))
        found.append(Finding("reset", signs.reset_by or _NONE, self._reset()))
        found.append(Finding("Webex hears of the end", _yes(not signs.quiet_outside), _yes(not self._silent())))
        return found

    def of_cure(self, signs: Signs) -> list[Finding]:
        """That SIP crosses, and that the mistake is gone from the log and from the wire."""
        found = [Finding(f"log of Expressway-E, {text}", _ABSENT, self._logged(text)) for text in signs.log]
        return [
            self._connected(),
            self._crossed("yes"),
            *self._named(signs),
            *found,
            Finding("alert", _NONE, _sent(self._alert())),
            Finding("reset", _NONE, self._reset()),
        ]

    def _silent(self) -> bool:
        """Webex waits, for all that it knows."""
        end = self.outside
        return end.loss is Loss.NOT and end.failure is None and end.alert is None and not end.answered

    def _logged(self, text: str) -> str:
        return text if text in self.log_inside else _ABSENT

    def _crossed(self, expected: str) -> Finding:
        return Finding("SIP request answered", expected, _yes(self.succeeded))

    def _connected(self) -> Finding:
        return Finding("TCP connection", STANDS, self.connection)

    def _named(self, signs: Signs) -> list[Finding]:
        """Whether Webex's certificate is the right one, if that matters and can be seen."""
        name = signs.names_outside
        if not name or self.version is not TlsVersion.TLS_1_2:
            return []
        return [Finding(f"Webex's certificate names {name}", _yes(True), _naming(self.outside.own_names, name))]

    def _alert(self) -> tuple[str, str] | None:
        """The one that arrived, and who sent it."""
        for sender, receiver in (("inside", self.outside), ("outside", self.inside)):
            if receiver.alert is not None and not receiver.alert[0]:
                return sender, receiver.alert[1]
        return None

    def _reset(self) -> str:
        """The one that arrived, and whose it is; none that follows an alert, which has ended the connection.

        A firewall resets whoever connects through it and reaches nobody: that is no reset of a connection.
        """
        if self.connection != STANDS:
            return _NONE
        for name, end, other in (("inside", self.inside, self.outside), ("outside", self.outside, self.inside)):
            if end.dismissed and other.loss is Loss.RESET:
                return f"{name}, behind its Finished" if end.finished else name
        ends = {"inside": self.inside, "outside": self.outside}
        sides = [name for name, end in ends.items() if end.loss is Loss.RESET and end.alert is None]
        return f"towards {' and '.join(sides)}" if sides else _NONE


@dataclass(frozen=True, slots=True)
class RowRun:
    """A row that was run."""

    row: Row
    fixed: bool
    """With the cure."""
    outcome: Outcome

    @property
    def evidence(self) -> list[Finding]:
        """Everything that was looked at."""
        return (self.outcome.of_cure if self.fixed else self.outcome.of_mistake)(self.row.signs)

    @property
    def passed(self) -> bool:
        """The mistake shows as it does in the field, or the cure helps."""
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why it has not passed."""
        return [str(finding) for finding in self.evidence if not finding.shown]


def _sent(alert: tuple[str, str] | None) -> str:
    return f"{alert[1]} from {alert[0]}" if alert is not None else _NONE


def _count(chain: int) -> str:
    """Certificates; how many make a chain is a CA's own business."""
    return str(chain) if chain < 2 else "several"


def _naming(shown: Names | None, name: str) -> str:
    """Whether a certificate has a name, by the product's rule: as its CN or as a SAN, to the letter."""
    if shown is None:
        return "it was not seen"
    if name.lower() in map(str.lower, shown.all):
        return _yes(True)
    return f"no, it is that of {shown.all[0]}" if shown.all else "no, it names nobody"


def _yes(whether: bool) -> str:
    return "yes" if whether else "no"
