"""When a pool takes back what it gave out (RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2).

Times are long against the few seconds between two calls of `expire`, in whose favour they are rounded.
"""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from alg.config import NatConfig, NatTimeouts
from alg.nat.table import Endpoint, NatTable, Protocol, Use
from tests.helpers.feed import IN, OUT

TCP, UDP, ICMP = Protocol.TCP, Protocol.UDP, Protocol.ICMP
HOST, OTHER, POOL = b"10.0.30.2", b"10.0.30.3", b"64.100.0.10"
INSIDE, OUTSIDE = Endpoint(HOST, 40000), Endpoint(POOL, 40000)
TIMES = NatTimeouts(udp=300.0, tcp=7440.0, tcp_transitory=240.0, icmp=60.0, named=1000.0)


@pytest.fixture
def table() -> NatTable:
    """A table with one pool address."""
    return NatTable(NatConfig(pool=(IPAddress(POOL.decode()),), timeouts=TIMES))


def lives_until(table: NatTable, since: float, last: float) -> None:
    """The binding of INSIDE, last used between `since` and the next call, is released at `last` and not before."""
    table.expire(since)
    table.expire(last - 0.1)
    assert len(table.bindings) == 1
    table.expire(last)
    assert len(table.bindings) == 0


@pytest.mark.parametrize(
    ("protocol", "use", "lifetime"),
    [
        (UDP, Use.CARRIED, 300.0),
        (TCP, Use.CARRIED, 240.0),
        (ICMP, Use.CARRIED, 60.0),
        (TCP, Use.NAMED, 1000.0),
        (UDP, Use.NAMED, 1000.0),
    ],
)
def test_how_long(table: NatTable, protocol: Protocol, use: Use, lifetime: float) -> None:
    """A packet keeps a binding for the time of its protocol, a message for that of messages."""
    assert table.endpoint(OUT, protocol, INSIDE, use) == OUTSIDE
    lives_until(table, 10.0, 10.0 + lifetime)
    assert table.endpoint(IN, protocol, OUTSIDE, use) is None


def test_traffic_refreshes(table: NatTable) -> None:
    """Both ways (RFC 4787 REQ-6)."""
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    table.expire(200.0)
    assert table.endpoint(OUT, UDP, INSIDE, Use.CARRIED) == OUTSIDE
    table.expire(210.0)
    table.expire(400.0)
    assert table.endpoint(IN, UDP, OUTSIDE, Use.CARRIED) == INSIDE
    lives_until(table, 410.0, 710.0)


def test_a_message_refreshes(table: NatTable) -> None:
    """Whoever names the outside address, or the inside one, keeps it; also for media."""
    table.endpoint(OUT, TCP, INSIDE)
    table.media(OUT, Endpoint(HOST, 5004))
    table.expire(0.0)
    table.expire(900.0)
    assert table.exact(IN, TCP, OUTSIDE) == INSIDE
    assert table.media(OUT, Endpoint(HOST, 5004)) == (POOL, 5004)
    table.expire(910.0)
    table.expire(1909.0)
    assert [table.exact(IN, UDP, Endpoint(POOL, port)) for port in (5004, 5005)] == [(HOST, 5004), (HOST, 5005)]
    table.expire(1910.0)
    table.expire(2910.0)
    assert len(table.bindings) == 0


def test_a_packet_does_not_shorten_what_a_message_gave(table: NatTable) -> None:
    """The longer of both holds, in whichever order."""
    table.endpoint(OUT, UDP, INSIDE, Use.NAMED)
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    lives_until(table, 10.0, 1000.0)


def test_an_error_refreshes_nothing(table: NatTable) -> None:
    """RFC 5508 REQ-6: whoever sends ICMP errors cannot keep a binding alive, nor make one that stays."""
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    table.endpoint(IN, UDP, OUTSIDE, Use.QUOTED)
    table.endpoint(OUT, UDP, INSIDE, Use.QUOTED)
    lives_until(table, 200.0, 300.0)
    table.endpoint(OUT, UDP, INSIDE, Use.QUOTED)
    table.expire(310.0)
    assert len(table.bindings) == 0


