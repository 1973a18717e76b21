"""A capture told as the other side saw it, packet by packet: both sides, maps, the pool, connections.

Packets are made and judged by hand (`tests.helpers.ipv4`), apart from the code under test.
"""

from __future__ import annotations

from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, NatConfig
from alg.direction import Direction
from alg.faults.spec import FaultSpec
from alg.nat.table import NatTable
from alg.retelling import Mapped
from alg.trace import MessageRecord
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.helpers.ipv4 import UDP, UNREACHABLE, echo, icmp, judged, packet, tcp, udp
from tests.helpers.told import POOL, REMOTE, Told
from tests.tcp.endpoint import ACK, FIN, RST, read

GRE = 47


def test_both_directions_of_an_inside_capture() -> None:
    """All have the outside address, in packets and in messages; acknowledgments have moved with these."""
    told = Told(MAP)
    told.talk(INSIDE)
    (sent,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, request(INSIDE)))
    assert judged(sent).source == (OUTSIDE, 40000)
    assert read(sent).payload == request(OUTSIDE)
    (came,) = told(tcp((REMOTE, 5060), (INSIDE, 40000), 501, 101 + len(request(INSIDE)), ACK, response(INSIDE)))
    assert (judged(came).source, judged(came).destination) == ((REMOTE, 5060), (OUTSIDE, 40000))
    assert read(came).payload == response(OUTSIDE)
    assert read(came).ack == 101 + len(request(OUTSIDE))
    messages = [record for _, record in told.records if isinstance(record, MessageRecord)]
    assert [record.direction for record in messages] == [Direction.OUTWARD, Direction.INWARD]
    assert told.fates == {"outward": 3, "inward": 2}
    assert told.retelling.connections == 1


def test_both_directions_of_an_outside_capture() -> None:
    """All have the inside address."""
    told = Told(MAP, side=Direction.INWARD)
    told.talk(OUTSIDE)
    (sent,) = told(tcp((OUTSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, request(OUTSIDE)))
    assert judged(sent).source == (INSIDE, 40000)
    assert read(sent).payload == request(INSIDE)
    (came,) = told(tcp((REMOTE, 5060), (OUTSIDE, 40000), 501, 101 + len(request(OUTSIDE)), ACK, response(OUTSIDE)))
    assert judged(came).destination == (INSIDE, 40000)
    assert read(came).payload == response(INSIDE)
    assert told.fates == {"outward": 3, "inward": 2}


def test_a_held_message_leaves_no_packet() -> None:
    """It is counted until it is complete."""
    told = Told(MAP)
    told.talk(INSIDE)
    message = request(INSIDE)
    assert told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, message[:300])) == []
    assert told.retelling.held == 300
    (sent,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), 401, 501, ACK, message[300:]))
    assert read(sent).payload == request(OUTSIDE)
    assert told.retelling.held == 0


def test_the_pool() -> None:
    """A port per inside endpoint, the same one for packets and for messages, whichever comes first."""
    told = Told(pool=(POOL,))
    assert told.one(udp((INSIDE, 5060), (REMOTE, 5060))).source == (POOL, 5060)
    assert told.one(udp(("10.0.30.3", 5060), (REMOTE, 5060))).source == (POOL, 5062)
    assert told.one(udp((REMOTE, 5060), ("10.0.30.3", 5060))).destination == (POOL, 5062)
    told.talk(INSIDE)
    (sent,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, options("10.0.30.4:5062")))
    assert read(sent).payload == options(f"{POOL}:5062")
    assert told.one(tcp(("10.0.30.4", 5062), (REMOTE, 80), 1, 1, ACK)).source == (POOL, 5062)


