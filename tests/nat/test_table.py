"""The NAT table: static maps, and the bindings of a pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, NatConfig
from alg.errors import ConfigError
from alg.nat.table import Endpoint, NatTable, Protocol
from tests.helpers.feed import IN, OUT, config_for

TCP, UDP = Protocol.TCP, Protocol.UDP
INSIDE, OUTSIDE = b"10.0.30.2", b"64.100.0.10"


def static(*pairs: tuple[str, str]) -> NatTable:
    """A table of static maps."""
    return NatTable(config_for(pairs).nat)


def pool(*addresses: str, **settings: object) -> NatTable:
    """A table with pool addresses."""
    return NatTable(pool_config(*addresses, **settings))


def pool_config(*addresses: str, maps: tuple[str, ...] = (), inside: tuple[str, ...] | None = None) -> NatConfig:
    """A configuration with pool addresses."""
    networks = {} if inside is None else {"inside": tuple(IPNetwork(network) for network in inside)}
    return NatConfig(
        maps=tuple(AddressMap.parse(entry) for entry in maps),
        pool=tuple(IPAddress(text) for text in addresses),
        **networks,
    )


def bound(table: NatTable, address: bytes, port: int, protocol: Protocol = TCP) -> Endpoint | None:
    """What stands for an inside endpoint outside."""
    return table.endpoint(OUT, protocol, Endpoint(address, port))


def test_address_map_keeps_ports() -> None:
    """A one-to-one map moves the address both ways and no port."""
    table = static(("10.0.30.2", "64.100.0.10"))
    assert bound(table, INSIDE, 5070) == (OUTSIDE, 5070)
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 5070)) == (INSIDE, 5070)
    assert table.address(OUT, INSIDE) == OUTSIDE
    assert table.address(IN, OUTSIDE) == INSIDE
    assert table.address(OUT, OUTSIDE) is None
    assert table.address(IN, INSIDE) is None
    assert bound(table, b"10.0.30.21", 5060) is None


def test_port_map_maps_one_port() -> None:
    """A map of a port says nothing of the address's other ports, nor of the address alone."""
    table = static(("10.0.30.2:27901", "64.100.0.10:4401"))
    assert bound(table, INSIDE, 27901) == (OUTSIDE, 4401)
    assert bound(table, INSIDE, 27901, UDP) == (OUTSIDE, 4401)
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 4401)) == (INSIDE, 27901)
    assert bound(table, INSIDE, 4401) is None
    assert table.address(OUT, INSIDE) is None


def test_port_maps_come_first() -> None:
    """An exact map wins over the map of its address, which holds for all other ports."""
    table = static(("10.0.30.2", "64.100.0.10"), ("10.0.30.2:5060", "64.100.0.11:5080"))
    assert bound(table, INSIDE, 5060) == (b"64.100.0.11", 5080)
    assert bound(table, INSIDE, 5061) == (OUTSIDE, 5061)
    assert table.exact(OUT, TCP, Endpoint(INSIDE, 5061)) is None
    assert table.general(OUT, TCP, Endpoint(INSIDE, 5060)) == (OUTSIDE, 5060)


def test_fixed_are_the_addresses_without_port_maps() -> None:
    """Only an address none of whose ports is mapped may be rewritten without reading its port."""
    table = static(("10.0.30.2", "64.100.0.10"), ("10.0.30.3", "64.100.0.11"), ("10.0.30.3:1", "64.100.0.12:1"))
    assert table.fixed[OUT] == {b"10.0.30.2": b"64.100.0.10"}
    assert set(table.fixed[IN]) == {b"64.100.0.10", b"64.100.0.11"}


@pytest.mark.parametrize(
    "pair",
    [
        ("0.0.0.0", "64.100.0.10"),
        ("10.0.30.2", "0.0.0.0"),
        ("224.0.0.1", "64.100.0.10"),
        ("10.0.30.2:1", "239.1.1.1:1"),
    ],
)
def test_addresses_that_stand_for_no_host(pair: tuple[str, str]) -> None:
    """Nobody can map 0.0.0.0 or multicast."""
    with pytest.raises(ConfigError, match="cannot be mapped"):
        static(pair)


