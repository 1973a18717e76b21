"""Handshakes: how they go on, whose certificate is shown, and each way in which they fail."""

from __future__ import annotations

from harness.expressway.log import tls
from harness.expressway.log.entry import X8_10, Entry, Event

LOCAL = ("172.16.2.2", 5062)
REMOTE = ("146.20.193.45", 33441)


def said(lines: list[Entry | Event]) -> list[str]:
    """Lines without their time."""
    return [line.render("T", X8_10).replace('UTCTime="T"', "").strip() for line in lines]


def ends(source: tuple[str, int], destination: tuple[str, int]) -> str:
    """The four fields of a connection."""
    return f'Src-ip="{source[0]}" Src-port="{source[1]}" Dst-ip="{destination[0]}" Dst-port="{destination[1]}"'


INBOUND = ends(REMOTE, LOCAL)
OPENSSL = (
    'Module="developer.ssl" Level="{}" CodeLocation="ppcmains/ssl/ttssl/ttssl_openssl.cpp({})" Method="::{}" '
    'Thread="0x7f29ddefa700":  '
)


def test_a_handshake_that_succeeds() -> None:
    """In progress, then done."""
    going, done, failed = said([tls.handshake_in_progress(), tls.handshake_succeeded(), tls.handshake_failed()])
    head = OPENSSL.format("INFO", 1974, "ttssl_continueHandshake")
    assert going == f'{head}Detail="Handshake in progress" Reason="want read/write"'
    assert done == OPENSSL.format("DEBUG", 1960, "ttssl_continueHandshake") + 'Detail="Handshake succeeded"'
    assert failed.endswith('Detail="Handshake Failed" Reason="want error ssl"')


def test_the_names_of_a_certificate() -> None:
    """The common name, then each alt-name, with the product's quote too many."""
    lines = said([*tls.peer_names("l2sip-cfa-01.wbx2.com", ["callservice.ciscospark.com"])])
    assert lines == [
        OPENSSL.format("DEBUG", 1629, "TTSSL_retrieveCommonName")
        + 'Detail="Found common name in peer certificate" CommonName="l2sip-cfa-01.wbx2.com""',
        OPENSSL.format("DEBUG", 1654, "TTSSL_retrieveAltNames")
        + 'Detail="Found DNS alt-name in peer certificate" AltName="callservice.ciscospark.com""',
    ]


def test_a_connection_is_mapped_to_a_zone() -> None:
    """By the subject name that a DNS zone verifies: what was tried, up to it, and what was shown."""
    lines = said([*tls.mapped_to_dns_zone("a.example", ["b.example", "c.example"], "b.example", "Hybrid DNS")])
    head = 'Module="developer.zone.zonemgr" Level="DEBUG" CodeLocation="ppcmains/oak/zones/ZoneManager.cpp({})" '
    assert [line.partition(':  this="0x56408ff81220" ')[2] for line in lines] == [
        "getDNSZoneByTLSVerifySubjectName classified subject name b.example into DNS zone Hybrid DNS",
        'Detail="Searched for DNS Zones by Subject Name" Found="True" Candidates="a.exampleb.example" '
        'MatchedZone="Hybrid DNS" MatchedIdentity="b.example"',
        'Detail="getZoneByIdentities, match complete" Identitites="{CN: a.example, Alt-DNS: b.example, '
        'Alt-DNS: c.example}" MatchMechanism="DNSZoneMatch" MatchedZone="Hybrid DNS"',
    ]
    for line, number in zip(lines, (1226, 1183, 1054), strict=True):
        assert line.startswith(head.format(number))


def test_a_name_in_other_letters() -> None:
    """All that was shown was tried."""
    lines = said([*tls.mapped_to_dns_zone("a.example", ["B.example"], "b.example", "Z")])
    assert 'Candidates="a.exampleB.example"' in lines[1]


def test_an_untrusted_ca() -> None:
    """The event, what the TLS library says, and the end of the connection with the same reason."""
    assert said(tls.inbound_failure(tls.UNTRUSTED_CA, LOCAL, REMOTE)) == [
        f'Event="Inbound TLS Negotiation Error" Service="SIP" {INBOUND} '
        'Detail="self signed certificate in certificate chain" Protocol="TLS" Level="1"',
        OPENSSL.format("ERROR", 68, "TTSSLErrorOutput")
        + 'TTSSL_continueHandshake: Failed to establish SSL connection iResult="-1" error="1" bServer="true" '
        "localAddress=\"['IPv4''TCP''172.16.2.2:5062']\" remoteAddress=\"['IPv4''TCP''146.20.193.45:33441']\" "
        'ssl_error_reason="error:14089086:SSL routines:ssl3_get_client_certificate:certificate verify failed"',
        f'Module="network.tcp" Level="DEBUG":  {INBOUND} Detail="TCP Connection Closed" '
        'Reason="self signed certificate in certificate chain"',
    ]


def test_an_identity_that_is_unacceptable() -> None:
    """The TLS library has nothing against it."""
    event, closed = said(tls.inbound_failure(tls.IDENTITY_UNACCEPTABLE, LOCAL, REMOTE))
    detail = "Peer's TLS certificate identity was unacceptable"
    assert f'Detail="{detail}" Protocol="TLS" Level="1"' in event
    assert closed.endswith(f'Detail="TCP Connection Closed" Reason="{detail}"')


def test_a_certificate_that_the_other_side_refuses() -> None:
    """It sends an alert, and closes."""
    event, error, closed = said(tls.inbound_failure(tls.CERTIFICATE_UNKNOWN, LOCAL, REMOTE))
    assert 'Detail="sslv3 alert certificate unknown" Protocol="TLS"' in event
    assert 'iResult="0" error="1" bServer="true"' in error
    assert error.endswith(
        'ssl_error_reason="error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown"'
    )
    assert closed.endswith('Reason="Got EOF on socket"')


def test_a_handshake_that_somebody_cuts() -> None:
    """Outbound, without any alert: no error of the TLS library, and the name that was verified."""
    error, event, closed = said(
        tls.outbound_failure(tls.REMOTE_DISCONNECT, ("172.17.31.10", 28351), REMOTE, "callservice.ciscospark.com")
    )
    assert 'iResult="-1" error="5" bServer="false" localAddress="[\'IPv4\'\'TCP\'\'172.17.31.10:28351\']"' in error
    assert "ssl_error_reason" not in error
    outbound = ends(("172.17.31.10", 28351), REMOTE)
    assert event == (
        f'Event="Outbound TLS Negotiation Error" Service="SIP" {outbound} '
        'Detail="No SSL error available, probably remote disconnect" Protocol="TLS" '
        'Common-name="callservice.ciscospark.com" Level="1"'
    )
    assert closed == (
        f'Module="network.tcp" Level="DEBUG":  {outbound} Detail="TCP Connection Closed" Reason="Got EOF on socket"'
    )
