"""A capture told as the other side saw it: ICMP, fragments, packets that are cut or damaged."""

from __future__ import annotations

import struct

import pytest

from alg.retelling import Counterpart
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.helpers.ipv4 import ECHO_REPLY, TCP, UDP, UNREACHABLE, echo, icmp, judged, packet, tcp, udp
from tests.helpers.told import POOL, REMOTE, Told
from tests.tcp.endpoint import ACK

ROUTER = "10.0.30.1"
GRE = 47


def test_pings() -> None:
    """With a pool their identifiers are mapped like ports."""
    told = Told(pool=(POOL,))
    assert told.one(echo(INSIDE, REMOTE, 7)).source == (POOL, 7)
    assert told.one(echo("10.0.30.3", REMOTE, 7)).source == (POOL, 1025)
    assert told.one(echo(REMOTE, "10.0.30.3", 7, ECHO_REPLY)).destination == (POOL, 1025)


def test_other_protocols() -> None:
    """Their addresses are translated."""
    told = Told(MAP)
    assert told.one(packet(INSIDE, REMOTE, GRE, b"data")).source == (OUTSIDE, 0)
    assert told.one(packet(REMOTE, INSIDE, GRE, b"data")).destination == (OUTSIDE, 0)
    assert told(icmp(REMOTE, INSIDE, 9, 0, bytes(4))) == [icmp(REMOTE, OUTSIDE, 9, 0, bytes(4))]


def test_an_error_about_an_outward_packet() -> None:
    """It quotes the packet as it was on the other side, its sequence number too."""
    told = Told(MAP)
    told.talk(INSIDE)
    first = tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, options(INSIDE))
    told(first)
    second = tcp((INSIDE, 40000), (REMOTE, 5060), 101 + len(options(INSIDE)), 501, ACK, options(INSIDE))
    error = told(icmp("192.0.2.254", INSIDE, UNREACHABLE, 1, bytes(4) + second[:28]))
    seen = judged(error[0])
    assert (seen.source, seen.destination) == (("192.0.2.254", 0), (OUTSIDE, 0))
    assert seen.quoted is not None
    assert (seen.quoted.source, seen.quoted.destination) == ((OUTSIDE, 40000), (REMOTE, 5060))
    assert struct.unpack_from("!I", error[0], 28 + 20 + 4) == (101 + len(options(OUTSIDE)),)
    assert told.fates["inward"] == 2


def test_an_error_about_an_inward_packet() -> None:
    """From the inside host itself, or from a router there that has an outside address too."""
    told = Told(MAP, f"{ROUTER}=64.100.0.1")
    about = udp((REMOTE, 9), (INSIDE, 5060))
    for reporter, shown in ((INSIDE, OUTSIDE), (ROUTER, "64.100.0.1")):
        seen = told.one(icmp(reporter, REMOTE, UNREACHABLE, 3, bytes(4) + about[:28]))
        assert (seen.source, seen.destination) == ((shown, 0), (REMOTE, 0))
        assert seen.quoted is not None
        assert (seen.quoted.source, seen.quoted.destination) == ((REMOTE, 9), (OUTSIDE, 5060))
    assert told.fates == {"outward": 2}


def test_an_error_with_ports() -> None:
    """A map of one endpoint tells the address of the host as well."""
    told = Told("10.0.30.2:27901=64.100.0.10:4401")
    about = tcp((INSIDE, 27901), (REMOTE, 7003), 1, 1, ACK)
    seen = told.one(icmp(REMOTE, INSIDE, UNREACHABLE, 3, bytes(4) + about[:28]))
    assert seen.destination == (OUTSIDE, 0)
    assert seen.quoted is not None
    assert seen.quoted.source == (OUTSIDE, 4401)


def test_an_error_about_something_else() -> None:
    """The addresses of the error itself are translated."""
    told = Told(MAP)
    assert told.one(
        icmp(REMOTE, INSIDE, UNREACHABLE, 3, bytes(4) + packet(INSIDE, REMOTE, GRE, bytes(8)))
    ).destination == (OUTSIDE, 0)