def test_pool_keeps_a_free_port() -> None:
    """The first to use a port keeps it; the next of the same parity goes to the next one."""
    table = pool("64.100.0.10")
    assert bound(table, INSIDE, 5060) == (OUTSIDE, 5060)
    assert bound(table, b"10.0.30.3", 5060) == (OUTSIDE, 5062)
    assert bound(table, b"10.0.30.3", 5061) == (OUTSIDE, 5061)
    assert bound(table, b"10.0.30.4", 5061) == (OUTSIDE, 5063)
    assert bound(table, b"10.0.30.4", 5060) == (OUTSIDE, 5064)


def test_pool_wraps_around_above_the_well_known_ports() -> None:
    """When the ports above are taken the search goes on from 1024, of the same parity."""
    table = pool("64.100.0.10")
    assert [bound(table, b"10.0.30.%d" % host, 65535).port for host in range(1, 4)] == [65535, 1025, 1027]  # type: ignore[union-attr]
    assert [bound(table, b"10.0.30.%d" % host, 65534).port for host in range(1, 4)] == [65534, 1024, 1026]  # type: ignore[union-attr]
    assert [bound(table, b"10.0.30.%d" % host, 80).port for host in range(1, 4)] == [80, 1028, 1030]  # type: ignore[union-attr]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 65535), st.sampled_from([TCP, UDP])), max_size=40))
def test_pool_is_endpoint_independent(asked: list[tuple[int, int, Protocol]]) -> None:
    """One inside endpoint has one outside endpoint whoever it talks to, no two share one, and the way back is exact."""
    table = pool("64.100.0.10", "64.100.0.11")
    given_out: dict[tuple[Protocol, Endpoint], Endpoint] = {}
    paired: dict[bytes, bytes] = {}
    for host, port, protocol in asked * 2:
        inside = Endpoint(b"10.0.30.%d" % host, port)
        outside = table.endpoint(OUT, protocol, inside)
        assert outside is not None
        assert outside.port % 2 == port % 2
        assert given_out.setdefault((protocol, inside), outside) == outside
        assert (
            paired.setdefault(inside.address, outside.address) == outside.address == table.address(OUT, inside.address)
        )
        assert table.endpoint(IN, protocol, outside) == inside
    assert (
        len({(protocol, outside) for (protocol, _), outside in given_out.items()})
        == len(given_out)
        == len(table.bindings)
    )


def test_media_is_bound_in_pairs() -> None:
    """RTP and RTCP of a media line stay neighbours, so the far end finds RTCP on the next port."""
    table = pool("64.100.0.10")
    bound(table, b"10.0.30.9", 5005, UDP)
    assert table.media(OUT, Endpoint(INSIDE, 5004)) == (OUTSIDE, 5006)
    assert bound(table, INSIDE, 5005, UDP) == (OUTSIDE, 5007)
    assert table.media(OUT, Endpoint(INSIDE, 5004)) == (OUTSIDE, 5006)
    assert table.media(OUT, Endpoint(b"10.0.30.3", 5004)) == (OUTSIDE, 5008)
    assert bound(table, b"10.0.30.4", 5007, UDP) == (OUTSIDE, 5011)
    assert table.endpoint(IN, UDP, Endpoint(OUTSIDE, 5007)) == (INSIDE, 5005)


@pytest.mark.parametrize("port", [65534, 65535, 1, 2])
def test_media_ports_at_the_edge(port: int) -> None:
    """A media port at the end of the range is bound to a pair of ports that exist, of its own parity."""
    table = pool("64.100.0.10")
    for host in (b"10.0.30.2", b"10.0.30.3"):
        outside = table.media(OUT, Endpoint(host, port))
        assert outside is not None
        assert 0 < outside.port < 65535
        assert outside.port % 2 == port % 2
        assert table.endpoint(IN, UDP, outside) == (host, port)


