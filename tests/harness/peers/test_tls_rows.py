"""Each row, broken and fixed: Expressway-E's log line by line in the guide's words, and what is on the wire.

Strategy: the wire is judged in the middle, where a firewall hands every byte to an observer; what the log must say is
written out here, not taken from the rows.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from alg.tls.policy import TlsVersion
from alg.tls.sightings import Message
from harness.ca import Pki
from harness.peers.tls_findings import Outcome
from harness.peers.tls_rows import GOOD, ROWS
from harness.peers.tls_stage import Surroundings, run_row, run_situation
from tests.harness.peers.middle import INSIDE, OUTSIDE, Middle, Seen
from tests.harness.peers.turning import Turned

TLS_1_2, TLS_1_3 = TlsVersion.TLS_1_2, TlsVersion.TLS_1_3
UNTRUSTED = "self signed certificate in certificate chain"
UNACCEPTABLE = "Peer's TLS certificate identity was unacceptable"
UNKNOWN = "sslv3 alert certificate unknown"
DISCONNECT = "No SSL error available, probably remote disconnect"

INBOUND = 'Event="Inbound TLS Negotiation Error" Service="SIP" ENDS Detail="{}" Protocol="TLS" Level="1" UTCTime='
OUTBOUND = (
    'Event="Outbound TLS Negotiation Error" Service="SIP" ENDS Detail="{}" Protocol="TLS" '
    'Common-name="callservice.ciscospark.com" Level="1" UTCTime='
)
ERROR = (
    'TTSSL_continueHandshake: Failed to establish SSL connection iResult="{}" error="{}" bServer="{}" LOCAL REMOTE{}'
)
TCP = 'Module="network.tcp" Level="DEBUG":  ENDS Detail="{}"'
CLOSED = TCP.format("TCP Connection Closed") + ' Reason="{}"'
OPENING = [
    TCP.format("TCP Connecting"),
    TCP.format("TCP Connection Established"),
    'Module="developer.ssl" Level="INFO" CODE:  Detail="Handshake in progress" Reason="want read/write"',
]
FAILED = 'Module="developer.ssl" Level="DEBUG" CODE:  Detail="Handshake Failed" Reason="want error ssl"'
LIBRARY = ' ssl_error_reason="error:{}:SSL routines:{}"'

_REFUSED = [
    INBOUND.format(UNKNOWN),
    FAILED,
    ERROR.format(0, 1, "true", LIBRARY.format("14094416", f"ssl3_read_bytes:{UNKNOWN}")),
    CLOSED.format("Got EOF on socket"),
]
_DISMISSED = [INBOUND.format(UNACCEPTABLE), CLOSED.format(UNACCEPTABLE)]
TOLD = {
    "T1": [
        INBOUND.format(UNTRUSTED),
        FAILED,
        ERROR.format(
            -1, 1, "true", LIBRARY.format("14089086", "ssl3_get_client_certificate:certificate verify failed")
        ),
        CLOSED.format(UNTRUSTED),
    ],
    "T2": _DISMISSED,
    "T3": _REFUSED,
    "T4": [ERROR.format(-1, 5, "false", ""), OUTBOUND.format(DISCONNECT), CLOSED.format("Got EOF on socket")],
    "T5": _REFUSED,
    "T6": _DISMISSED,
    "T7": _REFUSED,
}
"""What follows OPENING: the guide's lines, and where its own log was not at DEBUG, the one that was cut."""

DETAILS = {
    **{"T1": UNTRUSTED, "T2": UNACCEPTABLE, "T3": UNKNOWN, "T4": DISCONNECT, "T5": UNKNOWN},
    **{"T6": UNACCEPTABLE, "T7": UNKNOWN},
}
ALERTS = {
    "T1": [(INSIDE, "fatal", "unknown_ca")],
    **{name: [(OUTSIDE, "fatal", "certificate_unknown")] for name in ("T3", "T5", "T7")},
}
CHAINS = {"T3": 1, "T7": 1}
"""Certificates that Expressway-E shows, where it is not all three."""


