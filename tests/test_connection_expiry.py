"""What `Alg.expire` lets go of: media doors and bindings, with what is in use spared."""

from __future__ import annotations

from netaddr import IPAddress

from alg.config import AlgConfig, MediaMode, NatConfig, NatTimeouts
from alg.connection import Alg
from alg.nat.media import Door, MediaDoors
from alg.nat.table import Endpoint, Protocol, Use
from tests.edge.messages import request
from tests.helpers.feed import IN, OUT

TCP, UDP = Protocol.TCP, Protocol.UDP
INSIDE, POOL = b"10.0.30.2", b"64.100.0.10"


class Opener:
    """Makes doors where they are wanted."""

    def __init__(self) -> None:
        self.closings: list[str] = []

    def open(self, wanted: Endpoint) -> Endpoint:
        """There is always room."""
        return wanted

    def opened(self, door: Door) -> None:
        """Media may flow."""

    def joined(self, door: Door, partner: Door) -> None:
        """Both parties are known."""

    def closed(self, door: Door, reason: str) -> None:
        """One is closed."""
        self.closings.append(reason)


def alg_with_doors(opener: Opener) -> Alg:
    """With a pool, and times that tell doors from bindings."""
    nat = NatConfig(pool=(IPAddress(POOL.decode()),), timeouts=NatTimeouts(named=100.0))
    return Alg(AlgConfig(nat=nat, media=MediaMode.RELAY), MediaDoors(opener, idle_timeout=500.0))


def test_connections_and_their_ends() -> None:
    """Whatever stands is spared; without doors there is nothing else."""
    alg = Alg(AlgConfig(nat=NatConfig(pool=(IPAddress(POOL.decode()),))))
    ends = Endpoint(INSIDE, 40000), Endpoint(INSIDE, 40001)
    for end in ends:
        alg.table.endpoint(OUT, TCP, end, Use.CARRIED)
    for now in (0.0, 239.0, 240.0):
        alg.expire(now, ends[1:])
    assert [alg.table.exact(IN, TCP, end._replace(address=POOL)) for end in ends] == [None, ends[1]]


def test_a_door_keeps_its_bindings() -> None:
    """RTP and RTCP, for as long as the door is open and five minutes more, while others go; then they go as well."""
    opener = Opener()
    alg = alg_with_doors(opener)
    alg.connection().feed(OUT, request(INSIDE.decode()), 0.0)
    media = [Endpoint(POOL, port) for port in (49170, 49171)]
    for now in (0.0, 100.0, 400.0, 499.0):
        alg.expire(now, ())
    assert opener.closings == []
    assert alg.table.exact(IN, TCP, Endpoint(POOL, 5060), Use.QUOTED) is None
    assert [alg.table.exact(IN, UDP, end, Use.QUOTED) for end in media] == [(INSIDE, 49170), (INSIDE, 49171)]
    for now in (500.0, 798.0):
        alg.expire(now, ())
    assert opener.closings == ["inactivity"]
    assert [alg.table.exact(IN, UDP, end, Use.QUOTED) for end in media] == [(INSIDE, 49170), (INSIDE, 49171)]
    alg.expire(799.0, ())
    assert [alg.table.exact(IN, UDP, end) for end in media] == [None, None]