def test_media_of_a_static_map_keeps_its_port() -> None:
    """A one-to-one map moves media by address alone; media of nobody is not moved."""
    table = static(("10.0.30.2", "64.100.0.10"))
    assert table.media(OUT, Endpoint(INSIDE, 5004)) == (OUTSIDE, 5004)
    assert table.media(IN, Endpoint(OUTSIDE, 5004)) == (INSIDE, 5004)
    assert table.media(OUT, Endpoint(b"192.0.2.1", 5004)) is None
    assert len(table.bindings) == 0


def test_which_side_an_address_is_on() -> None:
    """A pool's networks are inside; the pool and the outside of every map are outside."""
    table = pool("64.100.0.10", maps=("192.0.2.2=64.100.0.77", "192.0.2.3:1=64.100.0.78:1"), inside=("10.0.30.0/24",))
    assert [table.is_inside(address) for address in (INSIDE, b"10.0.31.2", b"64.100.0.10")] == [True, False, False]
    outside = (b"64.100.0.10", b"64.100.0.77", b"64.100.0.78")
    assert all(table.is_outside(address) for address in outside)
    assert not any(table.is_outside(address) for address in (INSIDE, b"192.0.2.2", b"64.100.0.11"))


def test_protocols_do_not_share_ports() -> None:
    """TCP signalling and UDP media may use the same number."""
    table = pool("64.100.0.10")
    assert bound(table, INSIDE, 5060, TCP) == bound(table, b"10.0.30.3", 5060, UDP) == (OUTSIDE, 5060)
    assert table.endpoint(IN, UDP, Endpoint(OUTSIDE, 5060)) == (b"10.0.30.3", 5060)


def test_pool_addresses_are_given_in_turn() -> None:
    """Hosts are spread over the pool, and stay where they are."""
    table = pool("64.100.0.10", "64.100.0.11")
    first = [table.address(OUT, b"10.0.30.%d" % host) for host in range(1, 5)]
    assert first == [b"64.100.0.10", b"64.100.0.11"] * 2
    assert [table.address(OUT, b"10.0.30.%d" % host) for host in range(1, 5)] == first


def test_pool_translates_inside_addresses_only() -> None:
    """What is not inside stays, as does what only looks like an inside address, and the pool itself."""
    table = pool("10.9.9.9", inside=("10.0.0.0/8",))
    assert bound(table, b"10.1.2.3", 5060) is not None
    for address in (b"192.168.1.1", b"10.9.9.9", b"010.1.2.3", b"10.1.2.256", b"10.1.2.03", b"0.0.0.0"):
        assert bound(table, address, 5060) is None
        assert table.address(OUT, address) is None


def test_pool_takes_private_networks_by_default() -> None:
    """Without a word about inside, RFC 1918 and RFC 6598 addresses are."""
    table = pool("64.100.0.10")
    inside = [b"10.1.1.1", b"172.16.0.1", b"172.31.255.254", b"192.168.0.1", b"100.64.0.1"]
    outside = [b"172.15.0.1", b"172.32.0.1", b"192.169.0.1", b"100.63.255.255", b"127.0.0.1", b"224.0.0.1"]
    assert all(table.address(OUT, address) for address in inside)
    assert not any(table.address(OUT, address) for address in outside)
    assert [hit[2] for hit in table.find[OUT](b" ".join(inside))] == inside


def test_static_maps_come_before_the_pool() -> None:
    """A host with a static map does not use the pool, and its outside ports are not given to others."""
    table = pool("64.100.0.10", maps=("10.0.30.2=64.100.0.77", "10.0.30.3:5060=64.100.0.10:5060"))
    assert bound(table, INSIDE, 5060) == (b"64.100.0.77", 5060)
    assert bound(table, b"10.0.30.3", 5060) == (OUTSIDE, 5060)
    assert bound(table, b"10.0.30.4", 5060) == (OUTSIDE, 5062)
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 5060)) == (b"10.0.30.3", 5060)


