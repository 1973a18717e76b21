"""The NAT router of inline mode: IPv4 packets in, translated packets out, SIP over TCP rewritten on the way.

Strategy: a packet from an inside network goes outward, one to an outside address of the NAT table goes inward; any
other is none of the NAT's business and goes on as it came. TCP of a SIP port first goes through its `TcpFlow`, in
the addresses it came with; what the flow sends in either direction is then translated: outward the source, inward
the destination. What leaves for an outside address of ours comes in again (hairpinning, RFC 4787 6). ICMP errors are
translated with the packet they quote (RFC 5508 4). What a NAT must drop is counted.

Whoever wants to see it is told: a sink what is done to messages, an observer how connections come and go, a tap every
packet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from netaddr import IPAddress, IPNetwork, IPSet

from alg.connection import Alg
from alg.direction import Direction
from alg.dotted import dotted, in_packet, octets
from alg.errors import SegmentError
from alg.flow_news import FlowNews, FlowObserver
from alg.flow_table import FlowTable, Tracked
from alg.journal import Journal, PacketTap
from alg.nat.table import Endpoint, Protocol, Use
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
        observer: FlowObserver | None = None,
        tap: PacketTap | None = None,
    ) -> None:
        self._alg = alg
        self._inside = IPSet(inside)
        self._sink = sink
        self._news = FlowNews(observer) if observer is not None else None
        forgotten = self._news.forgotten if self._news is not None else None
        self._flows: FlowTable[TcpFlow] = FlowTable(alg.config.nat.timeouts, forgotten)
        self._journal = Journal(tap) if tap is not None else None
        self._fragments = FragmentQueue()
        self._is_inside = lru_cache(4096)(self._look_inside)
        self.counters: Counter[str] = Counter()
        """Packets by what became of them."""

    def __len__(self) -> int:
        """TCP connections that are looked into."""
        return sum(1 for tracked in self._flows if tracked.flow is not None)

    def handle(self, data: bytes, now: float) -> list[bytes]:
        """One packet; the packets to send in its place."""
        packet = self._whole_packet(data, now)
        direction = self._direction(packet) if packet is not None else None
        out = self._take(packet, direction, now) if packet is not None else []
        if self._journal is not None:
            self._journal.came(self._side(data) if direction is None else direction, data)
        return out

    def timer(self) -> float | None:
        """When `handle_timer` wants to be called, if at all."""
        return self._flows.timer

    def handle_timer(self, now: float) -> list[bytes]:
        """What flows send again, their deadlines having passed."""
        out: list[bytes] = []
        for tracked, flow in self._flows.due(now):
            out += self._sent(tracked, flow.handle_timer(now), None, now)
            if self._news is not None:
                self._news.handled(tracked, flow)
        if self._journal is not None:
            self._journal.tell()
        return out

    def expire(self, now: float) -> None:
        """Forget connections that are over or silent, release bindings that nothing uses."""
        self._flows.expire(now)
        self._alg.expire(now, (tracked.inside for tracked in self._flows.standing()))

    def release(self, now: float) -> list[bytes]:
        """The process ends: what flows hold back for their receivers goes out as it is, once."""
        out: list[bytes] = []
        for tracked in self._flows:
            if tracked.flow is not None:
                out += self._sent(tracked, tracked.flow.release(), None, now)
        if self._journal is not None:
            self._journal.tell()
        return out

    def owed(self) -> tuple[int, int]:
        """Bytes that were acknowledged to their senders and not to us, and of how many connections."""
        owed = [tracked.flow.owed() for tracked in self._flows if tracked.flow is not None]
        return sum(owed), sum(1 for each in owed if each)

    def close(self) -> None:
        """Nobody looks into the connections any more: the process ends."""
        if self._news is not None:
            for tracked in self._flows:
                self._news.forgotten(tracked, "shutdown")

    def _take(self, packet: Ipv4Packet, direction: Direction | None, now: float) -> list[bytes]:
        """A packet that is whole, by what it holds."""
        if direction is None:
            return self._routed(packet)
        if isinstance(packet, IcmpMessage):
            return self._icmp(packet, direction, now)
        if isinstance(packet, TcpSegment | UdpDatagram):
            return self._transport(packet, direction, now)
        return self._other(packet, direction, now)

    def _routed(self, packet: Ipv4Packet) -> list[bytes]:
        """None of the NAT's business."""
        self.counters["routed"] += 1
        if self._journal is not None:
            inward = self._is_inside(packet.destination)
            self._journal.leaves(Direction.INWARD if inward else Direction.OUTWARD, packet.data, None, ours=False)
        return [packet.data]

    def _drop(self, why: str) -> list[bytes]:
        """It goes no further."""
        self.counters[f"dropped: {why}"] += 1
        if self._journal is not None:
            self._journal.stays(f"dropped: {why}")
        return []

    def _whole_packet(self, data: bytes, now: float) -> Ipv4Packet | None:
        """The packet, put together if it came in fragments; None if it is damaged or not complete yet."""
        try:
            packet = parse_packet(data)
            if not packet.header_checksum_right:
                self._drop("ip-checksum")
                return None
            if not packet.fragment:
                return packet
            self.counters["fragments"] += 1
            whole = self._fragments.add(packet, now)
            if whole is not None:
                return parse_packet(whole)
        except SegmentError as error:
            self._drop(error.rule)
        else:
            if self._journal is not None:
                self._journal.stays("waits for other fragments")
        return None

    def _side(self, data: bytes) -> Direction | None:
        """Where a packet came in that goes in no direction; None if it is no IPv4, which comes from this machine."""
        if len(data) < 20 or data[0] >> 4 != 4:
            return None
        return Direction.OUTWARD if self._is_inside(data[12:16]) else Direction.INWARD

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
        return self._alg.table.is_outside(dotted(address))

    def _transport(self, packet: TcpSegment | UdpDatagram, direction: Direction, now: float) -> list[bytes]:
        """TCP and UDP: find the binding, rewrite what is SIP, translate."""
        protocol = _PROTOCOLS[packet.protocol]
        source = Endpoint(dotted(packet.source), packet.source_port)
        destination = Endpoint(dotted(packet.destination), packet.destination_port)
        here, remote = (source, destination) if direction is Direction.OUTWARD else (destination, source)
        there = self._alg.table.endpoint(direction, protocol, here, Use.CARRIED)
        if there is None:
            return self._without_binding(packet, direction, here)
        if isinstance(packet, TcpSegment):
            inside, outside = (here, there) if direction is Direction.OUTWARD else (there, here)
            tracked = self._tracked(packet, direction, inside, outside, remote, now)
            if tracked.flow is not None:
                return self._flow(packet, direction, tracked, tracked.flow, now)
        self.counters[direction.label] += 1
        return self._translated(packet, direction, there, now)

    def _flow(
        self, segment: TcpSegment, direction: Direction, tracked: Tracked[TcpFlow], flow: TcpFlow, now: float
    ) -> list[bytes]:
        """A segment of a connection that the ALG looks into."""
        sent = flow.handle(direction, segment, now)
        if not sent and not segment.transport_checksum_right():
            return self._drop("tcp-checksum")
        self.counters[direction.label] += 1
        self._flows.arm(tracked, flow)
        if self._news is not None:
            self._news.handled(tracked, flow)
        return self._sent(tracked, sent, direction, now)

    def _without_binding(self, packet: Ipv4Packet, direction: Direction, here: Endpoint) -> list[bytes]:
        """Inward there is nobody to send it to; outward an address that nothing maps goes on as it is."""
        if direction is Direction.INWARD or self._alg.table.address(direction, here.address) is not None:
            return self._drop("no binding")
        return self._routed(packet)

    def _tracked(
        self,
        segment: TcpSegment,
        direction: Direction,
        inside: Endpoint,
        outside: Endpoint,
        remote: Endpoint,
        now: float,
    ) -> Tracked[TcpFlow]:
        """The connection."""

        def new(number: int) -> TcpFlow | None:
            ports = frozenset((inside.port, outside.port, remote.port))
            if not self._alg.config.applies_to(ports):
                return None
            sink = self._sink(number)
            return TcpFlow(self._alg.connection(ports, sink, keep_deltas=True), sink=sink)

        return self._flows.find((inside, remote), outside, direction, segment, now, new)

    def _sent(self, tracked: Tracked[TcpFlow], sent: list[Outgoing], came: Direction | None, now: float) -> list[bytes]:
        """Packets of a flow, translated. What goes another way than the packet that came is ours."""
        out: list[bytes] = []
        for direction, written in sent:
            packet = Ipv4Packet(written)
            if direction is Direction.OUTWARD:
                data = readdress(packet, source=in_packet(tracked.outside))
            else:
                data = readdress(packet, destination=in_packet(tracked.inside))
            out += self._leave(direction, data, now, tracked, ours=direction is not came)
        return out

    def _translated(self, packet: Ipv4Packet, direction: Direction, there: Endpoint, now: float) -> list[bytes]:
        """A packet with the endpoint that its binding says."""
        if direction is Direction.OUTWARD:
            return self._leave(direction, readdress(packet, source=in_packet(there)), now)
        return self._leave(direction, readdress(packet, destination=in_packet(there)), now)

    def _leave(
        self, direction: Direction, data: bytes, now: float, tracked: Tracked[TcpFlow] | None = None, ours: bool = False
    ) -> list[bytes]:
        """A translated packet: it leaves, or comes in again if it is for one of our outside addresses."""
        if direction is Direction.OUTWARD and self._is_ours(data[16:20]) and not self._is_inside(data[12:16]):
            packet = parse_packet(data)
            return self._take(packet, self._direction(packet), now)
        if self._journal is not None:
            self._journal.leaves(direction, data, tracked, ours)
        return [data]

    def _icmp(self, packet: IcmpMessage, direction: Direction, now: float) -> list[bytes]:
        """Queries by their identifier, errors by the packet they quote (RFC 5508 3.1, 4.2)."""
        if packet.quoted is not None:
            return self._icmp_error(packet, packet.quoted, direction, now)
        if packet.identifier is None:
            return self._other(packet, direction, now)
        here = Endpoint(
            dotted(packet.source if direction is Direction.OUTWARD else packet.destination), packet.identifier
        )
        there = self._alg.table.endpoint(direction, Protocol.ICMP, here, Use.CARRIED)
        if there is None:
            return self._without_binding(packet, direction, here)
        self.counters[direction.label] += 1
        return self._translated(packet, direction, there, now)

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
        here = Endpoint(dotted(address), port)
        there = self._alg.table.endpoint(direction, protocol, here, Use.QUOTED)
        if there is None:
            return self._without_binding(packet, direction, here)
        tracked = self._flows.get((there if about_source else here, Endpoint(dotted(remote_address), remote_port or 0)))
        seq, again = quoted.seq, []
        if tracked is not None and tracked.flow is not None and seq is not None:
            seq = tracked.flow.incoming_sequence(direction.opposite, seq)
            again = self._narrowed(packet, tracked, tracked.flow, direction.opposite, now)
        self.counters[direction.label] += 1
        if about_source:
            data = readdress_quoted(packet, source=in_packet(there), seq=seq)
            return self._leave(direction, readdress(IcmpMessage(data), destination=in_packet(there)), now) + again
        data = readdress_quoted(packet, destination=in_packet(there), seq=seq)
        reporter = self._alg.table.address(direction, dotted(packet.source))
        if reporter is not None:
            data = readdress(IcmpMessage(data), source=Address(octets(reporter), 0))
        return self._leave(direction, data, now) + again

    def _narrowed(
        self, packet: IcmpMessage, tracked: Tracked[TcpFlow], flow: TcpFlow, direction: Direction, now: float
    ) -> list[bytes]:
        """What a flow sends again if the error says that its segments were too large for the path."""
        mtu = int.from_bytes(packet.data[packet.payload_at + 6 : packet.payload_at + 8], "big")
        if (packet.type, packet.code) != _FRAGMENTATION_NEEDED or mtu < _SMALLEST_MTU:
            return []
        sent = flow.limit_segments(direction, mtu - _HEADERS, now)
        self._flows.arm(tracked, flow)
        return self._sent(tracked, sent, None, now)

    def _other(self, packet: Ipv4Packet, direction: Direction, now: float) -> list[bytes]:
        """Protocols without ports: their addresses are translated where that can be told without one."""
        here = packet.source if direction is Direction.OUTWARD else packet.destination
        there = self._alg.table.address(direction, dotted(here))
        if there is None and direction is Direction.INWARD:
            return self._drop("no binding")
        self.counters[direction.label] += 1
        if there is None:
            return self._leave(direction, packet.data, now)
        return self._translated(packet, direction, Endpoint(there, 0), now)
