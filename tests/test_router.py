"""The NAT router of inline mode as a NAT: who is translated, how, and what is dropped.

Strategy: packets are written and judged without the code under test. 10.0.30.0/24 is inside; 10.0.30.7 has a static
map, all others the pool.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.router import NatRouter
from tests.edge.messages import request
from tests.helpers.ipv4 import (
    ECHO_REPLY,
    ICMP,
    TCP,
    TIME_EXCEEDED,
    UDP,
    UNREACHABLE,
    Judged,
    echo,
    icmp,
    judged,
    packet,
    tcp,
    udp,
)
from tests.tcp.endpoint import ACK, SYN, reference_checksum

INSIDE, MAPPED, POOL, MAPPED_OUTSIDE, REMOTE = "10.0.30.2", "10.0.30.7", "203.0.113.10", "203.0.113.7", "192.0.2.1"
GATEWAY = "192.0.2.254"


def router(**settings: Any) -> NatRouter:
    """A router with a pool, a map of an address, and a map of a port."""
    maps = AddressMap.parse(f"{MAPPED}={MAPPED_OUTSIDE}"), AddressMap.parse("10.0.30.8:27901=203.0.113.8:4401")
    network = IPNetwork("10.0.30.0/24")
    nat = NatConfig(maps, (IPAddress(POOL),), (network,))
    return NatRouter(Alg(AlgConfig(nat=nat, **settings)), (network,))


def one(packets: list[bytes]) -> Judged:
    """The only packet, judged."""
    assert len(packets) == 1
    return judged(packets[0])


class TestTranslation:
    """Outward the source, inward the destination."""

    def test_pool(self) -> None:
        """UDP and TCP of one inside endpoint keep the port, and any stranger's answer comes back (RFC 4787 REQ-1)."""
        nat = router()
        out = one(nat.handle(udp((INSIDE, 40000), (REMOTE, 53)), 0.0))
        assert out == Judged(UDP, (POOL, 40000), (REMOTE, 53), b"data")
        back = one(nat.handle(udp(("198.51.100.1", 9), (POOL, 40000)), 0.0))
        assert back == Judged(UDP, ("198.51.100.1", 9), (INSIDE, 40000), b"data")
        assert nat.handle(tcp((REMOTE, 53), (POOL, 40000), 1, 1, ACK), 0.0) == []
        assert one(nat.handle(tcp((INSIDE, 40000), (REMOTE, 53), 1, 0, SYN), 0.0)).source == (POOL, 40000)

    def test_two_hosts_on_one_port(self) -> None:
        """The second one gets another port, and its own answers."""
        nat = router()
        first = one(nat.handle(udp((INSIDE, 40000), (REMOTE, 53)), 0.0))
        second = one(nat.handle(udp(("10.0.30.3", 40000), (REMOTE, 53)), 0.0))
        assert first.source != second.source
        assert one(nat.handle(udp((REMOTE, 53), second.source), 0.0)).destination == ("10.0.30.3", 40000)

    @pytest.mark.parametrize(
        ("inside", "outside"),
        [((MAPPED, 4000), (MAPPED_OUTSIDE, 4000)), (("10.0.30.8", 27901), ("203.0.113.8", 4401))],
    )
    def test_static_maps(self, inside: tuple[str, int], outside: tuple[str, int]) -> None:
        """Both ways, and the outside may speak first."""
        nat = router()
        assert one(nat.handle(udp((REMOTE, 9), outside), 0.0)).destination == inside
        assert one(nat.handle(udp(inside, (REMOTE, 9)), 0.0)).source == outside
        assert one(nat.handle(tcp((REMOTE, 9), outside, 1, 0, SYN), 0.0)).destination == inside
        assert one(nat.handle(tcp(inside, (REMOTE, 9), 1, 0, SYN), 0.0)).source == outside

    def test_echo(self) -> None:
        """Two hosts may ping with the same identifier (RFC 5508 REQ-1)."""
        nat = router()
        first = one(nat.handle(echo(INSIDE, REMOTE, 77), 0.0))
        second = one(nat.handle(echo("10.0.30.3", REMOTE, 77), 0.0))
        assert first.source == (POOL, 77)
        assert second.source[1] != 77
        back = one(nat.handle(echo(REMOTE, POOL, second.source[1], ECHO_REPLY), 0.0))
        assert back == Judged(ICMP, (REMOTE, 77), ("10.0.30.3", 77), b"echo")

    def test_other_protocols(self) -> None:
        """Addresses alone, where a map says which; to a pool address nobody can tell."""
        nat = router()
        assert one(nat.handle(packet(MAPPED, REMOTE, 47, b"gre"), 0.0)).source == (MAPPED_OUTSIDE, 0)
        assert one(nat.handle(packet(REMOTE, MAPPED_OUTSIDE, 47, b"gre"), 0.0)).destination == (MAPPED, 0)
        assert one(nat.handle(packet(INSIDE, REMOTE, 47, b"gre"), 0.0)).source == (POOL, 0)
        assert nat.handle(packet(REMOTE, POOL, 47, b"gre"), 0.0) == []
        assert nat.counters["dropped: no binding"] == 1

    @pytest.mark.parametrize(("source", "destination"), [(INSIDE, "10.0.30.9"), (REMOTE, GATEWAY), (REMOTE, INSIDE)])
    def test_not_the_nats_business(self, source: str, destination: str) -> None:
        """Between two of one side, and to an inside address from outside: as it came."""
        nat = router()
        data = udp((source, 1), (destination, 2))
        assert nat.handle(data, 0.0) == [data]
        assert nat.counters == {"routed": 1}

    def test_nobody_there(self) -> None:
        """A packet to a port without a binding is dropped, and counted."""
        nat = router()
        assert nat.handle(udp((REMOTE, 1), (POOL, 2)), 0.0) == []
        assert nat.counters == {"dropped: no binding": 1}

    def test_hairpin(self) -> None:
        """RFC 4787 REQ-9: an inside host reaches another one by its outside address, and shows its own outside one."""
        nat = router()
        out = one(nat.handle(udp((INSIDE, 40000), (MAPPED_OUTSIDE, 53)), 0.0))
        assert out == Judged(UDP, (POOL, 40000), (MAPPED, 53), b"data")
        back = one(nat.handle(udp((MAPPED, 53), (POOL, 40000)), 0.0))
        assert back == Judged(UDP, (MAPPED_OUTSIDE, 53), (INSIDE, 40000), b"data")
        assert one(nat.handle(echo(MAPPED, MAPPED_OUTSIDE, 5), 0.0)) == Judged(
            ICMP, (MAPPED_OUTSIDE, 5), (MAPPED, 5), b"echo"
        )