def run(turned: Turned, pki: Pki, name: str, version: TlsVersion, fixed: bool) -> tuple[Outcome, Seen]:
    """A row, and what was seen of it in the middle."""
    middle = Middle(turned)
    around = Surroundings(version=version, pki=pki, way=middle.way)
    done = turned.result(run_row(turned.reactor, ROWS[name], fixed, around))
    middle.close()
    assert done.passed, done.reasons
    return done.outcome, middle.seen


def lines_of(log: str) -> list[str]:
    """The lines of a log, those of SIP apart, without what differs from run to run or does not matter here."""
    lines = (line.partition(" tvcs: ")[2] for line in log.splitlines())
    told = [line for line in lines if line and 'Module="network.sip"' not in line]
    for pattern, word in (
        (r'^UTCTime="[^"]+" ', ""),
        (r'UTCTime="[^"]+"$', "UTCTime="),
        (r'Src-ip="[\d.]+" Src-port="\d+" Dst-ip="[\d.]+" Dst-port="\d+"', "ENDS"),
        (r'CodeLocation="[^"]+" Method="[^"]+" Thread="[^"]+"', "CODE"),
        (r'Module="developer.ssl" Level="ERROR" CODE:  ', ""),
        (r"localAddress=\"\['IPv4'[, ]?'TCP'[, ]?'[\d.:]+'\]\"", "LOCAL"),
        (r"remoteAddress=\"\['IPv4'[, ]?'TCP'[, ]?'[\d.:]+'\]\"", "REMOTE"),
    ):
        told = [re.sub(pattern, word, line) for line in told]
    return told


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("name", ROWS)
def test_the_mistake_in_the_log(turned: Turned, pki: Pki, name: str, version: TlsVersion) -> None:
    """Expressway-E says what the guide has, and nothing else but SIP; every sign of the row is found."""
    result, _ = run(turned, pki, name, version, fixed=False)
    assert lines_of(result.log_inside) == [*OPENING, *TOLD[name]]
    assert not result.succeeded


@pytest.mark.parametrize("name", ROWS)
def test_the_mistake_on_the_wire(turned: Turned, pki: Pki, name: str) -> None:
    """The alert, or the reset, on the legs where the guide's captures have it; the chain as it says."""
    _, seen = run(turned, pki, name, TLS_1_2, fixed=False)
    assert seen.alerts == ALERTS.get(name, [])
    assert seen.chain(INSIDE) == CHAINS.get(name, 3)
    expected = {"T2": [(INSIDE, True), (OUTSIDE, False)], "T4": [(INSIDE, False)]}
    assert seen.resets == expected.get("T2" if name == "T6" else name, [])


@pytest.mark.parametrize("name", ["T2", "T6"])
def test_who_is_dismissed_sees_nothing_behind_the_certificate_request(turned: Turned, pki: Pki, name: str) -> None:
    """Expressway-E's answer to Webex's certificate is the reset: no ChangeCipherSpec, no Finished."""
    _, seen = run(turned, pki, name, TLS_1_2, fixed=False)
    assert seen.said(OUTSIDE, INSIDE)[-1] is Message.SERVER_HELLO_DONE
    assert Message.CLIENT_FINISHED in seen.said(OUTSIDE, OUTSIDE)


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("name", ROWS)
def test_the_cure(turned: Turned, pki: Pki, name: str, version: TlsVersion) -> None:
    """The handshake succeeds, SIP crosses; of what the row shows in the log, in alerts and resets there is nothing."""
    result, seen = run(turned, pki, name, version, fixed=True)
    assert result.succeeded
    told = lines_of(result.log_inside)
    assert told[:3] == OPENING
    assert told[3] == 'Module="developer.ssl" Level="DEBUG" CODE:  Detail="Handshake succeeded"'
    assert "Error" not in result.log_inside
    assert DETAILS[name] not in result.log_inside
    assert [alert for alert in seen.alerts if alert[2] not in {"close_notify", "encrypted"}] == []
    assert seen.resets == []
    assert "Receive Re" in result.log_inside
    assert "OPTIONS" in result.log_inside