def test_fragments() -> None:
    """A packet of which all fragments are there leaves with the last of them; others do not leave, and are counted."""
    told = Told(MAP)
    whole = udp((INSIDE, 5060), (REMOTE, 5060), bytes(range(200)), word=0, number=9)
    pieces = [
        packet(INSIDE, REMOTE, UDP, whole[20:100], word=0x2000, number=9),
        packet(INSIDE, REMOTE, UDP, whole[100:], word=10, number=9),
    ]
    assert told(pieces[1]) == []
    assert told.retelling.fragments_left == 1
    seen = told.one(pieces[0])
    assert (seen.source, seen.payload) == ((OUTSIDE, 5060), bytes(range(200)))
    assert told.retelling.fragments_left == 0
    assert told(pieces[0]) == []
    told.now += 60.0
    told(packet(INSIDE, REMOTE, UDP, bytes(80), word=0x2000, number=10))
    assert told.retelling.fragments_left == 2
    assert told.fates == {"fragments": 3, "outward": 1}


def cut(told: Told, data: bytes, left: int, padding: int = 0) -> Counterpart:
    """What stands for a packet of which so many bytes are left; the link layer had padded it."""
    out = told.retelling.retell(data[:left], told.now, len(data) - left + padding)
    return out[-1]


def test_packets_that_are_cut() -> None:
    """Headers are translated, what is missing stays missing."""
    told = Told(MAP)
    datagram = udp((INSIDE, 9), (REMOTE, 9), bytes(500))
    assert cut(told, datagram, 60) == Counterpart(udp((OUTSIDE, 9), (REMOTE, 9), bytes(500))[:60], (), 468)
    told.talk(INSIDE)
    message = request(INSIDE)
    told(tcp((INSIDE, 40000), (REMOTE, 5060), 101, 501, ACK, message[:300]))
    segment = tcp((INSIDE, 40000), (REMOTE, 5060), 401, 501, ACK, message[300:])
    out = told.retelling.retell(segment[:64], told.now, len(segment) - 64)
    assert [each.missing for each in out] == [0, len(segment) - 64]
    assert judged(out[0].data).payload == message[:300]
    assert out[1].data == tcp((OUTSIDE, 40000), (REMOTE, 5060), 401, 501, ACK, message[300:])[:64]
    assert told.fates == {"outward": 5, "inward": 1}


def test_packets_that_are_cut_too_short() -> None:
    """Without their ports, or in fragments, they go on as they came."""
    told = Told(MAP)
    segment = tcp((INSIDE, 40000), (REMOTE, 5060), 1, 1, ACK, bytes(100))
    fragment = packet(INSIDE, REMOTE, UDP, bytes(80), word=0x2000)
    ping = echo(INSIDE, REMOTE, 1)
    for data, left in ((segment, 39), (segment, 12), (fragment, 40), (ping, 28)):
        assert cut(told, data, left) == Counterpart(data[:left], (), len(data) - left)
    assert cut(told, segment, 20, padding=6).missing == len(segment) - 20
    elsewhere = udp((REMOTE, 1), ("192.0.2.9", 2), bytes(500))
    assert cut(told, elsewhere, 60, padding=4) == Counterpart(elsewhere[:60], (), 468)
    assert told.fates == {"unchanged: cut too short": 5, "unchanged: none or both ends mapped": 1}


def test_padding_that_is_cut() -> None:
    """A packet that is there to its end is whole."""
    told = Told(MAP)
    data = udp((INSIDE, 9), (REMOTE, 9), b"abc")
    assert cut(told, data, len(data), padding=15) == Counterpart(udp((OUTSIDE, 9), (REMOTE, 9), b"abc"))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "ip-header"),
        (udp((INSIDE, 1), (REMOTE, 2))[:25], "ip-length"),
        (packet(INSIDE, REMOTE, TCP, bytes(12)), "tcp-header"),
        (packet(INSIDE, REMOTE, UDP, bytes(8)), "udp-length"),
        (b"\x65" + bytes(40), "ip-version"),
    ],
)
def test_damaged_packets(data: bytes, rule: str) -> None:
    """They go on as they came."""
    told = Told(MAP)
    assert told(data) == [data]
    assert told.fates == {f"unchanged: damaged: {rule}": 1}


def test_checksums_that_were_left_to_the_device() -> None:
    """They are made; others stay as wrong as they are."""
    told = Told(MAP)
    data = bytearray(tcp((INSIDE, 40000), (REMOTE, 80), 1, 1, ACK, b"data"))
    right = tcp((OUTSIDE, 40000), (REMOTE, 80), 1, 1, ACK, b"data")
    data[10:12] = data[36:38] = b"\0\0"
    assert told(bytes(data)) == [right]
    data[2:4] = b"\0\0"
    assert told(bytes(data)) == [right]
    wrong = bytearray(tcp((INSIDE, 40000), (REMOTE, 80), 1, 1, ACK, b"data"))
    wrong[-1] ^= 1
    assert told(bytes(wrong)) == [right[:-1] + bytes((right[-1] ^ 1,))]