class TestErrors:
    """ICMP errors reach the application as if there were no NAT (RFC 5508 REQ-3 to REQ-5)."""

    def test_about_a_datagram_that_went_out(self) -> None:
        """The quote shows the inside endpoint again; who reports stays."""
        nat = router()
        [sent] = nat.handle(udp((INSIDE, 40000), (REMOTE, 53)), 0.0)
        error = one(nat.handle(icmp(GATEWAY, POOL, UNREACHABLE, 3, b"\0\0\0\0" + sent[:28]), 0.0))
        assert (error.source, error.destination) == ((GATEWAY, 0), (INSIDE, 0))
        assert error.quoted is not None
        assert (error.quoted.source, error.quoted.destination) == ((INSIDE, 40000), (REMOTE, 53))

    def test_about_a_datagram_that_came_in(self) -> None:
        """The inside host's refusal shows outside addresses only."""
        nat = router()
        nat.handle(udp((INSIDE, 40000), (REMOTE, 53)), 0.0)
        [came] = nat.handle(udp((REMOTE, 53), (POOL, 40000)), 0.0)
        error = one(nat.handle(icmp(INSIDE, REMOTE, UNREACHABLE, 3, b"\0\0\0\0" + came[:28]), 0.0))
        assert (error.source, error.destination) == ((POOL, 0), (REMOTE, 0))
        assert error.quoted is not None
        assert (error.quoted.source, error.quoted.destination) == ((REMOTE, 53), (POOL, 40000))

    def test_about_an_echo(self) -> None:
        """The identifier is the inside host's."""
        nat = router()
        nat.handle(echo("10.0.30.3", REMOTE, 77), 0.0)
        [sent] = nat.handle(echo(INSIDE, REMOTE, 77), 0.0)
        error = one(nat.handle(icmp(GATEWAY, POOL, TIME_EXCEEDED, 0, b"\0\0\0\0" + sent), 0.0))
        assert error.quoted is not None
        assert (error.destination, error.quoted.source) == ((INSIDE, 0), (INSIDE, 77))

    def test_about_an_echo_that_came_in(self) -> None:
        """What an inside router says of an answer shows the far host its own identifier again."""
        nat = router()
        nat.handle(echo("10.0.30.3", REMOTE, 77), 0.0)
        outside = one(nat.handle(echo(INSIDE, REMOTE, 77), 0.0)).source
        [came] = nat.handle(echo(REMOTE, POOL, outside[1], ECHO_REPLY), 0.0)
        error = one(nat.handle(icmp("10.0.30.9", REMOTE, UNREACHABLE, 1, b"\0\0\0\0" + came), 0.0))
        assert error.quoted is not None
        assert (error.source, error.destination) == ((POOL, 0), (REMOTE, 0))
        assert (error.quoted.source[0], error.quoted.destination) == (REMOTE, outside)

    def test_about_an_echo_to_a_map(self) -> None:
        """A host with a map of its address is pinged from outside; the error about that shows its outside address."""
        nat = router()
        [came] = nat.handle(echo(REMOTE, MAPPED_OUTSIDE, 9), 0.0)
        error = one(nat.handle(icmp(MAPPED, REMOTE, UNREACHABLE, 2, b"\0\0\0\0" + came), 0.0))
        assert error.quoted is not None
        assert error.source == (MAPPED_OUTSIDE, 0)
        assert error.quoted == judged(echo(REMOTE, MAPPED_OUTSIDE, 9), quoted=True)

    def test_from_the_router_itself(self) -> None:
        """A kernel that reports from its inside address is understood as well."""
        nat = router()
        [sent] = nat.handle(udp((INSIDE, 40000), (REMOTE, 53)), 0.0)
        error = one(nat.handle(icmp("10.0.30.1", POOL, UNREACHABLE, 1, b"\0\0\0\0" + sent[:28]), 0.0))
        assert error.quoted is not None
        assert (error.source, error.destination) == (("10.0.30.1", 0), (INSIDE, 0))
        assert error.quoted.source == (INSIDE, 40000)

    def test_about_what_nobody_sent(self) -> None:
        """An error without a binding is dropped."""
        nat = router()
        forged = icmp(GATEWAY, POOL, UNREACHABLE, 3, b"\0\0\0\0" + udp((POOL, 5), (REMOTE, 6))[:28])
        assert nat.handle(forged, 0.0) == []
        assert nat.counters == {"dropped: no binding": 1}

    def test_about_another_protocol(self) -> None:
        """Without ports, a map of the address says whom it is for."""
        nat = router()
        quote = packet(MAPPED_OUTSIDE, REMOTE, 47, b"12345678")
        assert one(nat.handle(icmp(GATEWAY, MAPPED_OUTSIDE, UNREACHABLE, 2, b"\0\0\0\0" + quote), 0.0)).destination == (
            MAPPED,
            0,
        )


