"""Where a URI is (RFC 3263): SRV records for a name, addresses for a host, nothing to ask for an address.

Strategy: a URI comes in, targets in the order in which they are to be tried come out. With a port there is no SRV
(4.2); without one the transport says which service is asked for, and the SRV record says the port. NAPTR is not asked:
the products that are played here do not need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet import defer
from twisted.names import client, dns
from twisted.names.error import DomainError

from alg.errors import SipalgError
from harness.sip.flow import Target
from harness.sip.uri import Address, SipUri

_NAMES_RESOLVER: Any = client.Resolver
SERVICES = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}


class NotFound(SipalgError):
    """A name that there is no address for."""


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record (RFC 2782)."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0
    ttl: int = 0
    """seconds"""


class Questions(Protocol):
    """Who answers; both give an empty list for a name that is not there."""

    def services(self, name: str) -> defer.Deferred[list[Service]]:
        """The SRV records of a name such as `_sips._tcp.example.com`."""

    def addresses(self, host: str) -> defer.Deferred[list[str]]:
        """The IPv4 addresses of a host."""


Locate = Callable[[SipUri], "defer.Deferred[list[Target]]"]
"""Finds the targets of a URI; fails with NotFound."""


class Resolver:
    """Locates by DNS."""

    def __init__(self, questions: Questions, default: str = "UDP", services: Sequence[str] = ("TCP", "UDP")) -> None:
        """`default` is the transport of a URI that names none and has an address or a port (4.1); for one without
        those, `services` are asked for in turn.
        """
        self._questions = questions
        self._default = default
        self._services = services

    def __call__(self, uri: SipUri) -> defer.Deferred[list[Target]]:
        """As `Locate` has it."""
        return defer.Deferred.fromCoroutine(self._locate(uri))

    async def _locate(self, uri: SipUri) -> list[Target]:
        transport = uri.transport or self._default
        host = (uri.params.get("maddr") or uri.host).lower()
        if is_literal(host):
            return [literal_target(uri, self._default)]
        if uri.port is not None:
            return await self._hosts(transport, [(host, uri.port)], host)
        for wanted in (uri.transport,) if uri.transport in SERVICES else self._services:
            services = await self._questions.services(f"{SERVICES[wanted]}.{host}")
            if services:
                ordered = sorted(services, key=lambda each: (each.priority, -each.weight))
                return await self._hosts(wanted, [(each.host, each.port) for each in ordered], host)
        return await self._hosts(transport, [(host, uri.address[1])], host)

    async def _hosts(self, transport: str, places: Iterable[Address], name: str) -> list[Target]:
        found = []
        for host, port in places:
            addresses = [host] if is_literal(host) else await self._questions.addresses(host)
            found += [Target(transport, address, port, name) for address in addresses]
        if not found:
            raise NotFound(f"{name}: no address")
        return found


class Dns:
    """Questions to a DNS server."""

    def __init__(self, reactor: Any, server: Address, timeout: float = 2.0) -> None:
        """`timeout` is in seconds, for one question."""
        self._client: Any = _NAMES_RESOLVER(servers=[server], reactor=reactor, timeout=(timeout,))

    def services(self, name: str) -> defer.Deferred[list[Service]]:
        """As `Questions` has it."""
        return self._ask(self._client.lookupService(name), dns.SRV, _service)

    def addresses(self, host: str) -> defer.Deferred[list[str]]:
        """As `Questions` has it."""
        return self._ask(self._client.lookupAddress(host), dns.A, lambda header: header.payload.dottedQuad())

    def _ask(self, asked: Any, kind: int, read: Callable[[Any], Any]) -> defer.Deferred[Any]:
        asked.addCallback(lambda found: [read(each) for each in found[0] if each.type == kind])
        asked.addErrback(_nothing)
        found: defer.Deferred[Any] = asked
        return found


def locate_literal(default: str = "UDP") -> Locate:
    """Finds addresses alone; a name is NotFound."""

    def locate(uri: SipUri) -> defer.Deferred[list[Target]]:
        if not is_literal(uri.params.get("maddr") or uri.host):
            return defer.fail(NotFound(f"{uri.host}: is no address"))
        return defer.succeed([literal_target(uri, default)])

    return locate


def literal_target(uri: SipUri, default: str) -> Target:
    """The target of a URI whose host is an address."""
    transport = uri.transport or default
    port = uri.port or (5061 if transport == "TLS" else 5060)
    return Target(transport, (uri.params.get("maddr") or uri.host).lower(), port)


def is_literal(host: str) -> bool:
    """Whether a host is an IPv4 address."""
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts)


def _service(header: Any) -> Service:
    record = header.payload
    return Service(str(record.target), record.port, record.priority, record.weight, header.ttl)


def _nothing(reason: Any) -> list[Any]:
    """No such name, no answer, no server: nothing was found."""
    reason.trap(DomainError, defer.TimeoutError, OSError)
    return []
