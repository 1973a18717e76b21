"""Which zone a connection belongs to, and where a zone sends a call."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred

from harness.expressway.loading import parse_expressway
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.settings import Zone
from harness.peers.expressway_zones import ZoneDirectory
from harness.sip.flow import Target
from harness.sip.resolve import NotFound, Service
from tests.harness.peers.expressways import Records
from tests.harness.sip.fake_flow import FakeFlow

T = TypeVar("T")

CONFIGURATION = """
[[zone]]
Type = "TraversalServer"
Name = "Traversal"
"SIP Port" = 7003

[[zone]]
Type = "Neighbor"
Name = "CUCM"
"Peer Address" = ["192.0.2.21", "cucm02.example.com"]
"SIP Port" = 5065
"SIP Transport" = "TCP"

[[zone]]
Type = "DNS"
Name = "Webex"
"SIP DnsOverride Override" = "On"
"SIP DnsOverride Name" = "callservice.ciscospark.com"

[[zone]]
Type = "DNS"
Name = "DNS"
"SIP Default Transport" = "TCP"
"""


class Directory:
    """A directory, its name server and its log."""

    def __init__(self, configuration: str = CONFIGURATION) -> None:
        self.records = Records(**{"cucm02.example.com": "192.0.2.22"})
        self.expressway = parse_expressway(configuration, "here")
        self.sink = StringIO()
        log = DiagnosticLog(self.sink, "expe", lambda: datetime(2017, 9, 19, tzinfo=UTC))
        self.zones = ZoneDirectory(self.expressway, self.records, log)

    def targets(self, zone: str, alias: str = "bob@example.com") -> list[Target]:
        """Of a zone, by its name."""
        return result(self.zones.targets(self.zone(zone), alias))

    def zone(self, name: str) -> Zone:
        """By its name."""
        found = self.expressway.zone(name)
        assert found is not None
        return found

    def name(self, flow: FakeFlow) -> str:
        """Of the zone of a connection."""
        return self.zones.zone_of(flow).name


def result(coroutine: Coroutine[Any, Any, T]) -> T:
    """What comes of it at once."""
    found: list[Any] = []
    deferred = Deferred.fromCoroutine(coroutine)
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    if isinstance(found[0], Exception):
        raise found[0]
    value: T = found[0]
    return value


@pytest.fixture
def directory() -> Directory:
    """With its peers looked up."""
    directory = Directory()
    result(directory.zones.learn_peers())
    return directory


def inbound(host: str, port: int = 5060, kind: str = "TCP") -> FakeFlow:
    """A connection from a host to a port of ours."""
    return FakeFlow(True, kind, ("192.0.2.3", port), (host, 40000), True)


def outbound(host: str, port: int) -> FakeFlow:
    """A connection of ours."""
    return FakeFlow(True, "TLS", ("192.0.2.3", 41000), (host, port), False)


@pytest.mark.parametrize(
    ("flow", "zone"),
    [
        (inbound("192.0.2.2", 7003), "Traversal"),
        (inbound("192.0.2.21"), "CUCM"),
        (inbound("192.0.2.22"), "CUCM"),
        (inbound("192.0.2.23"), "DefaultZone"),
        (outbound("192.0.2.21", 5065), "CUCM"),
        (outbound("192.0.2.2", 7003), "DefaultZone"),
    ],
)
def test_by_port_and_address(directory: Directory, flow: FakeFlow, zone: str) -> None:
    """Of what has shown no certificate."""
    assert directory.name(flow) == zone


def test_by_certificate(directory: Directory) -> None:
    """It goes before port and address, as long as the connection stands."""
    flow = inbound("192.0.2.21", 5062, "TLS")
    directory.zones.admit(flow.local, flow.remote, "Webex")
    assert directory.name(flow) == "Webex"
    directory.zones.forget(flow)
    assert directory.name(flow) == "CUCM"


def test_what_a_traversal_client_has_connected() -> None:
    """Is its zone; a CUCM on the machine of the Expressway-E is in its own."""
    zones = (
        '[[zone]]\nType = "TraversalClient"\nName = "Traversal"\n"Peer Address" = ["192.0.2.21"]\n"SIP Port" = 7003\n'
    )
    directory = Directory(zones + CONFIGURATION.replace('Name = "Traversal"', 'Name = "Other"', 1))
    result(directory.zones.learn_peers())
    assert directory.name(outbound("192.0.2.21", 7003)) == "Traversal"
    assert directory.name(inbound("192.0.2.21")) == "CUCM"


def test_an_address_that_dns_gave(directory: Directory) -> None:
    """What we connect to is the DNS zone's; what comes from there is not."""
    directory.records.srv["_sips._tcp.callservice.ciscospark.com"] = [Service("l2sip.example", 5062)]
    directory.records.hosts["l2sip.example"] = "192.0.2.70"
    directory.targets("Webex")
    assert directory.name(outbound("192.0.2.70", 5062)) == "Webex"
    assert directory.name(inbound("192.0.2.70", 5062)) == "DefaultZone"