class TestDamage:
    """What no NAT can handle."""

    def test_fragments(self) -> None:
        """Put together before they are translated, in any order; counted."""
        nat = router()
        data = udp((INSIDE, 40000), (REMOTE, 53), bytes(range(200)))
        pieces = [
            packet(INSIDE, REMOTE, UDP, data[20 + start : 20 + start + 80], start // 8 | 0x2000 * (start < 160))
            for start in (160, 0, 80)
        ]
        assert [nat.handle(piece, 0.0) for piece in pieces[:2]] == [[], []]
        assert one(nat.handle(pieces[2], 0.0)) == Judged(UDP, (POOL, 40000), (REMOTE, 53), bytes(range(200)))
        assert nat.counters == {"fragments": 3, "outward": 1}

    @pytest.mark.parametrize(
        ("data", "fate"),
        [
            (b"", "dropped: ip-header"),
            (b"\x60" + bytes(39), "dropped: ip-version"),
            (udp((INSIDE, 1), (REMOTE, 2))[:30], "dropped: ip-length"),
            (udp((INSIDE, 1), (REMOTE, 2)).replace(b"\x3d", b"\x3e", 1), "dropped: ip-checksum"),
            (packet(INSIDE, REMOTE, TCP, bytes(19)), "dropped: tcp-header"),
            (packet(INSIDE, REMOTE, TCP, bytes(20)), "dropped: tcp-data-offset"),
            (packet(INSIDE, REMOTE, UDP, bytes(7)), "dropped: udp-header"),
            (packet(INSIDE, REMOTE, ICMP, b"\x08\0"), "dropped: icmp-header"),
            (icmp(INSIDE, REMOTE, UNREACHABLE, 3, b"\0\0\0\0"), "dropped: icmp-quote"),
            (packet(INSIDE, REMOTE, UDP, bytes(7), 0x2000), "dropped: fragment-length"),
        ],
    )
    def test_malformed(self, data: bytes, fate: str) -> None:
        """Dropped, and counted by what is wrong."""
        nat = router()
        assert nat.handle(data, 0.0) == []
        assert {key: count for key, count in nat.counters.items() if key != "fragments"} == {fate: 1}

    def test_a_wrong_tcp_checksum(self) -> None:
        """On a SIP port it is dropped, or its bytes would be in the stream; elsewhere it goes on as wrong as it is."""
        nat = router()
        for port, expected in ((5060, 0), (80, 1)):
            damaged = tcp((INSIDE, 40000), (REMOTE, port), 1, 0, ACK, b"data")[:-1] + b"b"
            packets = nat.handle(damaged, 0.0)
            assert len(packets) == expected
            for data in packets:
                with pytest.raises(AssertionError, match="transport checksum"):
                    judged(data)
        assert nat.counters == {"dropped: tcp-checksum": 1, "outward": 1}

    @given(st.data())
    def test_any_bytes(self, data: st.DataObject) -> None:
        """Nothing that comes off a wire stops the router."""
        nat = router()
        good = [
            tcp((INSIDE, 40000), (REMOTE, 5060), 1, 0, SYN),
            tcp((REMOTE, 5060), (POOL, 40000), 9, 2, SYN | ACK),
            tcp((INSIDE, 40000), (REMOTE, 5060), 2, 10, ACK, request(INSIDE)[:300]),
            udp((INSIDE, 40000), (REMOTE, 53)),
            echo(INSIDE, REMOTE, 7),
            icmp(REMOTE, POOL, UNREACHABLE, 4, b"\0\0\2\0" + tcp((POOL, 40000), (REMOTE, 5060), 2, 10, ACK)),
        ]
        for number in range(data.draw(st.integers(1, 12))):
            packet_ = bytearray(data.draw(st.one_of(st.sampled_from(good), st.binary(max_size=80))))
            for _ in range(data.draw(st.integers(0, 3)) if packet_ else 0):
                packet_[data.draw(st.integers(0, len(packet_) - 1))] = data.draw(st.integers(0, 255))
            if data.draw(st.booleans()) and len(packet_) >= 20:
                packet_ = repaired(packet_)
            nat.handle(bytes(packet_), float(number))
            nat.handle_timer(float(number))


def repaired(data: bytearray) -> bytearray:
    """With a right header checksum, and a TCP checksum that fits."""
    size = min((data[0] & 15) * 4, len(data))
    if size < 20:
        return data
    data[10:12] = b"\0\0"
    data[10:12] = packet_checksum(bytes(data[:size]))
    if data[9] == TCP and len(data) >= size + 20:
        data[size + 16 : size + 18] = b"\0\0"
        pseudo = bytes(data[12:20]) + struct.pack("!BBH", 0, TCP, len(data) - size)
        data[size + 16 : size + 18] = packet_checksum(pseudo + bytes(data[size:]))
    return data


def packet_checksum(data: bytes) -> bytes:
    """RFC 1071, as it stands in a header."""
    return struct.pack("!H", reference_checksum(data))
