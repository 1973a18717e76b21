"""Real peers as they are named on the command line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.scenarios.registry import find
from harness.scenarios.strangers import Strangers


def parse(*peers: str, network: str | None = None, certificates: str | None = None) -> Strangers:
    """With the default wait."""
    return Strangers.parse(peers, 60.0, network, certificates)


def test_nobody() -> None:
    """Nothing is in the way of running several scenarios at a time."""
    assert parse() == Strangers()
    assert not parse().alone


def test_peers_by_name() -> None:
    """Each with its address; a busy one is not asked for twice at a time."""
    found = parse("webex=127.0.0.9:5062", "cucm=localhost:5060")
    assert found.peers == {"webex": ("127.0.0.9", 5062), "cucm": ("127.0.0.1", 5060)}
    assert found.alone


def test_a_network_of_this_machine(tmp_path: Path) -> None:
    """By its first three numbers; peers elsewhere can be reached from it. It is free again behind that."""
    found = parse("cucm=192.0.2.9:5060", network="127.99.8.0/24", certificates=str(tmp_path))
    assert (found.network, found.certificates) == ("127.99.8", str(tmp_path))
    assert parse(network="127.99.8.0/24").alone


@pytest.mark.parametrize(
    ("peer", "network", "complaint"),
    [
        ("webex", None, "--peer webex: not NAME=HOST:PORT"),
        ("=127.0.0.1:1", None, "--peer =127.0.0.1:1: not NAME=HOST:PORT"),
        ("webex=127.0.0.1", None, "--peer webex: '127.0.0.1' is not HOST:PORT"),
        (
            "cucm=192.0.2.9:5060",
            None,
            "--peer cucm: 192.0.2.9 cannot be reached from loopback, where the other peers are; give --network NET, a "
            "/24 of which this machine has all addresses",
        ),
        ("webex=127.0.0.1:1", "10.9.8.0/23", "--network 10.9.8.0/23: not a /24"),
        ("webex=127.0.0.1:1", "10.9.8.1/24", "--network 10.9.8.1/24: 10.9.8.1/24 has host bits set"),
        ("webex=127.0.0.1:1", "fe80::/64", "--network fe80::/64: an IPv6 network; only IPv4 is translated"),
        ("webex=127.0.0.1:1", "lab", "--network lab: Expected 4 octets in 'lab'"),
        (
            "webex=127.0.0.1:1",
            "192.0.2.0/24",
            "--network 192.0.2.0/24: 192.0.2.254: Cannot assign requested address; "
            "try `ip route add local 192.0.2.0/24 dev lo`",
        ),
    ],
)
def test_what_cannot_be(peer: str, network: str | None, complaint: str) -> None:
    """Told with the option, and with what to do."""
    with pytest.raises(ConfigError) as caught:
        parse(peer, network=network)
    assert str(caught.value) == complaint


def test_who_has_one_part_alone() -> None:
    """Nobody is left out without a word."""
    with pytest.raises(ConfigError, match="--peer cucm: given twice"):
        parse("cucm=127.0.0.1:1", "webex=127.0.0.1:2", "cucm=127.0.0.1:3")


def test_a_network_that_is_in_use() -> None:
    """By another run, maybe."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.99.7.254", 5060))
        with pytest.raises(ConfigError, match=r"127\.99\.7\.254: Address already in use"):
            parse(network="127.99.7.0/24")


def test_certificates_that_are_nowhere(tmp_path: Path) -> None:
    """With the command that makes them."""
    with pytest.raises(ConfigError, match="no directory; `sipalg certs make` writes one"):
        parse(certificates=str(tmp_path / "none"))


def test_who_speaks_tls_needs_certificates(tmp_path: Path) -> None:
    """Who is not in the scenario, or does not speak TLS in it, needs none."""
    known = parse("webex=127.0.0.1:5062", certificates=str(tmp_path))
    known.admit(find("T1"))
    parse("cucm=127.0.0.1:5060").admit([*find("T1"), *find("nat-reflection")])
    with pytest.raises(ConfigError, match=r"^--peer webex: speaks TLS in webex-ca-not-trusted, .* give --certs DIR"):
        parse("webex=127.0.0.1:5062").admit(find("T1"))
