"""Who stands where, and what iproute2 is told to do about it."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError
from harness.lab.topology import INSIDE, OUTSIDE, Side, Topology


def test_the_default_lab() -> None:
    """Two endpoints, each with a default route to the router and no other."""
    batches = Topology().batches()
    assert batches == {
        "router": "link set lo up\n"
        "link add inside type veth peer name eth0 netns sipalg-inside\n"
        "address add 10.0.30.1/24 dev inside\n"
        "link set inside up\n"
        "link add outside type veth peer name eth0 netns sipalg-outside\n"
        "address add 203.0.113.1/24 dev outside\n"
        "link set outside up",
        "inside": "link set lo up\n"
        "address add 10.0.30.2/24 dev eth0\n"
        "link set eth0 up\n"
        "route add default via 10.0.30.1",
        "outside": "link set lo up\n"
        "address add 203.0.113.20/24 dev eth0\n"
        "link set eth0 up\n"
        "route add default via 203.0.113.1",
    }
    assert next(iter(batches)) == "router"


def test_several_endpoints_of_a_side() -> None:
    """The router has an address in each network, one that no endpoint has."""
    side = Side.parse("inside", ("10.0.30.1/24", "10.0.30.2/24", "10.0.31.9/30"))
    assert [str(address) for address in side.gateways()] == ["10.0.30.3/24", "10.0.31.10/30"]
    assert Topology(sides=(side, OUTSIDE)).addresses("router") == {
        "inside": {"10.0.30.3/24", "10.0.31.10/30"},
        "outside": {"203.0.113.1/24"},
    }


def test_names_tell_labs_apart() -> None:
    """Every namespace begins with sipalg, and has the lab's name if it has one."""
    assert [Topology().namespace(place) for place in Topology().places] == [
        "sipalg-inside",
        "sipalg-router",
        "sipalg-outside",
    ]
    assert Topology("two").namespace("router") == "sipalg-two-router"


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (("10.0.30.2",), "is no ADDRESS/LENGTH"),
        (("ten/24",), "is no ADDRESS/LENGTH"),
        (("10.0.30/24",), "is no ADDRESS/LENGTH"),
        (("2001:db8::1/64",), "is no ADDRESS/LENGTH"),
        (("10.0.30.2/31",), "no host of a network with room for a router"),
        (("10.0.30.0/24",), "no host of a network with room for a router"),
        (("10.0.30.255/24",), "no host of a network with room for a router"),
    ],
)
def test_addresses_that_make_no_endpoint(texts: tuple[str, ...], complaint: str) -> None:
    """The error names the option and the value."""
    with pytest.raises(ConfigError, match=complaint) as caught:
        Side.parse("inside", texts)
    assert str(caught.value).startswith(f"--inside: '{texts[0]}'")


def test_a_network_without_room() -> None:
    """Endpoints may not take every address."""
    with pytest.raises(ConfigError, match="has no address left for the router"):
        Side.parse("inside", ("10.0.30.1/30", "10.0.30.2/30")).gateways()


def test_sides_that_overlap() -> None:
    """A router between two halves of one network would route nothing."""
    with pytest.raises(ConfigError, match=r"--outside: 10\.0\.0\.0/16 overlaps 10\.0\.30\.0/24 of --inside"):
        Topology(sides=(INSIDE, Side.parse("outside", ("10.0.0.7/16",))))


@pytest.mark.parametrize("name", ["../x", "A", "a b", "-a", "a" * 33])
def test_names_that_are_none(name: str) -> None:
    """A lab's name becomes part of a file's."""
    with pytest.raises(ConfigError, match="--name"):
        Topology(name)