def test_what_the_pool_cannot_tell() -> None:
    """Of an outside capture, what is behind its ports; such packets go on as they came."""
    told = Told(MAP, side=Direction.INWARD, pool=(POOL,))
    for data in (
        udp((REMOTE, 9), (POOL, 5060)),
        tcp((POOL, 40000), (REMOTE, 5060), 1, 1, ACK, options(POOL)),
        echo(POOL, REMOTE, 7),
        packet(REMOTE, POOL, GRE, b"data"),
        icmp(REMOTE, POOL, UNREACHABLE, 1, bytes(4) + udp((POOL, 5060), (REMOTE, 9))[:28]),
    ):
        assert told(data) == [data]
    assert told.fates == {"unchanged: without a binding": 5}


def test_a_map_with_ports() -> None:
    """Only its endpoint is translated; another port of the same address has no counterpart."""
    told = Told("10.0.30.2:27901=64.100.0.10:4401")
    assert told.one(tcp((INSIDE, 27901), (REMOTE, 7003), 1, 1, ACK)).source == (OUTSIDE, 4401)
    assert told.one(tcp((REMOTE, 7003), (INSIDE, 27901), 1, 1, ACK)).destination == (OUTSIDE, 4401)
    for data in (udp((INSIDE, 5060), (REMOTE, 9)), echo(INSIDE, REMOTE, 1)):
        assert told(data) == [data]
    assert told.fates == {
        "outward": 1,
        "inward": 1,
        "unchanged: none or both ends mapped": 1,
        "unchanged: without a binding": 1,
    }


def test_a_map_with_ports_between_the_ends_of_one_machine() -> None:
    """Where both ends have the same address, the port tells which one is meant."""
    told = Told("127.0.0.1:40000=64.100.0.10:40000")
    told.talk("127.0.0.1", "127.0.0.1")
    (sent,) = told(tcp(("127.0.0.1", 40000), ("127.0.0.1", 5060), 101, 501, ACK, options("127.0.0.1:40000")))
    assert judged(sent).source == (OUTSIDE, 40000)
    assert judged(sent).destination == ("127.0.0.1", 5060)
    assert read(sent).payload == options(f"{OUTSIDE}:40000")


@pytest.mark.parametrize(
    "data",
    [
        udp(("192.0.2.9", 1), (REMOTE, 2)),
        udp((INSIDE, 1), ("10.0.30.3", 2)),
        tcp((INSIDE, 40000), ("10.0.30.3", 5060), 1, 1, ACK, options(INSIDE)),
        echo("10.0.30.3", INSIDE, 1),
        packet("10.0.30.3", INSIDE, GRE, b"data"),
        packet("192.0.2.9", REMOTE, UDP, bytes(8), word=0x2000),
    ],
)
def test_none_of_the_nats_business(data: bytes) -> None:
    """Packets between two mapped ends, and between two others, go on as they came."""
    told = Told(MAP, "10.0.30.3=64.100.0.11")
    assert told(data) == [data]
    assert told.fates == {"unchanged: none or both ends mapped": 1}


def test_packets_of_the_other_side() -> None:
    """Where a capture shows them as well, as one of all interfaces of a router does, they are told once."""
    told = Told(MAP, "10.0.30.3:27901=64.100.0.11:4401", pool=(POOL,))
    whole = udp((OUTSIDE, 5060), (REMOTE, 5060), bytes(100), word=0, number=9)
    for data in (
        udp((OUTSIDE, 9), (REMOTE, 9)),
        tcp((REMOTE, 5060), (OUTSIDE, 40000), 1, 1, ACK, options(INSIDE)),
        udp(("64.100.0.11", 4401), (REMOTE, 9)),
        udp((REMOTE, 9), (POOL, 1025)),
        echo(POOL, REMOTE, 7),
        packet(REMOTE, OUTSIDE, GRE, b"data"),
        icmp(REMOTE, OUTSIDE, UNREACHABLE, 1, bytes(4) + udp((OUTSIDE, 9), (REMOTE, 9))[:28]),
        packet(OUTSIDE, REMOTE, UDP, whole[20:60], word=0x2000, number=9),
        packet(OUTSIDE, REMOTE, UDP, whole[60:], word=5, number=9),
    ):
        assert told(data) == []
    assert told.fates == {"left out: of the other side": 8, "fragments": 1}
    elsewhere = udp(("64.100.0.11", 4402), (REMOTE, 9))
    assert told(elsewhere) == [elsewhere]
    assert told.one(udp(("10.0.30.4", 9), (OUTSIDE, 9))).source == (POOL, 9)


