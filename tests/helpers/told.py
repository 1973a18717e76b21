"""A capture retold by hand: IPv4 packets of one side go in, those of the other come out."""

from __future__ import annotations

from typing import Any

from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.retelling import Retelling
from alg.trace import AnyRecord
from tests.helpers.ipv4 import Judged, judged, tcp
from tests.tcp.endpoint import ACK, SYN

POOL, REMOTE = "203.0.113.10", "192.0.2.1"


class Told:
    """A retelling with its records. `settings` are those of an `AlgConfig`."""

    def __init__(
        self, *maps: str, side: Direction = Direction.OUTWARD, pool: tuple[str, ...] = (), **settings: Any
    ) -> None:
        nat = NatConfig(
            tuple(AddressMap.parse(text) for text in maps),
            tuple(IPAddress(address) for address in pool),
            (IPNetwork("10.0.30.0/24"),),
        )
        self.records: list[tuple[int, AnyRecord]] = []
        self.retelling = Retelling(Alg(AlgConfig(nat=nat, **settings)), side, self._sink)
        self.now = 1_000_000.0

    def _sink(self, number: int) -> Any:
        return lambda record: self.records.append((number, record))

    def __call__(self, data: bytes) -> list[bytes]:
        """A packet; what stands for it."""
        return [counterpart.data for counterpart in self.retelling.retell(data, self.now)]

    def one(self, data: bytes) -> Judged:
        """The only packet that stands for one, its checksums right."""
        (out,) = self(data)
        return judged(out)

    @property
    def fates(self) -> dict[str, int]:
        """Packets by what became of them."""
        return dict(self.retelling.counters)

    def talk(self, ours: str, remote: str = REMOTE, port: int = 5060) -> None:
        """The handshake of a connection, which passes."""
        for data in (
            tcp((ours, 40000), (remote, port), 100, 0, SYN),
            tcp((remote, port), (ours, 40000), 500, 101, SYN | ACK),
            tcp((ours, 40000), (remote, port), 101, 501, ACK),
        ):
            assert len(self(data)) == 1
