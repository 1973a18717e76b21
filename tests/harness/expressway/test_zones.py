"""What a zone looks up, whom it asks, and which connections come in through it."""

from __future__ import annotations

import pytest

from harness.expressway.settings import (
    DnsZone,
    Expressway,
    LocalZone,
    NeighborZone,
    OnOff,
    System,
    Transport,
    TraversalClientZone,
    TraversalServerZone,
    Zone,
)
from harness.expressway.zones import (
    accepts_preloaded_routes,
    dns_zone_by_identities,
    lookup_domain,
    srv_name,
    whom_it_asks,
)
from tests.harness.expressway.configurations import HYBRID_DNS, WEBEX_ALIAS, expressway_e


def test_what_is_looked_up() -> None:
    """The domain of the request URI, unless DNS override names another: the difference between port 5061 and 5062."""
    plain, overriding = (expressway_e(override=value).zone(HYBRID_DNS) for value in ("Off", "On"))
    assert isinstance(plain, DnsZone)
    assert isinstance(overriding, DnsZone)
    assert srv_name(plain, WEBEX_ALIAS) == "_sips._tcp.dmzlab.call.ciscospark.com"
    assert srv_name(overriding, WEBEX_ALIAS) == "_sips._tcp.callservice.ciscospark.com"
    assert srv_name(DnsZone(name="a", default_transport=Transport.TCP), "bob@example.com") == "_sip._tcp.example.com"


@pytest.mark.parametrize("alias", ["bob@example.com", "example.com", "bob@example.com:5061", "example.com;lr"])
def test_the_domain_of_an_alias(alias: str) -> None:
    """Neither user nor port nor parameters."""
    assert lookup_domain(DnsZone(name="a"), alias) == "example.com"


@pytest.mark.parametrize(
    ("zone", "asked"),
    [
        (LocalZone(), "192.0.2.1:0"),
        (NeighborZone(name="a", peers=["192.0.2.2", "192.0.2.3"], port=5065), "192.0.2.2:5065"),
        (TraversalClientZone(name="a", peers=["expe.example.com"], port=7003), "expe.example.com:7003"),
        (TraversalServerZone(name="a"), ""),
        (NeighborZone(name="a"), ""),
        (DnsZone(name="a"), "_sips._tcp.example.com"),
    ],
)
def test_whom_a_zone_asks(zone: Zone, asked: str) -> None:
    """Its first peer, the name it looks up, or nobody where the other side connects."""
    assert whom_it_asks(Expressway(system=System(address_1="192.0.2.1")), zone, "bob@example.com") == asked


def test_who_accepts_preloaded_routes() -> None:
    """Zones in which it is on, and whoever is registered."""
    assert accepts_preloaded_routes(NeighborZone(name="a", preloaded_routes=OnOff.ON))
    assert not accepts_preloaded_routes(NeighborZone(name="a"))
    assert accepts_preloaded_routes(LocalZone())


SHOWN = ["l2sip-cfa-01.ciscospark.com", "CallService.ciscospark.com"]


def test_an_inbound_connection_is_mapped() -> None:
    """To the DNS zone that verifies one of the names in the certificate."""
    zone = dns_zone_by_identities(expressway_e(), SHOWN)
    assert zone is not None
    assert zone.name == HYBRID_DNS


def test_inbound_mapping_that_is_off() -> None:
    """The call lands in the default zone, although the certificate is right."""
    assert dns_zone_by_identities(expressway_e(classification="Off"), SHOWN) is None


def test_a_name_that_nobody_verifies() -> None:
    """A subject name that is misspelt is shown by no certificate; a zone that verifies nothing has no name."""
    assert dns_zone_by_identities(expressway_e(), ["callservice.ciscospark.example"]) is None
    careless = DnsZone(name="a", inbound_classification=OnOff.ON)
    assert dns_zone_by_identities(Expressway(zones=(careless,)), ["", *SHOWN]) is None
