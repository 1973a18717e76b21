"""What a tap on the NAT router is told of packets: where each came in, why it stayed, what left for it and where."""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.journal import Place
from alg.router import NatRouter
from tests.edge.messages import options, request
from tests.helpers.ipv4 import ECHO_REPLY, UDP, UNREACHABLE, echo, icmp, judged, packet, tcp, udp
from tests.tcp.endpoint import ACK, SYN, read

OUTWARD, INWARD = Direction.OUTWARD, Direction.INWARD
INSIDE, REMOTE, OUTSIDE = ("10.0.30.2", 40000), ("192.0.2.1", 5060), ("203.0.113.10", 40000)
POOL, MAPPED, MAPPED_OUTSIDE = "203.0.113.10", "10.0.30.7", "203.0.113.7"
SIDES = {OUTWARD: "inside", INWARD: "outside"}


class Session:
    """A router with a tap that writes down what it is told."""

    def __init__(self) -> None:
        network = IPNetwork("10.0.30.0/24")
        nat = NatConfig((AddressMap.parse(f"{MAPPED}={MAPPED_OUTSIDE}"),), (IPAddress(POOL),), (network,))
        self.router = NatRouter(Alg(AlgConfig(nat=nat)), (network,), tap=self)
        self.told: list[str] = []
        self.packets: list[bytes] = []
        self.places: list[Place | None] = []

    def came(self, side: Direction, data: bytes, why: str) -> None:
        """A packet came in."""
        self.told.append(f"> {SIDES[side]}" + (f": {why}" if why else ""))
        self.packets.append(data)

    def left(self, side: Direction, data: bytes, place: Place | None, ours: bool) -> None:
        """A packet left."""
        self.told.append(f"< {SIDES[side]}" + (", ours" if ours else ""))
        self.packets.append(data)
        self.places.append(place)

    def take(self, data: bytes) -> list[str]:
        """A packet; what the tap is told, which are the packets that go in and out."""
        self.told, self.packets, self.places = [], [], []
        out = self.router.handle(data, 0.0)
        assert self.packets == ([data, *out] if self.told else [])
        return self.told

    def outward(self, payload: bytes = b"", at: int = 0, flags: int = ACK) -> list[str]:
        """The inside sends a segment; offsets count from behind the SYN."""
        return self.take(tcp(INSIDE, REMOTE, 1 + at, 1, flags, payload))

    def inward(self, payload: bytes = b"", at: int = 0, ack: int = 0, flags: int = ACK) -> list[str]:
        """The outside sends a segment."""
        return self.take(tcp(REMOTE, OUTSIDE, 1 + at, 1 + ack, flags, payload))

    def open(self) -> None:
        """The handshake."""
        self.outward(at=-1, flags=SYN)
        self.inward(at=-1, flags=SYN | ACK)
        self.outward()


@pytest.fixture
def session() -> Session:
    """Before anything has happened."""
    return Session()


def test_both_ways(session: Session) -> None:
    """What comes in on one side leaves on the other, translated."""
    assert session.take(udp(INSIDE, REMOTE)) == ["> inside", "< outside"]
    assert judged(session.packets[1]).source == OUTSIDE
    assert session.take(udp(REMOTE, OUTSIDE)) == ["> outside", "< inside"]
    assert session.take(echo(INSIDE[0], REMOTE[0], 7)) == ["> inside", "< outside"]
    assert session.take(echo(REMOTE[0], POOL, 7, ECHO_REPLY)) == ["> outside", "< inside"]
    assert session.take(packet(MAPPED, REMOTE[0], 47, b"gre")) == ["> inside", "< outside"]
    assert session.take(tcp(INSIDE, (REMOTE[0], 80), 0, 0, SYN)) == ["> inside", "< outside"]
    assert session.places == [None]


def test_errors(session: Session) -> None:
    """An error crosses as what it is about did, the other way; also one that this machine says from its inside."""
    session.take(udp(INSIDE, REMOTE))
    quote = b"\0\0\0\0" + session.packets[1][:28]
    assert session.take(icmp("192.0.2.254", POOL, UNREACHABLE, 1, quote)) == ["> outside", "< inside"]
    assert session.take(icmp("10.0.30.1", POOL, UNREACHABLE, 1, quote)) == ["> outside", "< inside"]