def test_packets_between_two_of_this_side() -> None:
    """They stay, though the address of one is also what another has on the other side."""
    told = Told("10.0.30.2=10.0.30.3", "10.0.30.3=64.100.0.11")
    data = udp(("10.0.30.2", 9), ("10.0.30.3", 9))
    assert told(data) == [data]


def test_packets_of_the_inside_in_an_outside_capture() -> None:
    """They are those with an address that a map names; others may be at home on either side."""
    told = Told(MAP, side=Direction.INWARD, pool=(POOL,))
    assert told(udp((INSIDE, 9), (REMOTE, 9))) == []
    half = packet("10.0.30.3", REMOTE, UDP, bytes(80), word=0x2000)
    for data in (udp(("10.0.30.3", 9), (REMOTE, 9)), half):
        assert told(data) == [data]
    assert told.fates == {"left out: of the other side": 1, "unchanged: none or both ends mapped": 2}


def test_padding() -> None:
    """What the link layer added behind a packet is no part of it."""
    told = Told(MAP)
    elsewhere = udp((REMOTE, 1), (REMOTE, 2), b"")
    assert told(elsewhere + bytes(18)) == [elsewhere]
    assert told(udp((INSIDE, 1), (REMOTE, 2), b"") + bytes(18)) == [udp((OUTSIDE, 1), (REMOTE, 2), b"")]


@pytest.mark.parametrize(
    ("port", "settings"), [(80, {}), (5060, {"l4f": False}), (5060, {"sip_ports": frozenset({8000})})]
)
def test_translated_only(port: int, settings: dict[str, Any]) -> None:
    """Other ports, and all ports without L4F: payload and numbers stay."""
    told = Told(MAP, **settings)
    told.talk(INSIDE, port=port)
    (sent,) = told(tcp((INSIDE, 40000), (REMOTE, port), 101, 501, ACK, request(INSIDE)[:300]))
    assert read(sent).payload == request(INSIDE)[:300]
    assert judged(sent).source == (OUTSIDE, 40000)
    assert told.retelling.connections == 0


def test_a_port_used_again() -> None:
    """A connection after another between the same ends has numbers of its own."""
    told = Told(MAP)
    told.talk(INSIDE)
    told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, options(INSIDE)))
    told(tcp((INSIDE, 40000), (REMOTE, 5060), 101 + len(options(INSIDE)), 501, RST | ACK))
    told.talk(INSIDE)
    (sent,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, options(INSIDE)))
    assert (read(sent).seq, read(sent).payload) == (101, options(OUTSIDE))
    assert told.retelling.connections == 2


def test_bindings_that_an_alg_would_have_released() -> None:
    """By the time of the capture the pool gives a port again, but not that of a connection that stands."""
    told = Told(pool=(POOL,))
    told.one(udp((INSIDE, 5060), (REMOTE, 9)))
    told.talk(INSIDE)
    for _ in range(2):
        told.now += 400.0
        told.one(udp((INSIDE, 9), (REMOTE, 9)))
    assert told.one(udp(("10.0.30.3", 5060), (REMOTE, 9))).source == (POOL, 5060)
    assert told.one(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK)).source == (POOL, 40000)


def test_connections_that_an_alg_would_have_forgotten() -> None:
    """After two hours of silence a connection is joined in mid-stream; a clock that was put back is no silence."""
    told = Told(MAP)
    told.talk(INSIDE)
    for silence in (1.0, -8000.0, 8020.0, 8000.0):
        told.now += silence
        at = 101 if silence == 1.0 else 101 + len(options(INSIDE))
        (sent,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), at, 501, ACK, options(INSIDE)))
        forgotten = silence == 8000.0
        assert read(sent).payload == options(INSIDE if forgotten else OUTSIDE)
        assert read(sent).seq == (at if forgotten or silence == 1.0 else at + 2)


