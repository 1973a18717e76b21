"""The NAT router of inline mode: IPv4 packets in, translated packets out, SIP over TCP rewritten on the way.

Strategy: a packet from an inside network goes outward, one to an outside address of the NAT table goes inward; any
other is none of the NAT's business and goes on as it came. TCP of a SIP port first goes through its `TcpFlow`, in
the addresses it came with; what the flow sends in either direction is then translated: outward the source, inward
the destination. ICMP errors are translated with the packet they quote (RFC 5508 4). What a NAT must drop is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from netaddr import IPAddress, IPNetwork, IPSet

from alg.connection import Alg
from alg.direction import Direction
from alg.errors import SegmentError
from alg.nat.table import Endpoint, Protocol
from alg.tcp.datagram import IcmpMessage, QuotedPacket, UdpDatagram, parse_packet
from alg.tcp.flow import TcpFlow
from alg.tcp.fragments import FragmentQueue
from alg.tcp.packet import ICMP, SYN, TCP, UDP, Ipv4Packet, TcpSegment
from alg.tcp.readdress import Address, readdress, readdress_quoted
from alg.trace import Sink

_PROTOCOLS = {TCP: Protocol.TCP, UDP: Protocol.UDP, ICMP: Protocol.ICMP}
_FRAGMENTATION_NEEDED = (3, 4)
"""ICMP type and code (RFC 1191 4)."""
_HEADERS = 40
"""Bytes of IPv4 and TCP headers without options."""

FlowKey = tuple[Endpoint, Endpoint]
"""Inside endpoint and remote endpoint."""


@dataclass(slots=True)
class _Tracked:
    flow: TcpFlow
    inside: Endpoint
    outside: Endpoint
    number: int
    last_used: float
    """seconds"""


@dataclass(frozen=True, slots=True)
class FlowTimeouts:
    """How long a silent TCP flow is remembered."""

    established: float = 7440.0
    """seconds; RFC 5382 REQ-5 asks for 2 hours and 4 minutes at least"""
    finished: float = 240.0
    """seconds; RFC 5382 REQ-5 asks for 4 minutes"""


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
        self._timeouts = timeouts or FlowTimeouts()
        self._flows: dict[FlowKey, _Tracked] = {}
        self._armed: dict[FlowKey, float] = {}
        """Deadlines of the flows that have one, in seconds."""
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
            return self._icmp(packet, direction)
        if isinstance(packet, TcpSegment | UdpDatagram):
            return self._transport(packet, direction, now)
        return self._other(packet, direction)

    def timer(self) -> float | None:
        """When `handle_timer` wants to be called, if at all."""
        return min(self._armed.values(), default=None)

    def handle_timer(self, now: float) -> list[bytes]:
        """What flows send again, their deadlines having passed."""
        out: list[bytes] = []
        for key in [key for key, deadline in self._armed.items() if deadline <= now]:
            tracked = self._flows[key]
            for packet in tracked.flow.handle_timer(now):
                out.append(self._readdressed(packet.data, packet.direction, tracked.inside, tracked.outside))
            self._arm(key, tracked)
        return out

    def expire(self, now: float) -> None:
        """Forget flows that are over or silent."""
        for key, tracked in list(self._flows.items()):
            limit = self._timeouts.finished if tracked.flow.finished else self._timeouts.established
            if now - tracked.last_used >= limit:
                del self._flows[key]
                self._armed.pop(key, None)

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
        if self._is_inside(packet.source):
            return None if self._is_inside(packet.destination) else Direction.OUTWARD
        return Direction.INWARD if self._alg.table.is_outside(_text(packet.destination)) else None

    def _look_inside(self, address: bytes) -> bool:
        return IPAddress(int.from_bytes(address, "big"), 4) in self._inside

    def _transport(self, packet: TcpSegment | UdpDatagram, direction: Direction, now: float) -> list[bytes]:
        """TCP and UDP: find the binding, rewrite what is SIP, translate."""
        protocol = _PROTOCOLS[packet.protocol]
        source = Endpoint(_text(packet.source), packet.source_port)
        destination = Endpoint(_text(packet.destination), packet.destination_port)
        here, remote = (source, destination) if direction is Direction.OUTWARD else (destination, source)
        there = self._alg.table.endpoint(direction, protocol, here)
        if there is None:
            return self._without_binding(packet, direction, here)
        self.counters[direction.label] += 1
        inside, outside = (here, there) if direction is Direction.OUTWARD else (there, here)
        if isinstance(packet, TcpSegment):
            tracked = self._tracked(packet, inside, outside, remote, now)
            if tracked is not None:
                tracked.last_used = now
                sent = tracked.flow.handle(direction, packet, now)
                self._arm((inside, remote), tracked)
                return [self._readdressed(out.data, out.direction, inside, outside) for out in sent]
        return [self._readdressed(packet.data, direction, inside, outside)]

    def _without_binding(self, packet: Ipv4Packet, direction: Direction, here: Endpoint) -> list[bytes]:
        """Inward there is nobody to send it to; outward an address that nothing maps goes on as it is."""
        if direction is Direction.INWARD or self._alg.table.address(direction, here.address) is not None:
            self.counters["dropped: no binding"] += 1
            return []
        self.counters["routed"] += 1
        return [packet.data]

    def _tracked(
        self, segment: TcpSegment, inside: Endpoint, outside: Endpoint, remote: Endpoint, now: float
    ) -> _Tracked | None:
        """The flow of a connection that the ALG looks into."""
        key = inside, remote
        tracked = self._flows.get(key)
        if tracked is not None and not (segment.flags & SYN and tracked.flow.finished):
            return tracked
        ports = frozenset((inside.port, outside.port, remote.port))
        if not self._alg.config.applies_to(ports):
            return None
        self._numbered += 1
        sink = self._sink(self._numbered)
        flow = TcpFlow(self._alg.connection(ports, sink, keep_deltas=True), sink=sink)
        tracked = self._flows[key] = _Tracked(flow, inside, outside, self._numbered, now)
        return tracked

    def _arm(self, key: FlowKey, tracked: _Tracked) -> None:
        deadline = tracked.flow.timer()
        if deadline is None:
            self._armed.pop(key, None)
        else:
            self._armed[key] = deadline

    def _readdressed(self, data: bytes, direction: Direction, inside: Endpoint, outside: Endpoint) -> bytes:
        packet = Ipv4Packet(data)
        if direction is Direction.OUTWARD:
            return readdress(packet, source=_raw(outside))
        return readdress(packet, destination=_raw(inside))

    def _icmp(self, packet: IcmpMessage, direction: Direction) -> list[bytes]:
        """Queries by their identifier, errors by the packet they quote (RFC 5508 3.1, 4.2)."""
        if packet.quoted is not None:
            return self._icmp_error(packet, packet.quoted, direction)
        if packet.identifier is None:
            return self._other(packet, direction)
        here = Endpoint(
            _text(packet.source if direction is Direction.OUTWARD else packet.destination), packet.identifier
        )
        there = self._alg.table.endpoint(direction, Protocol.ICMP, here)
        if there is None:
            return self._without_binding(packet, direction, here)
        self.counters[direction.label] += 1
        if direction is Direction.OUTWARD:
            return [readdress(packet, source=_raw(there))]
        return [readdress(packet, destination=_raw(there))]

    def _icmp_error(self, packet: IcmpMessage, quoted: QuotedPacket, direction: Direction) -> list[bytes]:
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
            return self._other(packet, direction)
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
                tracked.flow.limit_segments(direction.opposite, mtu - _HEADERS)
        self.counters[direction.label] += 1
        if about_source:
            data = readdress_quoted(packet, source=_raw(there), seq=seq)
            return [readdress(IcmpMessage(data), destination=_raw(there))]
        data = readdress_quoted(packet, destination=_raw(there), seq=seq)
        reporter = self._alg.table.address(direction, _text(packet.source))
        return [readdress(IcmpMessage(data), source=Address(_octets(reporter), 0))] if reporter else [data]

    def _other(self, packet: Ipv4Packet, direction: Direction) -> list[bytes]:
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
            return [readdress(packet, source=address)]
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
