"""What a person may write in a setting, and what they are told when it makes no sense."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, Limits, NatConfig, NatTimeouts, parse_address, parse_network, parse_port
from alg.errors import ConfigError

addresses = st.integers(0, 2**32 - 1).map(lambda number: str(IPAddress(number, 4)))
ports = st.integers(1, 65535)


@given(addresses, addresses)
def test_map_of_an_address(inside: str, outside: str) -> None:
    """`INSIDE=OUTSIDE` is a map without ports, and prints as it is written."""
    parsed = AddressMap.parse(f"{inside}={outside}")
    assert (parsed.inside, parsed.outside) == (IPAddress(inside), IPAddress(outside))
    assert (parsed.inside_port, parsed.outside_port) == (None, None)
    assert str(parsed) == f"{inside}={outside}"


@given(addresses, ports, addresses, ports)
def test_map_of_an_address_and_port(inside: str, inside_port: int, outside: str, outside_port: int) -> None:
    """With ports on both sides it maps that port alone, and prints as it is written."""
    text = f"{inside}:{inside_port}={outside}:{outside_port}"
    parsed = AddressMap.parse(text)
    assert (parsed.inside_port, parsed.outside_port) == (inside_port, outside_port)
    assert str(parsed) == text


def test_map_may_have_spaces_around_the_sign() -> None:
    """In a file `10.0.30.2 = 64.100.0.10` reads better."""
    assert AddressMap.parse(" 10.0.30.2 = 64.100.0.10 ") == AddressMap.parse("10.0.30.2=64.100.0.10")


@pytest.mark.parametrize(
    "text",
    [
        *("", "=", "10.0.30.2", "10.0.30.2=", "=64.100.0.10", "10.0.30.2=64.100.0.10=1.2.3.4"),
        *("10.0.30=64.100.0.10", "010.0.30.2=64.100.0.10", "10.0.30.256=64.100.0.10", "1=2", "0x0a001e02=64.100.0.10"),
        *("10.0.30.2/32=64.100.0.10", "host=64.100.0.10", "::1=64.100.0.10", "::ffff:10.0.30.2=64.100.0.10"),
        *(
            "10.0.30.2:5060=64.100.0.10",
            "10.0.30.2=64.100.0.10:5060",
            "10.0.30.2:=64.100.0.10:",
            "10.0.30.2:0=64.100.0.10:1",
        ),
        *("10.0.30.2:65536=64.100.0.10:1", "10.0.30.2:-1=64.100.0.10:1", "10.0.30.2:5060=64.100.0.10:sip"),
        *("10.0.30.2:٥=64.100.0.10:1", "10.0.30.2:1_0=64.100.0.10:1", "10.0.30.2:+1=64.100.0.10:1"),
    ],
)
def test_map_that_is_none(text: str) -> None:
    """A map that makes no sense is refused with the setting's name and the value."""
    with pytest.raises(ConfigError, match=r"^map 3: '.*' (is|has) ") as caught:
        AddressMap.parse(text, "map 3")
    value = str(caught.value).split("'")[1]
    assert value in text


@given(st.text(max_size=40))
def test_any_text_is_a_map_or_an_error(text: str) -> None:
    """Whatever is typed, there is no traceback."""
    try:
        printed = str(AddressMap.parse(text))
    except ConfigError as error:
        printed = str(error)
    assert printed.startswith("--map: ") or "=" in printed


def test_address_and_port_name_their_setting() -> None:
    """One line says which setting is wrong, with which value."""
    with pytest.raises(ConfigError, match=r"^--pool: '10\.0\.0' is no IPv4 address"):
        parse_address("10.0.0", "--pool")
    with pytest.raises(ConfigError, match=r"^--sip-port: '70000' is no port \(1-65535\)$"):
        parse_port("70000", "--sip-port")
    with pytest.raises(ConfigError, match=r"^inside: '10\.0\.0\.0/33' is no IPv4 network$"):
        parse_network("10.0.0.0/33", "inside")


