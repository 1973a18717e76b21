"""The NAT router of inline mode, packet by packet."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.router import NatRouter
from alg.tcp.packet import ACK, PSH, SYN, TCP, UDP, build_segment

INSIDE, OUTSIDE, FAR = "10.0.30.2", "203.0.113.10", "203.0.113.20"
NETWORK = (IPNetwork("10.0.30.0/24"),)
REQUEST = b"OPTIONS sip:203.0.113.20 SIP/2.0\r\nContact: <sip:a@10.0.30.2>\r\n\r\n"


def octets(address: str) -> bytes:
    """Four bytes."""
    return bytes(map(int, address.split(".")))


def ones_complement(data: bytes) -> int:
    """RFC 1071, word by word."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def judge(packet: bytes) -> tuple[str, int, str, int, bytes]:
    """(source, port, destination, port, what the transport header is followed by), both checksums being right."""
    assert ones_complement(packet[:20]) == 0xFFFF
    protocol = packet[9]
    pseudo = packet[12:20] + bytes([0, protocol]) + struct.pack(">H", len(packet) - 20)
    assert ones_complement(pseudo + packet[20:]) == 0xFFFF
    source, destination = (".".join(map(str, packet[at : at + 4])) for at in (12, 16))
    ports = struct.unpack_from(">HH", packet, 20)
    header = (packet[32] >> 4) * 4 if protocol == TCP else 8
    return source, ports[0], destination, ports[1], packet[20 + header :]


def udp(source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> bytes:
    """A UDP packet with its checksums."""
    addresses = octets(source[0]) + octets(destination[0])
    length = 8 + len(payload)
    ports = struct.pack(">HH", source[1], destination[1])
    blank = ports + struct.pack(">HH", length, 0) + payload
    checksum = 0xFFFF - ones_complement(addresses + struct.pack(">HH", UDP, length) + blank)
    header = struct.pack(">HHHHBBH", 0x4500, 20 + length, 1, 0, 64, UDP, 0) + addresses
    total = struct.pack(">H", 0xFFFF - ones_complement(header))
    return header[:10] + total + header[12:] + ports + struct.pack(">HH", length, checksum) + payload


def tcp(
    source: tuple[str, int], destination: tuple[str, int], seq: int, flags: int = ACK, payload: bytes = b""
) -> bytes:
    """A TCP packet."""
    here, there = ((octets(address), port) for address, port in (source, destination))
    return build_segment(here, there, seq=seq, ack=1, flags=flags, payload=payload)


def pool(**settings: object) -> NatRouter:
    """A router with one pool address."""
    config = AlgConfig(NatConfig(pool=(IPAddress(OUTSIDE),), inside=NETWORK), **settings)  # type: ignore[arg-type]
    return NatRouter(Alg(config), NETWORK)


def test_udp_goes_out_translated_and_comes_back() -> None:
    """What a phone sends leaves from the pool address, and the answer reaches it."""
    router = pool()
    (out,) = router.handle(udp((INSIDE, 6000), (FAR, 7000), b"hello"), 0.0)
    assert judge(out) == (OUTSIDE, 6000, FAR, 7000, b"hello")
    (back,) = router.handle(udp((FAR, 7000), (OUTSIDE, 6000), b"hi"), 0.0)
    assert judge(back) == (FAR, 7000, INSIDE, 6000, b"hi")


def test_a_binding_is_open_to_any_far_end() -> None:
    """Endpoint-independent: a third party reaches the bound port; a port that nobody bound reaches nobody."""
    router = pool()
    router.handle(udp((INSIDE, 6000), (FAR, 7000), b"hello"), 0.0)
    (third,) = router.handle(udp(("198.51.100.9", 9), (OUTSIDE, 6000), b"x"), 0.0)
    assert judge(third)[2:4] == (INSIDE, 6000)
    assert router.handle(udp((FAR, 7000), (OUTSIDE, 6002), b"x"), 0.0) == []
    assert router.counters["dropped: no binding"] == 1


def test_two_hosts_with_one_port() -> None:
    """The second host gets another port of the same parity, and each gets its own answers."""
    router = pool()
    router.handle(udp((INSIDE, 6000), (FAR, 7000), b"a"), 0.0)
    (out,) = router.handle(udp(("10.0.30.3", 6000), (FAR, 7000), b"b"), 0.0)
    port = judge(out)[1]
    assert port != 6000
    assert port % 2 == 0
    (back,) = router.handle(udp((FAR, 7000), (OUTSIDE, port), b"x"), 0.0)
    assert judge(back)[2] == "10.0.30.3"


def conversation(router: NatRouter, port: int, payload: bytes) -> bytes:
    """A connection to the far end's `port` with one segment; the packet that leaves for it."""
    router.handle(tcp((INSIDE, 40000), (FAR, port), 100, SYN), 0.0)
    router.handle(build_segment((octets(FAR), port), (octets(OUTSIDE), 40000), seq=500, ack=101, flags=SYN | ACK), 0.0)
    here, there = (octets(INSIDE), 40000), (octets(FAR), port)
    out = router.handle(build_segment(here, there, seq=101, ack=501, flags=ACK | PSH, payload=payload), 0.0)
    return out[0]


def test_sip_over_tcp_is_rewritten() -> None:
    """A request on port 5060 leaves with the pool address inside and out."""
    source, _, _, _, payload = judge(conversation(pool(), 5060, REQUEST))
    assert source == OUTSIDE
    assert payload == REQUEST.replace(INSIDE.encode(), OUTSIDE.encode())


def test_other_ports_and_l4f_off_leave_the_payload() -> None:
    """Layer 3 and 4 are translated all the same."""
    for router, port in ((pool(), 8080), (pool(l4f=False), 5060)):
        source, _, _, _, payload = judge(conversation(router, port, REQUEST))
        assert (source, payload) == (OUTSIDE, REQUEST)


def test_a_static_map_keeps_ports() -> None:
    """One address for one address, in both directions."""
    maps = (AddressMap.parse(f"{INSIDE}={OUTSIDE}"),)
    router = NatRouter(Alg(AlgConfig(NatConfig(maps=maps, inside=NETWORK))), NETWORK)
    (inward,) = router.handle(udp((FAR, 1), (OUTSIDE, 4321), b"first"), 0.0)
    assert judge(inward) == (FAR, 1, INSIDE, 4321, b"first")


def test_what_is_none_of_its_business_is_routed() -> None:
    """Between two inside hosts, and between two outside ones, packets go on as they came."""
    router = pool()
    for packet in (udp((INSIDE, 1), ("10.0.30.3", 2), b"x"), udp((FAR, 1), ("198.51.100.9", 2), b"x")):
        assert router.handle(packet, 0.0) == [packet]
    assert router.counters["routed"] == 2


def test_a_damaged_header_is_dropped() -> None:
    """As any router does; it is counted."""
    router = pool()
    packet = bytearray(udp((INSIDE, 6000), (FAR, 7000), b"hello"))
    packet[8] ^= 1
    assert router.handle(bytes(packet), 0.0) == []
    assert router.counters["dropped: ip-checksum"] == 1


@given(st.binary(max_size=120), st.booleans())
def test_no_bytes_bring_it_down(data: bytes, looks_like_ipv4: bool) -> None:
    """Whatever comes through the device, nothing is raised."""
    router = pool()
    if looks_like_ipv4 and len(data) > 20:
        data = b"\x45" + data[1:2] + struct.pack(">H", len(data)) + data[4:]
    router.handle(data, 0.0)
    router.handle_timer(100.0)
    router.expire(1e6)
