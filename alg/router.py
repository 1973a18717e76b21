"""The NAT router of inline mode: IPv4 packets in, translated packets out, SIP over TCP rewritten on the way.

Strategy: a packet from an inside network goes outward, one to an outside address of the NAT table goes inward; any
other is none of the NAT's business and goes on as it came. TCP of a SIP port first goes through its `TcpFlow`, in
the addresses it came with; what the flow sends in either direction is then translated: outward the source, inward
the destination. What leaves for an outside address of ours comes in again (hairpinning, RFC 4787 6). ICMP errors are
translated with the packet they quote (RFC 5508 4). What a NAT must drop is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from netaddr import IPAddress, IPNetwork, IPSet

from alg.connection import Alg
from alg.direction import Direction
from alg.errors import SegmentError
from alg.flow_table import FlowTable, FlowTimeouts, Tracked
from alg.nat.table import Endpoint, Protocol
from alg.tcp.datagram import IcmpMessage, QuotedPacket, UdpDatagram, parse_packet
from alg.tcp.flow import TcpFlow
from alg.tcp.fragments import FragmentQueue
from alg.tcp.packet import ICMP, TCP, UDP, Ipv4Packet, TcpSegment
from alg.tcp.readdress import Address, readdress, readdress_quoted
from alg.tcp.writer import Outgoing
from alg.trace import Sink

_PROTOCOLS = {TCP: Protocol.TCP, UDP: Protocol.UDP, ICMP: Protocol.ICMP}
_FRAGMENTATION_NEEDED = (3, 4)
"""ICMP type and code (RFC 1191 4)."""
_HEADERS = 52
"""Bytes of IPv4 and TCP headers with timestamps."""
_SMALLEST_MTU = 576
"""Bytes; RFC 879 3. A smaller one, or none (RFC 1191 5), would only serve to slow connections down."""


class NatRouter:
    """Every packet of an inline ALG passes here. `now` is in seconds of any clock that does not go backwards."""

    def __init__(
        self,
        alg: Alg,
        inside: tuple[IPNetwork, ...],
        sink: Callable[[int], Sink | None] = lambda number: None,
        timeouts: FlowTimeouts | None = None,
    ) -> None:
        self._alg = alg
        self._inside = IPSet(inside)
        self._sink = sink
        self._flows = FlowTable(timeouts or FlowTimeouts())
        self._fragments = FragmentQueue()
        self._numbered = 0
        self._is_inside = lru_cache(4096)(self._look_inside)
        self.counters: Counter[str] = Counter()
        """Packets by what became of them."""

    def __len__(self) -> int:
        """TCP flows that are looked into."""
        return len(self._flows)

    def handle(self, data: bytes, now: float) -> list[bytes]:
        """One packet; the packets to send in its place."""
        try:
            packet = self._whole_packet(data, now)
        except SegmentError as error:
            self.counters[f"dropped: {error.rule}"] += 1
            return []
        if packet is None:
            return []
        direction = self._direction(packet)
        if direction is None:
            self.counters["routed"] += 1
            return [packet.data]
        if isinstance(packet, IcmpMessage):
            return self._icmp(packet, direction, now)
        if isinstance(packet, TcpSegment | UdpDatagram):
            return self._transport(packet, direction, now)
        return self._other(packet, direction, now)

    def timer(self) -> float | None:
        """When `handle_timer` wants to be called, if at all."""
        return self._flows.timer

    def handle_timer(self, now: float) -> list[bytes]:
        """What flows send again, their deadlines having passed."""
        out: list[bytes] = []
        for tracked in self._flows.due(now):
            out += self._sent(tracked.flow.handle_timer(now), tracked.inside, tracked.outside, now)
        return out

    def expire(self, now: float) -> None:
        """Forget flows that are over or silent."""
        self._flows.expire(now)

    def _whole_packet(self, data: bytes, now: float) -> Ipv4Packet | None:
        """The packet, put together if it came in fragments; None if it is damaged or not complete yet."""
        packet = parse_packet(data)
        if not packet.header_checksum_right:
            self.counters["dropped: ip-checksum"] += 1
            return None
        if not packet.fragment:
            return packet
        self.counters["fragments"] += 1
        whole = self._fragments.add(packet, now)
        return None if whole is None else parse_packet(whole)

    def _direction(self, packet: Ipv4Packet) -> Direction | None:
        """Where it goes; what a router on the inside says about a packet that went outward goes inward."""
        if self._is_inside(packet.source):
            if self._is_inside(packet.destination):
                return None
            quoted = packet.quoted if isinstance(packet, IcmpMessage) else None
            if quoted is None or self._is_inside(quoted.destination):
                return Direction.OUTWARD
        return Direction.INWARD if self._is_ours(packet.destination) else None

    def _look_inside(self, address: bytes) -> bool:
        return IPAddress(int.from_bytes(address, "big"), 4) in self._inside

    def _is_ours(self, address: bytes) -> bool:
        return self._alg.table.is_outside(_text(address))

    def _transport(self, packet: TcpSegment | UdpDatagram, direction: Direction, now: float) -> list[bytes]:
        """TCP and UDP: find the binding, rewrite what is SIP, translate."""
        protocol = _PROTOCOLS[packet.protocol]
        source = Endpoint(_text(packet.source), packet.source_port)
        destination = Endpoint(_text(packet.destination), packet.destination_port)
        here, remote = (source, destination) if direction is Direction.OUTWARD else (destination, source)
        there = self._alg.table.endpoint(direction, protocol, here)
        if there is None:
            return self._without_binding(packet, direction, here)
        inside, outside = (here, there) if direction is Direction.OUTWARD else (there, here)
        if isinstance(packet, TcpSegment):
            tracked = self._tracked(packet, direction, inside, outside, remote, now)
            if tracked is not None:
                sent = tracked.flow.handle(direction, packet, now)
                if not sent and not packet.transport_checksum_right():
                    self.counters["dropped: tcp-checksum"] += 1
                    return []
                self.counters[direction.label] += 1
                self._flows.arm(tracked, (inside, remote))
                return self._sent(sent, inside, outside, now)
        self.counters[direction.label] += 1
        return self._sent([Outgoing(direction, packet.data)], inside, outside, now)

    def _without_binding(self, packet: Ipv4Packet, direction: Direction, here: Endpoint) -> list[bytes]:
        """Inward there is nobody to send it to; outward an address that nothing maps goes on as it is."""
        if direction is Direction.INWARD or self._alg.table.address(direction, here.address) is not None:
            self.counters["dropped: no binding"] += 1
            return []
        self.counters["routed"] += 1
        return [packet.data]

    def _tracked(
        self,
        segment: TcpSegment,
        direction: Direction,
        inside: Endpoint,
        outside: Endpoint,
        remote: Endpoint,
        now: float,
    ) -> Tracked | None:
        """The connection, if the ALG looks into it."""
        ports = frozenset((inside.port, outside.port, remote.port))
        return self._flows.find((inside, remote), outside, direction, segment, now, lambda: self._flow(ports))

    def _flow(self, ports: frozenset[int]) -> TcpFlow | None:
        if not self._alg.config.applies_to(ports):
            return None
        self._numbered += 1
        sink = self._sink(self._numbered)
        return TcpFlow(self._alg.connection(ports, sink, keep_deltas=True), sink=sink)

    def _sent(self, sent: list[Outgoing], inside: Endpoint, outside: Endpoint, now: float) -> list[bytes]:
        """Packets of a connection or of a datagram's sender, translated."""
        out: list[bytes] = []
        for direction, data in sent:
            if direction is Direction.OUTWARD:
                out += self._leave(readdress(Ipv4Packet(data), source=_raw(outside)), now)
            else:
                out.append(readdress(Ipv4Packet(data), destination=_raw(inside)))
        return out

    def _leave(self, data: bytes, now: float) -> list[bytes]:
        """An outward packet, translated: it leaves, or comes in again if it is for one of our outside addresses."""
        if self._is_ours(data[16:20]) and not self._is_inside(data[12:16]):
            return self.handle(data, now)
        return [data]

    def _icmp(self, packet: IcmpMessage, direction: Direction, now: float) -> list[bytes]:
        """Queries by their identifier, errors by the packet they quote (RFC 5508 3.1, 4.2)."""
        if packet.quoted is not None:
            return self._icmp_error(packet, packet.quoted, direction, now)
        if packet.identifier is None:
            return self._other(packet, direction, now)
        here = Endpoint(
            _text(packet.source if direction is Direction.OUTWARD else packet.destination), packet.identifier
        )
        there = self._alg.table.endpoint(direction, Protocol.ICMP, here)
        if there is None:
            return self._without_binding(packet, direction, here)
        self.counters[direction.label] += 1
        if direction is Direction.OUTWARD:
            return self._leave(readdress(packet, source=_raw(there)), now)
        return [readdress(packet, destination=_raw(there))]

    def _icmp_error(self, packet: IcmpMessage, quoted: QuotedPacket, direction: Direction, now: float) -> list[bytes]:
        """An error about a packet that went the other way: inward it quotes our outside endpoint as the source."""
        about_source = direction is Direction.INWARD
        address, port = (
            (quoted.source, quoted.source_port) if about_source else (quoted.destination, quoted.destination_port)
        )
        remote_address, remote_port = (
            (quoted.destination, quoted.destination_port) if about_source else (quoted.source, quoted.source_port)
        )
        protocol = _PROTOCOLS.get(quoted.protocol)
        if protocol is None or port is None:
            return self._other(packet, direction, now)
        here = Endpoint(_text(address), port)
        there = self._alg.table.endpoint(direction, protocol, here)
        if there is None:
            return self._without_binding(packet, direction, here)
        inside = there if about_source else here
        tracked = self._flows.get((inside, Endpoint(_text(remote_address), remote_port or 0)))
        seq = quoted.seq
        if tracked is not None and seq is not None:
            seq = tracked.flow.incoming_sequence(direction.opposite, seq)
            if (packet.type, packet.code) == _FRAGMENTATION_NEEDED:
                mtu = int.from_bytes(packet.data[packet.payload_at + 6 : packet.payload_at + 8], "big")
                if mtu >= _SMALLEST_MTU:
                    tracked.flow.limit_segments(direction.opposite, mtu - _HEADERS)
        self.counters[direction.label] += 1
        if about_source:
            data = readdress_quoted(packet, source=_raw(there), seq=seq)
            return [readdress(IcmpMessage(data), destination=_raw(there))]
        data = readdress_quoted(packet, destination=_raw(there), seq=seq)
        reporter = self._alg.table.address(direction, _text(packet.source))
        if reporter is not None:
            data = readdress(IcmpMessage(data), source=Address(_octets(reporter), 0))
        return self._leave(data, now)

    def _other(self, packet: Ipv4Packet, direction: Direction, now: float) -> list[bytes]:
        """Protocols without ports: their addresses are translated where that can be told without one."""
        here = packet.source if direction is Direction.OUTWARD else packet.destination
        there = self._alg.table.address(direction, _text(here))
        if there is None and direction is Direction.INWARD:
            self.counters["dropped: no binding"] += 1
            return []
        self.counters[direction.label] += 1
        if there is None:
            return [packet.data]
        address = Address(_octets(there), 0)
        if direction is Direction.OUTWARD:
            return self._leave(readdress(packet, source=address), now)
        return [readdress(packet, destination=address)]


@lru_cache(4096)
def _text(address: bytes) -> bytes:
    """Four bytes as dotted decimal."""
    return b"%d.%d.%d.%d" % tuple(address)


@lru_cache(4096)
def _octets(address: bytes) -> bytes:
    """Dotted decimal as four bytes."""
    return bytes(map(int, address.split(b".")))


def _raw(endpoint: Endpoint) -> Address:
    return Address(_octets(endpoint.address), endpoint.port)
