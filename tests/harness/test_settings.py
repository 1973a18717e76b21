"""Configuration file and flags: what they become, which wins, and which errors name what."""

from __future__ import annotations

from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import PRIVATE_NETWORKS, AddressMap, AlgConfig, Limits, Malformed, MediaMode, NatTimeouts
from alg.direction import Direction
from alg.edge.entrance import Listener
from alg.errors import ConfigError
from harness.settings import Flags, Settings, alg_config, listeners, load_settings, resolve, split_host_port

FULL = """
events = "events.jsonl"
debug_ip_nat_sip = true
[alg]
l4f = false
sip_ports = [5060, 5070]
profile = "complete"
pool = ["64.100.0.10", "64.100.0.11"]
inside = ["10.0.0.0/8"]
malformed = "close"
max_header_bytes = 1000
max_body_bytes = 2000
[[map]]
inside = "10.0.30.2"
outside = "64.100.0.20"
[[map]]
inside = "10.0.30.3:5060"
outside = "64.100.0.21:5080"
[[listener]]
listen = "127.0.0.1:5060"
to = "127.0.0.2:5060"
[[listener]]
listen = "127.0.0.1:0"
to = "localhost:5061"
side = "outside"
[nat]
udp_timeout = 1
tcp_timeout = 2
tcp_transitory_timeout = 3.5
icmp_timeout = 4
named_timeout = 5
[media]
mode = "off"
idle_timeout = 12.5
"""


@pytest.fixture
def full(tmp_path: Path) -> Settings:
    """The settings of a file that says everything."""
    path = tmp_path / "full.toml"
    path.write_text(FULL)
    return load_settings(str(path))


def test_a_file_that_says_everything(full: Settings) -> None:
    """Every key arrives where it belongs."""
    config = alg_config(full, Flags())
    assert config.nat.maps == (
        AddressMap(IPAddress("10.0.30.2"), IPAddress("64.100.0.20")),
        AddressMap(IPAddress("10.0.30.3"), IPAddress("64.100.0.21"), 5060, 5080),
    )
    assert config.nat.pool == (IPAddress("64.100.0.10"), IPAddress("64.100.0.11"))
    assert config.nat.inside == (IPNetwork("10.0.0.0/8"),)
    assert config.nat.timeouts == NatTimeouts(udp=1.0, tcp=2.0, tcp_transitory=3.5, icmp=4.0, named=5.0)
    assert config.sip_ports == {5060, 5070}
    assert config.l4f is False
    assert config.media is MediaMode.OFF
    assert config.malformed is Malformed.CLOSE
    assert config.limits == Limits(1000, 2000)
    assert config.profile.name == "complete"
    assert (full.events, full.debug_ip_nat_sip, full.media.idle_timeout) == ("events.jsonl", True, 12.5)


def test_the_listeners_of_a_file(full: Settings) -> None:
    """Names of targets are looked up, the side defaults to inside, and named SIP ports make no listener one."""
    assert listeners(full, Flags(), None, None, None) == [
        Listener(("127.0.0.1", 5060), ("127.0.0.2", 5060), Direction.OUTWARD, sip=False),
        Listener(("127.0.0.1", 0), ("127.0.0.1", 5061), Direction.INWARD, sip=False),
    ]


def test_no_file() -> None:
    """Without a file and flags: no maps, SIP port 5060, L4F on, doors, and every limit at its default."""
    config = alg_config(load_settings(None), Flags())
    assert config == AlgConfig(media=MediaMode.RELAY)
    assert config.nat.inside == PRIVATE_NETWORKS


def test_flags_win(full: Settings) -> None:
    """A flag replaces what the file says; what no flag names stays."""
    flags = Flags(
        maps=("10.1.1.1=192.0.2.1",),
        pool=("192.0.2.2",),
        inside=("172.16.0.0/12",),
        sip_ports=(6000,),
        profile="complete",
        media="relay",
    )
    config = alg_config(full, flags)
    assert config.nat.maps == (AddressMap(IPAddress("10.1.1.1"), IPAddress("192.0.2.1")),)
    assert config.nat.pool == (IPAddress("192.0.2.2"),)
    assert config.nat.inside == (IPNetwork("172.16.0.0/12"),)
    assert config.sip_ports == {6000}
    assert config.media is MediaMode.RELAY
    assert (config.l4f, config.malformed) == (False, Malformed.CLOSE)


