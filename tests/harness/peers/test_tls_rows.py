"""Each row, broken and fixed: Expressway-E's log line by line in the guide's words, and what is on the wire.

Strategy: the wire is judged in the middle, by a firewall without rules that hands every byte to an observer; what the
log must say is written out here, not taken from the rows.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.peers.tls_findings import RowResult
from harness.peers.tls_rows import ROWS
from harness.peers.tls_stage import Surroundings, run_row
from tests.harness.peers.middle import Middle, Seen
from tests.harness.peers.turning import Turned

VERSIONS = [TlsVersion.TLS_1_2, TlsVersion.TLS_1_3]
UNTRUSTED = "self signed certificate in certificate chain"
UNACCEPTABLE = "Peer's TLS certificate identity was unacceptable"
UNKNOWN = "sslv3 alert certificate unknown"
DISCONNECT = "No SSL error available, probably remote disconnect"
CONNECTED = ["TCP Connecting", "TCP Connection Established"]

TOLD = {
    "T1": [
        *CONNECTED,
        "Handshake in progress",
        UNTRUSTED,
        "Handshake Failed",
        "verify failed",
        "TCP Connection Closed",
    ],
    "T2": [*CONNECTED, "Handshake in progress", UNACCEPTABLE, "TCP Connection Closed"],
    "T3": [*CONNECTED, "Handshake in progress", UNKNOWN, "Handshake Failed", UNKNOWN, "TCP Connection Closed"],
    "T4": [*CONNECTED, "Handshake in progress", 'error="5"', DISCONNECT, "TCP Connection Closed"],
}
TOLD |= {"T5": TOLD["T3"], "T6": TOLD["T2"], "T7": TOLD["T3"]}
"""Words of each line of a broken row, in TLS 1.2."""

GUIDE = {
    "T1": [
        f'Event="Inbound TLS Negotiation Error" Service="SIP" ENDS Detail="{UNTRUSTED}" Protocol="TLS" Level="1" UTC',
        'TTSSL_continueHandshake: Failed to establish SSL connection iResult="-1" error="1" bServer="true"',
        'ssl_error_reason="error:14089086:SSL routines:ssl3_get_client_certificate:certificate verify failed"',
        f'Level="DEBUG":  ENDS Detail="TCP Connection Closed" Reason="{UNTRUSTED}"',
    ],
    "T2": [
        f'Event="Inbound TLS Negotiation Error" Service="SIP" ENDS Detail="{UNACCEPTABLE}" Protocol="TLS" Level="1"',
        f'Level="DEBUG":  ENDS Detail="TCP Connection Closed" Reason="{UNACCEPTABLE}"',
    ],
    "T3": [
        f'Event="Inbound TLS Negotiation Error" Service="SIP" ENDS Detail="{UNKNOWN}" Protocol="TLS" Level="1" UTC',
        'TTSSL_continueHandshake: Failed to establish SSL connection iResult="0" error="1" bServer="true"',
        f'ssl_error_reason="error:14094416:SSL routines:ssl3_read_bytes:{UNKNOWN}"',
        'Level="DEBUG":  ENDS Detail="TCP Connection Closed" Reason="Got EOF on socket"',
    ],
    "T4": [
        'TTSSL_continueHandshake: Failed to establish SSL connection iResult="-1" error="5" bServer="false"',
        f'Event="Outbound TLS Negotiation Error" Service="SIP" ENDS Detail="{DISCONNECT}" Protocol="TLS" '
        'Common-name="callservice.ciscospark.com" Level="1" UTC',
        'Level="DEBUG":  ENDS Detail="TCP Connection Closed" Reason="Got EOF on socket"',
    ],
}
GUIDE |= {"T5": GUIDE["T3"], "T6": GUIDE["T2"], "T7": GUIDE["T3"]}
"""What the guide's own log has, addresses apart."""

ALERTS = dict.fromkeys(("T3", "T5", "T7"), ("outside", "certificate_unknown")) | {"T1": ("inside", "unknown_ca")}
CHAINS = {"T3": 1, "T7": 1}
"""Certificates that Expressway-E shows, where it is not all three."""


def run(turned: Turned, pki: Pki, name: str, version: TlsVersion, fixed: bool) -> tuple[RowResult, Seen]:
    """A row, and what was seen of it in the middle."""
    middle = Middle(turned)
    around = Surroundings(version=version, pki=pki, way=middle.way)
    row = ROWS[name]
    if row.broken.inspection and not fixed:
        around = replace(around, way=None)
    result = turned.result(run_row(turned.reactor, row, fixed, around))
    middle.close()
    return result, middle.seen


def lines_of(log: str) -> list[str]:
    """The lines of a log with the ends of the connection as ENDS; what follows SIPMSG is left out."""
    ends = r'Src-ip="[\d.]+" Src-port="\d+" Dst-ip="[\d.]+" Dst-port="\d+"'
    return [re.sub(ends, "ENDS", line) for line in log.splitlines() if " tvcs: " in line]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.value)
@pytest.mark.parametrize("name", ROWS)
def test_the_mistake_shows_in_the_log(turned: Turned, pki: Pki, name: str, version: TlsVersion) -> None:
    """Expressway-E says what the guide says it does, in that order, and nothing of success."""
    result, _ = run(turned, pki, name, version, fixed=False)
    lines = lines_of(result.log_inside)
    rest = iter(lines)
    for words in GUIDE[name]:
        assert any(words in line for line in rest), f"{words}, in this order:\n{result.log_inside}"
    if version is TlsVersion.TLS_1_2:
        assert [
            next(iter(w for w in [words] if w in line), line) for words, line in zip(TOLD[name], lines, strict=True)
        ]
        assert all(words in line for words, line in zip(TOLD[name], lines, strict=True)), result.log_inside
    assert "Handshake succeeded" not in result.log_inside
    assert not result.succeeded
    assert result.shows(ROWS[name].signs), result.findings(ROWS[name].signs)
