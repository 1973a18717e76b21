"""A small authoritative name server: what the peers' domains are, and a log of who asked for what.

Strategy: records come in as values and can be changed while it runs. Names that it has no records for do not exist.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import defer
from twisted.names import common, dns, error, server

from harness.sip.resolve import Service
from harness.sip.uri import Address

_DNS: Any = dns
_NAMES_FACTORY: Any = server.DNSServerFactory
_TTL = 300
"""seconds"""


class Zone:
    """Records by name, in lower case."""

    def __init__(self) -> None:
        self.hosts: dict[str, list[str]] = {}
        self.services: dict[str, list[Service]] = {}
        self.asked: list[tuple[str, str]] = []
        """Every question: name and type, such as SRV."""

    def host(self, name: str, *addresses: str) -> Zone:
        """A records, in place of those there were."""
        self.hosts[name.lower()] = list(addresses)
        return self

    def service(self, name: str, *services: Service) -> Zone:
        """SRV records of a name such as `_sips._tcp.example.com`, in place of those there were."""
        self.services[name.lower()] = list(services)
        return self


class NameServer:
    """Answers over UDP from a zone."""

    def __init__(self, reactor: Any, zone: Zone) -> None:
        self.zone = zone
        self._reactor = reactor
        self._port: Any = None

    def listen(self, address: Address) -> Address:
        """The address it got. Raises twisted.internet.error.CannotListenError."""
        factory = _NAMES_FACTORY(clients=[_Authority(self.zone)])
        factory.noisy = False
        protocol = _DNS.DNSDatagramProtocol(factory, reactor=self._reactor)
        self._port = self._reactor.listenUDP(address[1], protocol, interface=address[0])
        return self._port.getHost().host, self._port.getHost().port

    async def close(self) -> None:
        """Answer no more."""
        if self._port is not None:
            await defer.maybeDeferred(self._port.stopListening)


class _Authority(common.ResolverBase):
    """What twisted.names asks."""

    def __init__(self, zone: Zone) -> None:
        base: Any = super()
        base.__init__()
        self._zone = zone

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> defer.Deferred[Any]:
        key = name.decode("ascii", "replace").lower().rstrip(".")
        zone = self._zone
        zone.asked.append((key, dns.QUERY_TYPES.get(type, str(type))))
        if key not in zone.hosts and key not in zone.services:
            return defer.fail(error.AuthoritativeDomainError(name))
        answers = [_header(key, dns.A, _DNS.Record_A(each, _TTL)) for each in zone.hosts.get(key, []) if type == dns.A]
        services = zone.services.get(key, []) if type == dns.SRV else []
        answers += [
            _header(key, dns.SRV, _DNS.Record_SRV(each.priority, each.weight, each.port, each.host, each.ttl or _TTL))
            for each in services
        ]
        return defer.succeed((answers, [], []))


def _header(name: str, kind: int, record: Any) -> Any:
    return _DNS.RRHeader(name, kind, dns.IN, record.ttl, record, auth=True)