def test_no_l4f_wins() -> None:
    """The flag switches L4F off where the file leaves it on."""
    assert alg_config(Settings(), Flags(no_l4f=True)).l4f is False


def test_listening_flags_win(full: Settings) -> None:
    """--listen and --to replace all listeners of the file."""
    found = listeners(full, Flags(), "127.0.0.1:7000", "127.0.0.9:7001", None)
    assert found == [Listener(("127.0.0.1", 7000), ("127.0.0.9", 7001), Direction.OUTWARD, sip=False)]


def test_side_wins(full: Settings) -> None:
    """--side replaces the side of every listener of the file."""
    assert [entry.side for entry in listeners(full, Flags(), None, None, "outside")] == [Direction.INWARD] * 2


def test_a_listening_port_is_a_sip_port() -> None:
    """Unless SIP ports are named by flag or file, whatever port it is."""
    arguments = ("127.0.0.1:9999", "127.0.0.1:9998", None)
    assert listeners(Settings(), Flags(), *arguments)[0].sip is True
    assert listeners(Settings(), Flags(sip_ports=(5060,)), *arguments)[0].sip is False


@pytest.mark.parametrize(("listen", "to", "named"), [("127.0.0.1:1", None, "--to"), (None, "127.0.0.1:1", "--listen")])
def test_half_a_listener(full: Settings, listen: str | None, to: str | None, named: str) -> None:
    """--listen and --to come together, also beside a file that has listeners."""
    with pytest.raises(ConfigError, match=f"{named} is missing"):
        listeners(full, Flags(), listen, to, None)


def test_nothing_to_do() -> None:
    """No listener at all is an error that says how to name one."""
    with pytest.raises(ConfigError, match="--listen and --to"):
        listeners(Settings(), Flags(), None, None, None)


@pytest.mark.parametrize("text", ["", ":", "host", "5060", ":5060", "host:", "host:x", "host:65536", "host:-1", "h:5 "])
def test_no_host_and_port(text: str) -> None:
    """What is no HOST:PORT is told with the setting and the text."""
    with pytest.raises(ConfigError, match="--to: "):
        split_host_port(text, "--to")


def test_port_zero() -> None:
    """Any free port can be listened on, but not connected to."""
    assert split_host_port("127.0.0.1:0", "--listen", lowest=0) == ("127.0.0.1", 0)
    with pytest.raises(ConfigError, match="--to: '0' is no port"):
        split_host_port("127.0.0.1:0", "--to")


def test_resolve() -> None:
    """A literal stays, a name is looked up, and a name without an address is told."""
    assert resolve("127.0.0.7:5060", "--to") == ("127.0.0.7", 5060)
    assert resolve("localhost:5060", "--to") == ("127.0.0.1", 5060)
    for name in ("no.such.host.invalid", "a" * 300, "ü" * 300, ".."):
        with pytest.raises(ConfigError, match="--to: cannot resolve"):
            resolve(f"{name}:5060", "--to")
    with pytest.raises(ConfigError, match="--to: '::1': an IPv6 address"):
        resolve("::1:5060", "--to")


def test_listening_on_a_name() -> None:
    """Where to listen is an address, so that nothing listens where nobody meant it to."""
    with pytest.raises(ConfigError, match="--listen: 'localhost' is no IPv4 address"):
        listeners(Settings(), Flags(), "localhost:0", "127.0.0.1:9", None)


@pytest.mark.parametrize("text", ["udp_timeout = 0", "icmp_timeout = -1.5", 'tcp_timeout = "2h"', "tls_timeout = 1"])
def test_timeouts_that_are_none(tmp_path: Path, text: str) -> None:
    """Times of the NAT are seconds, and more than none; the error names the key."""
    path = tmp_path / "c.toml"
    path.write_text(f"[nat]\n{text}\n")
    with pytest.raises(ConfigError) as refusal:
        load_settings(str(path))
    assert "nat" in str(refusal.value)
    assert text.partition(" ")[0] in str(refusal.value)