def test_what_stays(session: Session) -> None:
    """With the reason that is counted."""
    assert session.take(udp(REMOTE, OUTSIDE)) == ["> outside: dropped: no binding"]
    assert session.take(udp(INSIDE, REMOTE).replace(b"\x3d", b"\x3e", 1)) == ["> inside: dropped: ip-checksum"]
    assert session.take(packet(INSIDE[0], REMOTE[0], UDP, bytes(7))) == ["> inside: dropped: udp-header"]
    session.open()
    damaged = tcp(INSIDE, REMOTE, 1, 1, ACK, b"data")[:-1] + b"b"
    assert session.take(damaged) == ["> inside: dropped: tcp-checksum"]
    assert session.take(udp(INSIDE, REMOTE)) == ["> inside", "< outside"]


def test_fragments(session: Session) -> None:
    """Those that wait came in; the last one brings the packet."""
    data = udp(INSIDE, REMOTE, bytes(200))
    first = packet(INSIDE[0], REMOTE[0], UDP, data[20:100], 0x2000)
    rest = packet(INSIDE[0], REMOTE[0], UDP, data[100:], 10)
    assert session.take(first) == ["> inside: waits for other fragments"]
    assert session.take(rest) == ["> inside", "< outside"]


def test_what_is_of_neither_side(session: Session) -> None:
    """This machine's own IPv6 comes to the device as well, and is not told of; nor does it explain what comes next."""
    assert session.take(b"\x60" + bytes(39)) == []
    assert session.take(b"") == []
    assert session.take(udp(INSIDE, REMOTE)) == ["> inside", "< outside"]


def test_not_the_nats_business(session: Session) -> None:
    """It leaves where its destination is."""
    assert session.take(udp(INSIDE, ("10.0.30.9", 1))) == ["> inside", "< inside"]
    assert session.take(udp(REMOTE, INSIDE)) == ["> outside", "< inside"]
    assert session.take(udp(REMOTE, ("192.0.2.9", 1))) == ["> outside", "< outside"]


def test_hairpin(session: Session) -> None:
    """From inside to inside by an outside address: it never was outside."""
    assert session.take(udp(INSIDE, (MAPPED_OUTSIDE, 53))) == ["> inside", "< inside"]
    assert judged(session.packets[1]).source == OUTSIDE


def test_what_we_say_ourselves(session: Session) -> None:
    """A spoofed acknowledgment leaves where the segment came in; what we send again is ours, what we release is not."""
    session.open()
    message = request(INSIDE[0])
    assert session.outward(message[:400]) == ["> inside", "< inside, ours"]
    assert session.outward(message[400:], at=400) == ["> inside", "< outside"]
    deadline = session.router.timer()
    assert deadline is not None
    session.told = []
    again = session.router.handle_timer(deadline)
    assert session.told == ["< outside, ours"]
    assert session.packets[-1:] == again


def test_where_bytes_stand(session: Session) -> None:
    """In what the rewriter wrote, and how much of that has arrived; the same for a segment that is sent again."""
    session.open()
    size, grown = len(options(INSIDE[0])), len(options(POOL))
    session.outward(options(INSIDE[0]))
    assert session.places == [Place(1, OUTWARD, 0, 0)]
    session.outward(options(INSIDE[0], 2), at=size)
    assert session.places == [Place(1, OUTWARD, grown, 0)]
    session.inward(b"\r\n", ack=grown)
    assert session.places == [Place(1, INWARD, 0, 0)]
    session.outward(options(INSIDE[0], 2), at=size)
    assert session.places == [Place(1, OUTWARD, grown, grown)]
    assert read(session.packets[1]).payload == options(POOL, 2)


def test_where_bytes_stand_behind_a_hairpin(session: Session) -> None:
    """In the connection that leads to the target: its own number, and its own direction."""
    session.take(tcp(INSIDE, (MAPPED_OUTSIDE, 5060), 0, 0, SYN))
    [place] = session.places
    assert place is not None
    assert (place.connection, place.direction) == (2, INWARD)
