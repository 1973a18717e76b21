"""Which zone of an Expressway a connection belongs to, and where a zone sends what is for it.

Strategy: the certificate of a connection decides, where one is asked for; else the port that it came in on, the address
that it came from, or the zone that had it made. What fits nothing belongs to the default zone. A zone's targets are
found by its peers, by DNS, or among the connections that stand, as an Expressway-E never connects to its Expressway-C.
"""

from __future__ import annotations

from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.network import ServiceRecord
from harness.expressway.settings import (
    DefaultZone,
    DnsZone,
    Expressway,
    LocalZone,
    NeighborZone,
    Transport,
    TraversalClientZone,
    TraversalServerZone,
    Zone,
)
from harness.expressway.zones import SRV_SERVICES, lookup_domain
from harness.sip.flow import Flow, Target
from harness.sip.resolve import NotFound, Questions, Service, is_literal
from harness.sip.uri import Address

_DEFAULT_PORTS = {Transport.TCP: 5060, Transport.TLS: 5061}


class ZoneDirectory:
    """The zones of one Expressway, with the connections that are theirs."""

    def __init__(self, expressway: Expressway, questions: Questions, log: DiagnosticLog) -> None:
        self._expressway = expressway
        self._questions = questions
        self._log = log
        self._admitted: dict[tuple[Address, Address], str] = {}
        """Zones of connections by both of their ends, ours first."""
        self._asked: dict[str, str] = {}
        """Zones by the name of the targets that they have had looked up."""
        self._peers: dict[str, set[str]] = {}
        """Addresses of the peers of a zone."""
        self._active: list[Flow] = []
        """Connections that have brought an OPTIONS, the last one last."""

    def admit(self, local: Address, remote: Address, zone: str) -> None:
        """The certificate of a connection has shown where it belongs."""
        self._admitted[local, remote] = zone

    def forget(self, flow: Flow) -> None:
        """A connection is gone."""
        self._admitted.pop((flow.local, flow.remote), None)
        if flow in self._active:
            self._active.remove(flow)

    def probed(self, flow: Flow) -> None:
        """A connection has brought an OPTIONS: whoever made it can be reached by it."""
        if flow.serves and flow not in self._active:
            self._active.append(flow)

    def name_of(self, target: str) -> str:
        """The zone that a target's name was looked up for; empty if none was."""
        return self._asked.get(target, "")

    def zone_of(self, flow: Flow) -> Zone:
        """The zone of a connection."""
        name = self._admitted.get((flow.local, flow.remote)) or self._by_address(flow)
        found = self._expressway.zone(name)
        return found if found is not None else DefaultZone()

    def _by_address(self, flow: Flow) -> str:
        for zone in self._expressway.zones:
            if isinstance(zone, TraversalServerZone):
                belongs = flow.serves and flow.local[1] == zone.port
            else:
                known = flow.remote[0] in self._peers.get(zone.name, ())
                belongs = known and not (flow.serves and isinstance(zone, DnsZone | TraversalClientZone))
            if belongs:
                return zone.name
        return DefaultZone().name

    async def learn_peers(self) -> None:
        """Look up the peers of all zones, so that what they send is known for theirs."""
        for zone in self._expressway.zones:
            if isinstance(zone, NeighborZone | TraversalClientZone):
                for peer in zone.peers:
                    await self._addresses(zone, peer)

    async def targets(self, zone: Zone, alias: str) -> list[Target]:
        """Where a zone sends a request for an alias; NotFound if it has nowhere to."""
        match zone:
            case DnsZone():
                return await self._by_dns(zone, alias)
            case NeighborZone() | TraversalClientZone():
                return await self._to_peers(zone)
            case TraversalServerZone():
                return self._through(zone)
            case LocalZone() | DefaultZone():
                raise NotFound(f"{alias}: is not registered here")

    async def _to_peers(self, zone: NeighborZone | TraversalClientZone) -> list[Target]:
        found = []
        for peer in zone.peers:
            self._asked[peer] = zone.name
            addresses = await self._addresses(zone, peer)
            found += [Target(zone.transport.value, address, zone.port, peer) for address in addresses]
        if not found:
            raise NotFound(f"{zone.name}: no address of a peer")
        return found

    async def _addresses(self, zone: NeighborZone | TraversalClientZone, peer: str) -> list[str]:
        addresses = [peer] if is_literal(peer) else await self._questions.addresses(peer)
        self._peers.setdefault(zone.name, set()).update(addresses)
        return addresses

    def _through(self, zone: TraversalServerZone) -> list[Target]:
        for flow in reversed(self._active):
            if flow.open and self.zone_of(flow).name == zone.name:
                return [Target(flow.kind, *flow.remote)]
        raise NotFound(f"{zone.name}: nobody is connected")

    async def _by_dns(self, zone: DnsZone, alias: str) -> list[Target]:
        domain = lookup_domain(zone, alias)
        self._asked[domain] = zone.name
        transport = zone.default_transport
        name = f"{SRV_SERVICES[transport]}.{domain}"
        self._log.write(network.dns_query(name, "SRV"))
        services: list[Service] = [] if is_literal(domain) else await self._questions.services(name)
        services = sorted(services, key=lambda each: (each.priority, -each.weight))
        places = [(each.host, each.port) for each in services] or [(domain, _DEFAULT_PORTS[transport])]
        found = [
            (address, port)
            for host, port in places
            for address in ([host] if is_literal(host) else await self._questions.addresses(host))
        ]
        if not found:
            self._log.write(network.dns_failed())
            raise NotFound(f"{domain}: no address")
        records = [ServiceRecord(each.host, each.port, each.priority, each.weight, each.ttl) for each in services]
        self._log.write(network.dns_resolved(found, records))
        self._peers.setdefault(zone.name, set()).update(address for address, _ in found)
        return [Target(transport.value, address, port, domain) for address, port in found]