def test_port_zero_only_where_it_means_something() -> None:
    """Port 0 is any free port for a listener, and no port for a map."""
    assert parse_port("0", "--listen", lowest=0) == 0
    with pytest.raises(ConfigError):
        parse_port("0", "--map")


@pytest.mark.parametrize("text", ["", "x", "2001:db8::/32", "10.0.0.0/8/8", "10.0.0.0/-1", "/8", "10.0.0.0/"])
def test_network_that_is_none(text: str) -> None:
    """Only IPv4 networks are inside networks."""
    with pytest.raises(ConfigError):
        parse_network(text, "inside")


def test_network() -> None:
    """A network is written with its prefix length."""
    assert parse_network("10.0.30.0/24", "inside") == IPNetwork("10.0.30.0/24")


@pytest.mark.parametrize(
    ("one", "two", "side"),
    [
        ("10.0.30.2=64.100.0.10", "10.0.30.2=64.100.0.11", "inside"),
        ("10.0.30.2=64.100.0.10", "10.0.30.3=64.100.0.10", "outside"),
        ("10.0.30.2:1=64.100.0.10:1", "10.0.30.2:1=64.100.0.10:2", "inside"),
        ("10.0.30.2:1=64.100.0.10:1", "10.0.30.3:1=64.100.0.10:1", "outside"),
    ],
)
def test_ambiguous_maps_are_refused(one: str, two: str, side: str) -> None:
    """Two maps that contradict each other are both named."""
    with pytest.raises(ConfigError) as caught:
        NatConfig(maps=(AddressMap.parse(one), AddressMap.parse(two)))
    assert str(caught.value) == f"map {two}: its {side} is taken by {one}"


def test_port_maps_beside_an_address_map() -> None:
    """An address may have a map and some of its ports another."""
    texts = ("10.0.30.2=64.100.0.10", "10.0.30.2:1=64.100.0.11:1", "10.0.30.2:2=64.100.0.11:2")
    assert len(NatConfig(maps=tuple(AddressMap.parse(text) for text in texts)).maps) == 3


@pytest.mark.parametrize(("header", "body"), [(0, 0), (-1, 5), (1, -1)])
def test_limits_that_are_none(header: int, body: int) -> None:
    """Limits that would let nothing through are refused."""
    with pytest.raises(ConfigError, match=r"^limits: "):
        Limits(header, body)


def test_timeouts_that_are_none() -> None:
    """A binding that is released before it was used is refused, with the name of the setting."""
    with pytest.raises(ConfigError, match=r"^timeouts: icmp is 0 seconds$"):
        NatTimeouts(icmp=0)


def test_default_timeouts() -> None:
    """Those that the RFCs recommend, or the least that they ask for."""
    timeouts = NatTimeouts()
    assert (timeouts.udp, timeouts.icmp) == (5 * 60, 60)
    assert (timeouts.tcp, timeouts.tcp_transitory) == (2 * 3600 + 4 * 60, 4 * 60)


def test_defaults() -> None:
    """Without any setting the ALG is on for port 5060, with 64 KiB of header and 16 MiB of body."""
    config = AlgConfig()
    assert config.l4f
    assert config.sip_ports == {5060}
    assert (config.limits.max_header_bytes, config.limits.max_body_bytes) == (65536, 16777216)
    assert config.profile.name == "complete"


def test_configuration_cannot_be_changed_in_place() -> None:
    """A running connection never sees half of a new configuration."""
    with pytest.raises(FrozenInstanceError):
        AlgConfig().l4f = False  # type: ignore[misc]


@pytest.mark.parametrize(
    ("l4f", "ports", "applies"),
    [(True, None, True), (True, frozenset({1, 5060}), True), (True, frozenset({1, 2}), False), (False, None, False)],
)
def test_applies_to(l4f: bool, ports: frozenset[int] | None, applies: bool) -> None:
    """The ALG looks at SIP ports, and at nothing without L4F."""
    assert AlgConfig(l4f=l4f).applies_to(ports) is applies