def test_peers(directory: Directory) -> None:
    """In their order, names looked up; those that are not found are left out, and without any it is an error."""
    assert directory.targets("CUCM") == [
        Target("TCP", "192.0.2.21", 5065, "192.0.2.21"),
        Target("TCP", "192.0.2.22", 5065, "cucm02.example.com"),
    ]
    directory.records.hosts.clear()
    assert len(directory.targets("CUCM")) == 1
    assert directory.zones.name_of("cucm02.example.com") == "CUCM"
    assert directory.zones.name_of("nobody") == ""


def test_a_traversal_zone_goes_back_on_a_connection(directory: Directory) -> None:
    """The last one that brought an OPTIONS and is still open."""
    with pytest.raises(NotFound):
        directory.targets("Traversal")
    first, second = inbound("192.0.2.2", 7003), inbound("192.0.2.4", 7003)
    for flow in (first, second, inbound("192.0.2.9")):
        directory.zones.probed(flow)
    assert directory.targets("Traversal") == [Target("TCP", *second.remote)]
    directory.zones.forget(second)
    assert directory.targets("Traversal") == [Target("TCP", *first.remote)]
    first.open = False
    with pytest.raises(NotFound):
        directory.targets("Traversal")


def test_the_override(directory: Directory) -> None:
    """Its name is looked up, the SRV record says the port; the log has question and answer as the guide has them."""
    directory.records.srv["_sips._tcp.callservice.ciscospark.com"] = [
        Service("l2sip-02.example", 5062, 5, 5, 300),
        Service("l2sip-01.example", 5062, 5, 10, 300),
    ]
    directory.records.hosts |= {"l2sip-01.example": "192.0.2.70", "l2sip-02.example": "192.0.2.71"}
    name = "callservice.ciscospark.com"
    assert directory.targets("Webex") == [
        Target("TLS", "192.0.2.70", 5062, name),
        Target("TLS", "192.0.2.71", 5062, name),
    ]
    asked, answered = directory.sink.getvalue().splitlines()
    assert f'Detail="Sending DNS query" Name="_sips._tcp.{name}" Type="SRV (IPv4 and IPv6)"' in asked
    assert (
        "Resolved hostname to: ['IPv4''TCP''192.0.2.70:5062'] (A/AAAA) ['IPv4''TCP''192.0.2.71:5062'] (A/AAAA) "
        "Hostname:'l2sip-01.example' Port:'5062' Priority:'5' TTL:'300' Weight:'10' (SRV)"
    ) in answered
    assert answered.endswith('Number of relevant records retrieved: 4"')


def test_a_domain_without_srv(directory: Directory) -> None:
    """Its address and the port of the transport; without an address it is not found, and the log says so."""
    directory.records.hosts["example.net"] = "192.0.2.80"
    assert directory.targets("DNS", "carol@example.net") == [Target("TCP", "192.0.2.80", 5060, "example.net")]
    with pytest.raises(NotFound):
        directory.targets("DNS", "carol@example.org")
    assert "Could not resolve hostname" in directory.sink.getvalue().splitlines()[-1]


def test_nobody_is_registered(directory: Directory) -> None:
    """The Local Zone has nobody."""
    with pytest.raises(NotFound):
        directory.targets("LocalZone")
