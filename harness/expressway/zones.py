"""What a zone lets in, whom it asks and what it asks DNS for, and whose certificate is its own."""

from __future__ import annotations

from collections.abc import Collection

from harness.expressway.settings import (
    DnsZone,
    Expressway,
    LocalZone,
    NeighborZone,
    Transport,
    TraversalClientZone,
    Zone,
)

SRV_SERVICES = {Transport.TLS: "_sips._tcp", Transport.TCP: "_sip._tcp"}
"""What stands before the domain in the name of an SRV record (RFC 3263 4.1)."""


def accepts_preloaded_routes(zone: Zone) -> bool:
    """Whether an INVITE that comes in through a zone may bring a Route that is to be searched for."""
    return isinstance(zone, LocalZone) or bool(zone.preloaded_routes)


def lookup_domain(zone: DnsZone, alias: str) -> str:
    """The domain that a DNS zone looks up for an alias: the alias's own, unless DnsOverride names another."""
    if zone.dns_override:
        return zone.dns_override_name
    return alias.rpartition("@")[2].partition(";")[0].partition(":")[0]


def srv_name(zone: DnsZone, alias: str) -> str:
    """The name of the first SRV record that a DNS zone asks for."""
    return f"{SRV_SERVICES[zone.default_transport]}.{lookup_domain(zone, alias)}"


def whom_it_asks(expressway: Expressway, zone: Zone, alias: str) -> str:
    """Whom a zone asks for an alias, `address:port` or the name it looks up; empty if that connects by itself."""
    match zone:
        case LocalZone():
            return f"{expressway.system.address_1}:0"
        case DnsZone():
            return srv_name(zone, alias)
        case NeighborZone() | TraversalClientZone() if zone.peers:
            return f"{zone.peers[0]}:{zone.port}"
        case _:
            return ""


def dns_zone_by_identities(expressway: Expressway, identities: Collection[str]) -> DnsZone | None:
    """The DNS zone that a mutual TLS connection comes in through, by the names in its certificate (CN and SAN).

    None unless a zone verifies, has inbound classification on, and names one of them: then it is the default zone.
    """
    shown = {identity.lower() for identity in identities}
    inbound = (zone for zone in expressway.zones if isinstance(zone, DnsZone) and zone.inbound_classification)
    return next((zone for zone in inbound if zone.tls_verify and zone.tls_subject.lower() in shown), None)
