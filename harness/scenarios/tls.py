"""Mutual TLS between Expressway-E and Webex on port 5062: problems 1 to 7 of the guide to hybrid calls (seed 003).

Strategy: situation, cure and signs are the rows of `harness.peers.tls_rows`, which are judged by what `Outcome` finds;
here they are told, and get the addresses of a stage.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from alg.tls.policy import TlsVersion
from harness.peers.tls_duties import duty
from harness.peers.tls_findings import Finding, Outcome
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_rows import ROWS, Row
from harness.peers.tls_stage import INSIDE, OUTSIDE, Surroundings, recipes_of, run_row
from harness.scenarios.scenario import Observation, Part, Scenario, Sign, fact, says, says_nothing_of
from harness.scenarios.stage import Stage

_PORT: Final = 5062
_INSIDE, _OUTSIDE = "Expressway-E", "Webex"
_LOG: Final = f"log of {_INSIDE}"
_NOTHING: Final = Outcome("", "", Meeting(True), Meeting(False), TlsVersion.TLS_1_2)
"""Lends its findings for what they expect."""

_INBOUND = f"""\
Webex (L2SIP) ------ TCP, mutual TLS -----> firewall ------> {_PORT} Expressway-E
                shows its certificate                     shows its own, verifies names
"""
_OUTBOUND = f"""\
Expressway-E ------ TCP, mutual TLS -----> firewall ------> {_PORT} Webex (L2SIP)
"""


async def _observe(row: Row, stage: Stage, fixed: bool) -> Observation:
    """Both peers meet; logs and capture are kept."""
    inside, outside, between = ((stage.network.host(number), _PORT) for number in (2, 3, 4))
    needed = recipes_of(row.fixed if fixed else row.broken, stage.peers)
    around = Surroundings(
        inside=inside,
        outside=outside,
        between=between,
        pki=stage.pki(needed.shown, needed.known),
        strangers=stage.peers,
        expect=stage.expect,
    )
    run = await run_row(stage.reactor, row, fixed, around)
    outcome = run.outcome
    logs = {INSIDE: outcome.log_inside, OUTSIDE: outcome.log_outside}
    for name, log in logs.items():
        if name not in stage.peers:
            stage.keep(f"{name}.log", log)
    stage.keep("capture.pcapng", outcome.capture)
    findings = [*outcome.of_mistake(row.signs), *outcome.of_cure(row.signs)]
    facts = {finding.what: finding.found for finding in findings if not finding.what.startswith(_LOG)}
    return Observation(facts, {_INSIDE: outcome.log_inside, _OUTSIDE: outcome.log_outside}, tuple(stage.peers))


def _scenario(label: str, name: str, title: str, wireshark: str, look: str) -> Scenario:
    row = ROWS[label]
    return Scenario(
        name=name,
        title=title,
        source=f"Cisco, Troubleshoot Webex Hybrid Call Service Connect: mutual TLS, problem {label[1:]}",
        topology=_INBOUND if row.broken.inbound else _OUTBOUND,
        happens=f"{row.cause[0].upper()}{row.cause[1:]}. The handshake fails, no SIP crosses, and no call either.",
        look=f"{look} In a capture: {row.capture}.",
        wireshark=wireshark,
        cure=f"{row.cure[0].upper()}{row.cure[1:]}.",
        observe=partial(_observe, row),
        failure=tuple(_sign(finding) for finding in _NOTHING.of_mistake(row.signs)),
        success=(
            *(fact(each.what, each.expected) for each in _NOTHING.of_cure(row.signs) if not each.what.startswith(_LOG)),
            says(_INSIDE, 'Detail="Handshake succeeded"'),
            *(says_nothing_of(_INSIDE, text) for text in row.signs.log),
        ),
        log=row.signs.log,
        label=label,
        parts=(_part(row, INSIDE, 2), _part(row, OUTSIDE, 3)),
    )


def _part(row: Row, name: str, host: int) -> Part:
    serves = row.broken.inbound is (name == INSIDE)
    return Part(name, host, f"TCP {_PORT}" if serves else "", duty(row, name == INSIDE), tls=True)


def _sign(finding: Finding) -> Sign:
    return says(_INSIDE, finding.expected) if finding.what == _LOG else fact(finding.what, finding.expected)


_ALERT = "tls.alert_message.desc == {}"
_RESET = "tcp.flags.reset == 1"

SCENARIOS: Final = (
    _scenario(
        "T1",
        "webex-ca-not-trusted",
        "Expressway-E does not trust the CA of Webex's certificate",
        _ALERT.format(48),
        "Expressway-E says itself what is wrong with the other certificate.",
    ),
    _scenario(
        "T2",
        "verify-subject-name-misspelt",
        "the TLS verify subject name of the DNS zone is misspelt",
        _RESET,
        "The certificate is fine and its chain is trusted; the name in the log's certificate lines is not the one that "
        "the zone asks for.",
    ),
    _scenario(
        "T3",
        "certificate-chain-incomplete",
        "Expressway-E sends its certificate without intermediate and root",
        _ALERT.format(46),
        "Count the certificates that Expressway-E sends: one.",
    ),
    _scenario(
        "T4",
        "inspection-ends-handshake",
        "a firewall's application inspection ends the handshake",
        _RESET,
        "Capture on both sides of the firewall: a reset that nobody sent is the firewall's.",
    ),
    _scenario(
        "T5",
        "outdated-upload-in-control-hub",
        "an older certificate in Control Hub takes precedence over the one that is shown",
        _ALERT.format(46),
        "The chain is complete and signed by a public CA, and still Webex refuses it: look at the uploads.",
    ),
    _scenario(
        "T6",
        "inbound-mapping-off",
        "TLS verify inbound mapping is off, and the call lands in the default zone",
        _RESET,
        "Looks as if the name were misspelt, and it is not: the zone is not asked.",
    ),
    _scenario(
        "T7",
        "default-certificate",
        "Expressway-E shows the self-signed certificate that it was installed with",
        _ALERT.format(46),
        "Subject and issuer of Expressway-E's certificate are the same.",
    ),
)
"""In the order of the guide."""