def test_inward_lookup_needs_a_binding() -> None:
    """From outside nobody is reached who did not speak first."""
    table = pool("64.100.0.10")
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 5060)) is None
    assert table.address(IN, OUTSIDE) is None
    bound(table, INSIDE, 5060)
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 5060)) == (INSIDE, 5060)
    assert table.endpoint(IN, TCP, Endpoint(OUTSIDE, 5062)) is None
    assert table.endpoint(IN, UDP, Endpoint(OUTSIDE, 5060)) is None


def test_exhausted_pool() -> None:
    """When no port of its parity is left a host stays untranslated, and nobody else loses a binding."""
    table = pool("64.100.0.10")
    for port in range(0, 65536, 2):
        assert bound(table, INSIDE, port) == (OUTSIDE, port)
    assert bound(table, b"10.0.30.3", 5060) is None
    assert bound(table, INSIDE, 5060) == (OUTSIDE, 5060)
    assert bound(table, b"10.0.30.3", 5061) == (OUTSIDE, 5061)
    assert bound(table, b"10.0.30.3", 5060, UDP) == (OUTSIDE, 5060)
    assert len(table.bindings) == 32768 + 2


def test_bindings_survive_a_new_table() -> None:
    """A new configuration with the old bindings gives old hosts their old ports."""
    old = pool("64.100.0.10", "64.100.0.11")
    before = [bound(old, b"10.0.30.%d" % host, 5060) for host in range(1, 5)]
    new = NatTable(pool_config("64.100.0.11", "64.100.0.10", maps=("10.0.30.9=64.100.0.99",)), old.bindings)
    assert [bound(new, b"10.0.30.%d" % host, 5060) for host in range(1, 5)] == before
    assert [new.endpoint(IN, TCP, outside) for outside in before if outside] == [
        (b"10.0.30.%d" % host, 5060) for host in range(1, 5)
    ]


def test_host_moves_when_its_pool_address_is_gone() -> None:
    """A host whose pool address is taken away gets another one."""
    old = pool("64.100.0.10")
    bound(old, INSIDE, 5060)
    new = NatTable(pool_config("64.100.0.20"), old.bindings)
    assert bound(new, INSIDE, 5060) == (b"64.100.0.20", 5060)
    assert new.endpoint(IN, TCP, Endpoint(b"64.100.0.20", 5060)) == (INSIDE, 5060)


def test_finder_finds_what_the_table_maps() -> None:
    """Outward it looks for inside addresses, inward for outside ones."""
    table = static(("10.0.30.2", "64.100.0.10"), ("10.0.30.3:1", "64.100.0.11:1"))
    text = b"10.0.30.2 10.0.30.3 64.100.0.10 64.100.0.11 192.0.2.1"
    mapped_out = {address for _, _, address in table.find[OUT](text)}
    mapped_in = {address for _, _, address in table.find[IN](text)}
    assert {b"10.0.30.2", b"10.0.30.3"} <= mapped_out
    assert {b"64.100.0.10", b"64.100.0.11"} <= mapped_in
    assert b"192.0.2.1" not in mapped_out | mapped_in


@pytest.mark.parametrize("network", ["10.0.30.0/24", "10.0.30.0/30", "10.0.0.0/9", "0.0.0.0/0", "10.0.30.2/32"])
def test_inside_networks_of_any_size(network: str) -> None:
    """Prefix lengths that end inside an octet are found and judged as others are."""
    table = pool("64.100.0.10", inside=(network,))
    text = b"10.0.30.2 11.0.30.2 10.200.1.1"
    translated = [hit[2] for hit in table.find[OUT](text) if table.address(OUT, hit[2])]
    assert translated == [address for address in text.split() if IPAddress(address.decode()) in IPNetwork(network)]


def test_endpoint_prints_as_people_write_it() -> None:
    """Records and logs show address and port with a colon."""
    assert str(Endpoint(INSIDE, 5060)) == "10.0.30.2:5060"