def test_what_is_in_use(table: NatTable) -> None:
    """A silent connection keeps its binding for as long as it stands, and four minutes more."""
    table.endpoint(OUT, TCP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    for now in range(1000, 9000, 1000):
        table.expire(float(now), {(TCP, INSIDE), (UDP, INSIDE)})
        assert len(table.bindings) == 1
    lives_until(table, 8000.1, 8000.0 + 240.0)


def test_only_its_own_protocol_is_in_use(table: NatTable) -> None:
    """A TCP connection does not keep the UDP port of the same number."""
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    table.expire(300.0, {(TCP, INSIDE)})
    assert len(table.bindings) == 0


def test_ports_are_free_again(table: NatTable) -> None:
    """Another host gets the port, and the first one another when it comes back."""
    table.endpoint(OUT, UDP, INSIDE, Use.CARRIED)
    table.expire(0.0)
    assert table.endpoint(OUT, UDP, Endpoint(OTHER, 40000), Use.CARRIED) == (POOL, 40002)
    table.expire(10.0)
    table.expire(300.0)
    assert table.endpoint(OUT, UDP, Endpoint(b"10.0.30.4", 40000), Use.CARRIED) == OUTSIDE
    assert table.endpoint(IN, UDP, Endpoint(POOL, 40002), Use.CARRIED) == (OTHER, 40000)
    assert table.endpoint(OUT, UDP, INSIDE, Use.CARRIED) not in (OUTSIDE, (POOL, 40002))


def test_a_pool_that_was_exhausted(table: NatTable) -> None:
    """Once bindings are released there are ports again, one for each."""
    for port in range(0, 65536, 2):
        table.endpoint(OUT, UDP, Endpoint(HOST, port), Use.CARRIED)
    table.expire(0.0)
    assert table.endpoint(OUT, UDP, Endpoint(OTHER, 4000), Use.CARRIED) is None
    kept = [Endpoint(HOST, port) for port in range(0, 65536, 2) if port % 100]
    for endpoint in kept:
        table.endpoint(OUT, UDP, endpoint, Use.CARRIED)
    table.expire(100.0)
    table.expire(300.0)
    assert len(table.bindings) == len(kept)
    found = [table.endpoint(OUT, UDP, Endpoint(OTHER, port), Use.CARRIED) for port in range(0, 2000, 2)]
    assert len({endpoint for endpoint in found if endpoint}) == 32768 - len(kept)


def test_a_host_that_moved(table: NatTable) -> None:
    """The binding on a pool address that is gone goes with time; the new one stays."""
    table.endpoint(OUT, TCP, INSIDE, Use.CARRIED)
    new = NatTable(NatConfig(pool=(IPAddress("64.100.0.20"),), timeouts=TIMES), table.bindings)
    assert new.endpoint(OUT, TCP, INSIDE, Use.NAMED) == (b"64.100.0.20", 40000)
    new.expire(0.0)
    assert new.exact(IN, TCP, OUTSIDE, Use.QUOTED) == INSIDE
    new.expire(240.0)
    assert new.exact(IN, TCP, OUTSIDE) is None
    assert new.exact(IN, TCP, Endpoint(b"64.100.0.20", 40000)) == INSIDE


def test_static_maps_do_not_expire() -> None:
    """They are the configuration's."""
    table = NatTable(NatConfig(timeouts=TIMES))
    table.expire(1e9)
    assert len(table.bindings) == 0


def test_a_pool_address_for_many_hosts() -> None:
    """A host keeps its pool address, but not a million hosts that only ever passed by."""
    pool = tuple(IPAddress(f"64.100.0.{number}") for number in range(10, 14))
    table = NatTable(NatConfig(pool=pool, timeouts=TIMES))
    bound = table.endpoint(OUT, UDP, INSIDE)
    assert bound is not None
    addresses = [b"10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255) for number in range(70_000)]
    for address in addresses:
        table.address(OUT, address)
    table.expire(0.0)
    assert len(table.bindings._paired) == 1
    assert table.address(OUT, HOST) == bound.address