def test_a_good_handshake_in_the_log(turned: Turned, pki: Pki) -> None:
    """The names in Webex's certificate, one by one, and the DNS zone that they lead to."""
    result, _ = run(turned, pki, "T6", TLS_1_2, fixed=True)
    _, _, _, _, common_name, *rest = lines_of(result.log_inside)
    assert common_name.endswith('Detail="Found common name in peer certificate" CommonName="l2sip-01.webex.example""')
    assert all('Detail="Found DNS alt-name in peer certificate" AltName="' in line for line in rest[:25])
    assert 'AltName="callservice.ciscospark.com""' in rest[0]
    assert [line.partition("0x56408ff81220")[2].partition("Candidates=")[0] for line in rest[25:]] == [
        '" getDNSZoneByTLSVerifySubjectName classified subject name callservice.ciscospark.com into DNS zone '
        "Hybrid Call Services DNS",
        '" Detail="Searched for DNS Zones by Subject Name" Found="True" ',
        '" Detail="getZoneByIdentities, match complete" Identitites="{CN: l2sip-01.webex.example, '
        + ", ".join(f"Alt-DNS: {name}" for name in pki.book.leafs["webex"].dns)
        + '}" MatchMechanism="DNSZoneMatch" MatchedZone="Hybrid Call Services DNS"',
    ]
    assert result.inside.zone == "Hybrid Call Services DNS"


OTHER_WAY = {
    "T1": ("Outbound", UNTRUSTED, "ssl3_get_server_certificate:certificate verify failed"),
    "T2": ("Outbound", UNACCEPTABLE, ""),
    "T3": ("Outbound", UNKNOWN, f"ssl3_read_bytes:{UNKNOWN}"),
    "T4": ("Inbound", DISCONNECT, ""),
    "T5": ("Outbound", UNKNOWN, f"ssl3_read_bytes:{UNKNOWN}"),
    "T7": ("Outbound", UNKNOWN, f"ssl3_read_bytes:{UNKNOWN}"),
}


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("name", OTHER_WAY)
def test_the_mistake_when_the_other_one_connects(turned: Turned, pki: Pki, name: str, version: TlsVersion) -> None:
    """As client or as server, in TLS 1.3 too, where a client has its handshake done before it is refused."""
    middle = Middle(turned)
    row = ROWS[name]
    situation = replace(row.broken, inbound=not row.broken.inbound)
    around = Surroundings(version=version, pki=pki, way=middle.way)
    run_it = run_situation(turned.reactor, situation, around, waits_for_outside=not row.signs.quiet_outside)
    result = turned.result(run_it)
    middle.close()
    which, detail, reason = OTHER_WAY[name]
    assert f'Event="{which} TLS Negotiation Error" Service="SIP" ' in result.log_inside
    assert f'Detail="{detail}" Protocol="TLS"' in result.log_inside
    assert reason in result.log_inside
    assert result.log_inside.count("TCP Connection Closed") == 1
    assert "Handshake succeeded" not in result.log_inside
    assert not result.succeeded
    if version is TLS_1_2:
        assert middle.seen.alerts == ALERTS.get(name, [])


def test_the_default_zone_is_only_for_those_who_come_in(turned: Turned, pki: Pki) -> None:
    """Inbound mapping has no say where Expressway-E connects."""
    situation = replace(ROWS["T6"].broken, inbound=False)
    assert turned.result(run_situation(turned.reactor, situation, Surroundings(pki=pki))).succeeded


def test_an_upload_does_not_help_without_a_verified_domain(turned: Turned, pki: Pki) -> None:
    """The self-signed certificate is in Control Hub, and it is what Expressway-E shows: its name is nobody's."""
    situation = replace(ROWS["T7"].broken, uploaded=("expressway-e-self-signed",))
    result = turned.result(run_situation(turned.reactor, situation, Surroundings(pki=pki)))
    assert result.outside.objections == ("no name in a verified domain: expressway",)
    assert all(finding.shown for finding in result.of_mistake(ROWS["T7"].signs))


@pytest.mark.parametrize("uploaded", ["expressway-e", "expressway-e-issuing", "expressway-e-root"])
def test_uploads_that_help(turned: Turned, pki: Pki, uploaded: str) -> None:
    """The very certificate that is shown, or one above it, counts although Webex trusts no CA of its chain."""
    situation = replace(GOOD, uploaded=(uploaded,), trusted_outside=("webex-root",))
    assert turned.result(run_situation(turned.reactor, situation, Surroundings(pki=pki))).succeeded