def test_records_go_with_packets() -> None:
    """Each packet has those of the messages in it; sinks are asked for by the number of the connection."""
    told = Told(MAP)
    told.talk(INSIDE)
    (out,) = told.retelling.retell(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, options(INSIDE)), told.now)
    assert [record.summary.title for record in out.records] == ["OPTIONS"]
    told(tcp((INSIDE, 40000), (REMOTE, 5060), 101 + len(options(INSIDE)), 501, FIN | ACK))
    told.talk("10.0.30.2", "192.0.2.2")
    told(tcp((INSIDE, 40000), ("192.0.2.2", 5060), 101, 501, ACK, options(INSIDE)))
    assert [number for number, _ in told.records] == [1, 2]


def test_faults() -> None:
    """They strike what went to the other side; what came from there was right. What was dropped never was there."""
    told = Told(MAP, faults=(FaultSpec.parse("stale-content-length"), FaultSpec.parse("unknown-method-dropped")))
    told.talk(INSIDE)
    service = options(INSIDE).replace(b"OPTIONS", b"SERVICE")
    sent, theirs = service + request(INSIDE), 501
    stale = request(OUTSIDE).replace(b"Length:   %d" % body_size(OUTSIDE), b"Length:   %d" % body_size(INSIDE))
    assert told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, theirs, ACK, service)) == []
    assert told(tcp((REMOTE, 5060), (INSIDE, 40000), theirs, 101 + len(service), ACK)) == []
    (invite,) = told(tcp((INSIDE, 40000), (REMOTE, 5060), 101 + len(service), theirs, ACK, request(INSIDE)))
    assert (read(invite).seq, read(invite).payload) == (101, stale)
    (answer,) = told(tcp((REMOTE, 5060), (INSIDE, 40000), theirs, 101 + len(sent), ACK, response(INSIDE) + service))
    assert (read(answer).ack, read(answer).payload) == (
        101 + len(stale),
        response(OUTSIDE) + options(OUTSIDE).replace(b"OPTIONS", b"SERVICE"),
    )


def body_size(host: str) -> int:
    """Bytes of a request's body."""
    return len(request(host).partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("way", "address", "port", "expected"),
    [
        (Direction.OUTWARD, INSIDE, None, True),
        (Direction.OUTWARD, INSIDE, 9, True),
        (Direction.OUTWARD, OUTSIDE, None, False),
        (Direction.OUTWARD, "10.0.30.3", None, True),
        (Direction.OUTWARD, "10.0.30.3", 27901, True),
        (Direction.OUTWARD, "10.0.40.3", None, True),
        (Direction.OUTWARD, "10.0.40.3", 27901, True),
        (Direction.OUTWARD, "10.0.40.3", 27902, False),
        (Direction.OUTWARD, POOL, None, False),
        (Direction.OUTWARD, "10.0.30.200", None, False),
        (Direction.OUTWARD, REMOTE, None, False),
        (Direction.INWARD, OUTSIDE, 9, True),
        (Direction.INWARD, POOL, 9, True),
        (Direction.INWARD, "64.100.0.11", None, True),
        (Direction.INWARD, "64.100.0.11", 4401, True),
        (Direction.INWARD, "64.100.0.11", 4402, False),
        (Direction.INWARD, INSIDE, None, False),
    ],
)
def test_what_is_mapped(way: Direction, address: str, port: int | None, expected: bool) -> None:
    """Maps of addresses, maps of endpoints, and the pool."""
    maps = (AddressMap.parse(MAP), AddressMap.parse("10.0.40.3:27901=64.100.0.11:4401"))
    table = NatTable(NatConfig(maps, (IPAddress(POOL), IPAddress("10.0.30.200")), (IPNetwork("10.0.30.0/24"),)))
    assert Mapped(table, way).has(address.encode(), port) is expected
