"""developer.ssl, developer.zone.zonemgr and the TLS events: a handshake, whose certificate it showed, how it failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.expressway.log.entry import Address, Code, Entry, Event
from harness.expressway.log.network import socket_address, tcp_closed

_OPENSSL = "ppcmains/ssl/ttssl/ttssl_openssl.cpp({})"
_ZONES = "ppcmains/oak/zones/ZoneManager.cpp({})"
_CODE = {
    "in progress": Code(_OPENSSL.format(1974), "::ttssl_continueHandshake"),
    "succeeded": Code(_OPENSSL.format(1960), "::ttssl_continueHandshake"),
    "failed": Code(_OPENSSL.format(1997), "::ttssl_continueHandshake"),
    "common name": Code(_OPENSSL.format(1629), "::TTSSL_retrieveCommonName"),
    "alt-name": Code(_OPENSSL.format(1654), "::TTSSL_retrieveAltNames"),
    "error": Code(_OPENSSL.format(68), "::TTSSLErrorOutput"),
    "by subject": Code(_ZONES.format(1226), "ZoneManager::getDNSZoneByTLSVerifySubjectName"),
    "by subjects": Code(_ZONES.format(1183), "ZoneManager::getDNSZoneByTLSVerifySubjectNameList"),
    "by identities": Code(_ZONES.format(1054), "ZoneManager::getZoneByIdentities"),
}
"""Where in the product each line comes from."""
_THIS = ("this", "0x56408ff81220")
_EOF = "Got EOF on socket"


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """One way in which a handshake fails, as the product tells it."""

    detail: str
    closed: str
    """Why the TCP connection is closed."""
    result: int = 0
    error: int = 0
    """Of the TLS library; 0 if it is content, and the product is not."""
    reason: str = ""
    """What the TLS library says."""


UNTRUSTED_CA = TlsFailure(
    "self signed certificate in certificate chain",
    closed="self signed certificate in certificate chain",
    result=-1,
    error=1,
    reason="error:14089086:SSL routines:ssl3_get_client_certificate:certificate verify failed",
)
"""We do not trust the CA of the other side."""
IDENTITY_UNACCEPTABLE = TlsFailure(
    "Peer's TLS certificate identity was unacceptable", closed="Peer's TLS certificate identity was unacceptable"
)
"""The certificate of the other side lacks the name that we verify, or no zone takes connections with this name."""
CERTIFICATE_UNKNOWN = TlsFailure(
    "sslv3 alert certificate unknown",
    closed=_EOF,
    error=1,
    reason="error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown",
)
"""The other side does not like our certificate, and says so in an alert."""
REMOTE_DISCONNECT = TlsFailure("No SSL error available, probably remote disconnect", closed=_EOF, result=-1, error=5)
"""The connection ended in the middle of the handshake, without an alert."""


def handshake_in_progress() -> Entry:
    """More bytes are needed."""
    return _ssl("INFO", "in progress", ("Detail", "Handshake in progress"), ("Reason", "want read/write"))


def handshake_succeeded() -> Entry:
    """Both sides are content."""
    return _ssl("DEBUG", "succeeded", ("Detail", "Handshake succeeded"))


def handshake_failed() -> Entry:
    """The TLS library gave up; the error follows."""
    return _ssl("DEBUG", "failed", ("Detail", "Handshake Failed"), ("Reason", "want error ssl"))


def peer_names(common_name: str, alt_names: Sequence[str]) -> list[Entry]:
    """The names in the certificate of the other side. The quote too many is the product's."""
    found = [("common name", "CommonName", common_name), *(("alt-name", "AltName", name) for name in alt_names)]
    return [
        _ssl(
            "DEBUG",
            kind,
            ("Detail", f"Found {'DNS ' if kind == 'alt-name' else ''}{kind} in peer certificate"),
            (key, f'{name}"'),
        )
        for kind, key, name in found
    ]


def mapped_to_dns_zone(common_name: str, alt_names: Sequence[str], subject: str, zone: str) -> list[Entry]:
    """An inbound connection belongs to the DNS zone that verifies this subject name, which is one of those shown."""
    shown = [common_name, *alt_names]
    candidates = "".join(shown[: shown.index(subject) + 1]) if subject in shown else "".join(shown)
    identities = ", ".join([f"CN: {common_name}", *(f"Alt-DNS: {name}" for name in alt_names)])
    classified = f"getDNSZoneByTLSVerifySubjectName classified subject name {subject} into DNS zone {zone}"
    return [
        _zonemgr("by subject", classified),
        _zonemgr(
            "by subjects",
            ("Detail", "Searched for DNS Zones by Subject Name"),
            ("Found", "True"),
            ("Candidates", candidates),
            ("MatchedZone", zone),
            ("MatchedIdentity", subject),
        ),
        _zonemgr(
            "by identities",
            ("Detail", "getZoneByIdentities, match complete"),
            ("Identitites", f"{{{identities}}}"),
            ("MatchMechanism", "DNSZoneMatch"),
            ("MatchedZone", zone),
        ),
    ]


def inbound_failure(failure: TlsFailure, local: Address, remote: Address) -> list[Entry | Event]:
    """A connection that the other side made fails in its handshake."""
    event = _negotiation_error("Inbound", failure, (remote, local))
    return [event, *_error(failure, local, remote, server=True), tcp_closed(remote, local, failure.closed)]


def outbound_failure(failure: TlsFailure, local: Address, remote: Address, common_name: str) -> list[Entry | Event]:
    """A connection that we made fails in its handshake; `common_name` is the name that we verify."""
    event = _negotiation_error("Outbound", failure, (local, remote), ("Common-name", common_name))
    return [*_error(failure, local, remote, server=False), event, tcp_closed(local, remote, failure.closed)]


def _negotiation_error(
    direction: str, failure: TlsFailure, ends: tuple[Address, Address], *more: tuple[str, str]
) -> Event:
    (source, source_port), (destination, destination_port) = ends
    fields = (
        ("Service", "SIP"),
        ("Src-ip", source),
        ("Src-port", source_port),
        ("Dst-ip", destination),
        ("Dst-port", destination_port),
        ("Detail", failure.detail),
        ("Protocol", "TLS"),
    )
    return Event(f"{direction} TLS Negotiation Error", (*fields, *more))


def _error(failure: TlsFailure, local: Address, remote: Address, server: bool) -> list[Entry]:
    """What the TLS library says, unless it had nothing against the handshake."""
    if not failure.error:
        return []
    said: list[str | tuple[str, str | int]] = [
        "TTSSL_continueHandshake: Failed to establish SSL connection",
        ("iResult", failure.result),
        ("error", failure.error),
        ("bServer", "true" if server else "false"),
        ("localAddress", socket_address(local)),
        ("remoteAddress", socket_address(remote)),
    ]
    if failure.reason:
        said.append(("ssl_error_reason", failure.reason))
    return [Entry("developer.ssl", "ERROR", tuple(said), _CODE["error"])]


def _ssl(level: str, code: str, *parts: str | tuple[str, str | int]) -> Entry:
    return Entry("developer.ssl", level, parts, _CODE[code])


def _zonemgr(code: str, *parts: str | tuple[str, str | int]) -> Entry:
    return Entry("developer.zone.zonemgr", "DEBUG", (_THIS, *parts), _CODE[code])
