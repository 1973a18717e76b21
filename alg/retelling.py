"""A capture told as the other side of the ALG saw it: IPv4 packets in, translated packets out.

Strategy: a capture of one side shows both directions with that side's addresses. What has another address on the other
side is translated in both directions the same way: the source of its packets, the destination of those to it. TCP of a
SIP port first goes through its `RetoldFlow`. ICMP errors are translated with the packet that they quote (RFC 5508 4).
A packet of which none or both ends have another address, and what cannot be translated, goes on as it came; unless it
has an address of the other side: a capture of all interfaces of a router shows every packet there as well, and once is
enough. Every packet is counted once, by what became of it. Faults strike what went from this side to the other; what
came was on the other side before any fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from alg.connection import Alg
from alg.direction import Direction
from alg.dotted import dotted, in_packet, octets
from alg.errors import SegmentError
from alg.flow_table import FlowTable
from alg.nat.table import Endpoint, NatTable, Protocol, Use
from alg.tcp.datagram import IcmpMessage, QuotedPacket, UdpDatagram, parse_packet
from alg.tcp.fragments import FragmentQueue
from alg.tcp.offload import completed, with_length
from alg.tcp.packet import ICMP, TCP, UDP, Ipv4Packet, TcpSegment
from alg.tcp.readdress import Address, readdress, readdress_quoted
from alg.tcp.retelling import Retold, RetoldFlow
from alg.tcp.stream import StreamRewriter
from alg.trace import MessageRecord, Sink

_End = tuple[bytes, int | None]
"""An address in dotted decimal, and the port there if it is known."""
_PROTOCOLS = {TCP: Protocol.TCP, UDP: Protocol.UDP, ICMP: Protocol.ICMP}
_IP_HEADER = 20
"""Bytes of one without options."""
_LEAST_BYTES = {TCP: 20, UDP: 8}
"""Of its transport header that a packet which the capture has cut must show to be translated."""
_EXPIRY_INTERVAL = 10.0
"""seconds"""


class Counterpart(NamedTuple):
    """A packet as the other side saw it."""

    data: bytes
    records: tuple[MessageRecord, ...] = ()
    """Of the messages that have bytes in it, when these left for the first time."""
    missing: int = 0
    """Bytes at its end that the capture has cut off."""


class Mapped:
    """The endpoints that have another address on the other side; `way` is OUTWARD for those that are inside."""

    def __init__(self, table: NatTable, way: Direction) -> None:
        ends = [(entry.inside, entry.inside_port) for entry in table.config.maps]
        if way is Direction.INWARD:
            ends = [(entry.outside, entry.outside_port) for entry in table.config.maps]
        self.static = frozenset(str(address).encode() for address, _ in ends)
        """The addresses that maps name."""
        self._whole = frozenset(str(address).encode() for address, port in ends if port is None)
        self._ported = frozenset((str(address).encode(), port) for address, port in ends if port is not None)
        self._table = table
        self._way = way
        self._is_pooled = lru_cache(4096)(self._look_up)

    def _look_up(self, address: bytes) -> bool:
        """Whether it has its counterpart from the pool, as far as an address tells."""
        outside = self._table.is_outside(address)
        if self._way is Direction.INWARD:
            return outside and address not in self.static
        return bool(self._table.config.pool) and not outside and self._table.is_inside(address)

    def has(self, address: bytes, port: int | None = None) -> bool:
        """Whether an endpoint is one; without a port, whether the address is that of one."""
        return self._is_pooled(address) or self._is_static(address, port)

    def named(self, address: bytes, port: int | None = None) -> bool:
        """The same, of those that the configuration names: not whoever is in the networks that the pool translates."""
        return self._is_static(address, port) or (self._way is Direction.INWARD and self._is_pooled(address))

    def _is_static(self, address: bytes, port: int | None) -> bool:
        if address in self._whole:
            return True
        return address in self.static if port is None else (address, port) in self._ported


class Retelling:
    """Every IPv4 packet of a capture passes here; `way` is Direction.OUTWARD for one of the inside."""

    def __init__(self, alg: Alg, way: Direction, sink: Callable[[int], Sink]) -> None:
        self._alg = alg
        self._way = way
        self._sink = sink
        self._mapped = Mapped(alg.table, way)
        self._others = Mapped(alg.table, way.opposite)
        self._flows: FlowTable[RetoldFlow] = FlowTable(alg.config.nat.timeouts)
        self._fragments = FragmentQueue()
        self._parts: Counter[tuple[bytes, bytes, int, int]] = Counter()
        """Fragments by the packet that they wait for."""
        self._now = 0.0
        self._expired = 0.0
        """Seconds, when flows were last looked through."""
        self.connections = 0
        """TCP connections that were looked into."""
        self.held = 0
        """Bytes that have not left, for want of what comes before or behind them."""
        self.counters: Counter[str] = Counter()
        """Packets by what became of them."""

    @property
    def fragments_left(self) -> int:
        """Fragments whose packet is not complete, and did not leave."""
        return self._parts.total()

    def retell(self, data: bytes, now: float, missing: int = 0) -> list[Counterpart]:
        """One packet, and what stands for it; `missing` bytes at its end were cut off, link-layer padding included.

        `now` is when it was captured, in seconds; times that go back count as the latest.
        """
        self._now = max(self._now, now)
        if self._now - self._expired >= _EXPIRY_INTERVAL:
            self._expire()
        try:
            return self._retell(with_length(data), missing)
        except SegmentError as error:
            return self._as_it_came(data, f"damaged: {error.rule}" if not missing else "cut too short", missing)

    def _expire(self) -> None:
        """Forget what an ALG would have forgotten by now."""
        self._expired = self._now
        self._flows.expire(self._now)
        self._alg.expire(self._now, (tracked.inside for tracked in self._flows.standing()))

    def _as_it_came(self, data: bytes, fate: str, missing: int = 0) -> list[Counterpart]:
        self.counters[f"unchanged: {fate}"] += 1
        return [Counterpart(data, (), missing)]

    def _retell(self, data: bytes, missing: int) -> list[Counterpart]:
        lacking = min(missing, max(0, int.from_bytes(data[2:4], "big") - len(data))) if len(data) >= _IP_HEADER else 0
        packet = Ipv4Packet(data + bytes(lacking))
        ends = dotted(packet.source), dotted(packet.destination)
        if not any(self._mapped.has(end) or self._others.named(end) for end in ends):
            return self._as_it_came(packet.data[: len(packet.data) - lacking], "none or both ends mapped", lacking)
        if lacking:
            return self._retell_cut(packet, len(packet.data) - lacking)
        if packet.fragment:
            return self._fragment(packet)
        return self._translate(parse_packet(completed(packet)))

    def _fragment(self, packet: Ipv4Packet) -> list[Counterpart]:
        """A fragmented packet leaves whole, with the last of its fragments."""
        key = packet.source, packet.destination, packet.protocol, packet.identification
        whole = self._fragments.add(packet, self._now)
        if whole is None:
            self.counters["fragments"] += 1
            self._parts[key] += 1
            return []
        del self._parts[key]
        return self._translate(parse_packet(whole))

    def _retell_cut(self, packet: Ipv4Packet, there: int) -> list[Counterpart]:
        """A packet of which so many bytes are there; zeros, not to be looked at, stand for the others."""
        lacking = len(packet.data) - there
        if packet.fragment or there < packet.payload_at + _LEAST_BYTES.get(packet.protocol, len(packet.data)):
            return self._as_it_came(packet.data[:there], "cut too short", lacking)
        out = self._translate(parse_packet(packet.data), whole=False)
        return out[:-1] + [last._replace(data=last.data[:-lacking], missing=lacking) for last in out[-1:]]

    def _direction(self, source: _End, destination: _End) -> Direction | None:
        """Which way a packet goes, if exactly one of its ends has another address on the other side."""
        ours, theirs = self._mapped.has(*source), self._mapped.has(*destination)
        if ours == theirs:
            return None
        return Direction.OUTWARD if ours else Direction.INWARD

    def _not_translated(self, packet: Ipv4Packet, *ends: _End) -> list[Counterpart]:
        """A packet that goes no way: what is on the other side by its address is told by its like on this one."""
        if any(self._others.named(*end) for end in ends) and not any(self._mapped.has(*end) for end in ends):
            self.counters["left out: of the other side"] += 1
            return []
        return self._as_it_came(packet.data, "none or both ends mapped")

    def _translate(self, packet: Ipv4Packet, whole: bool = True) -> list[Counterpart]:
        if isinstance(packet, TcpSegment | UdpDatagram):
            return self._transport(packet, whole)
        if isinstance(packet, IcmpMessage) and packet.quoted is not None:
            return self._icmp_error(packet, packet.quoted)
        return self._other(packet)

    def _transport(self, packet: TcpSegment | UdpDatagram, whole: bool) -> list[Counterpart]:
        """TCP and UDP: find what stands for our end, rewrite what is SIP, translate."""
        source = Endpoint(dotted(packet.source), packet.source_port)
        destination = Endpoint(dotted(packet.destination), packet.destination_port)
        direction = self._direction(source, destination)
        if direction is None:
            return self._not_translated(packet, source, destination)
        here, remote = (source, destination) if direction is Direction.OUTWARD else (destination, source)
        there = self._alg.table.endpoint(self._way, _PROTOCOLS[packet.protocol], here, Use.CARRIED)
        if there is None:
            return self._as_it_came(packet.data, "without a binding")
        self.counters[direction.label] += 1
        if isinstance(packet, TcpSegment):
            key, ports = (here, remote), frozenset((here.port, there.port, remote.port))
            tracked = self._flows.find(key, there, direction, packet, self._now, lambda _: self._flow(ports))
            if tracked.flow is not None:
                retold = self._handled(tracked.flow, direction, packet, whole)
                return [Counterpart(_moved(Ipv4Packet(data), way, there), records) for way, data, records in retold]
        return [Counterpart(_moved(packet, direction, there))]

    def _flow(self, ports: frozenset[int]) -> RetoldFlow | None:
        """A connection between these ports, if the ALG looks into it."""
        if not self._alg.config.applies_to(ports):
            return None
        self.connections += 1

        def connect(direction: Direction, sink: Sink) -> StreamRewriter:
            connection = self._alg.connection(ports, sink, keep_deltas=True)
            if direction is not self._way:
                connection.injector = None
            return connection

        return RetoldFlow(self._way, connect, self._sink(self.connections))

    def _handled(self, flow: RetoldFlow, direction: Direction, segment: TcpSegment, whole: bool) -> list[Retold]:
        """A segment of a connection that is looked into."""
        before = flow.held
        retold = flow.handle(direction, segment, self._now, whole)
        self.held += flow.held - before
        return retold

    def _icmp_error(self, packet: IcmpMessage, quoted: QuotedPacket) -> list[Counterpart]:
        """An error about a packet that went the other way, which it quotes (RFC 5508 4.2)."""
        protocol = _PROTOCOLS.get(quoted.protocol)
        source = (dotted(quoted.source), quoted.source_port)
        destination = (dotted(quoted.destination), quoted.destination_port)
        about = self._direction(source, destination)
        (address, port), remote = (source, destination) if about is Direction.OUTWARD else (destination, source)
        if about is None or protocol is None or port is None:
            return self._other(packet)
        here = Endpoint(address, port)
        there = self._alg.table.endpoint(self._way, protocol, here, Use.QUOTED)
        if there is None:
            return self._as_it_came(packet.data, "without a binding")
        self.counters[about.opposite.label] += 1
        seq = quoted.seq
        tracked = self._flows.get((here, Endpoint(remote[0], remote[1] or 0)))
        if tracked is not None and tracked.flow is not None and seq is not None:
            seq = tracked.flow.outgoing_sequence(about, seq)
        if about is Direction.OUTWARD:
            data = readdress_quoted(packet, source=in_packet(there), seq=seq)
        else:
            data = readdress_quoted(packet, destination=in_packet(there), seq=seq)
        known = {address: there.address}
        ends = (self._address(packet.source, known), self._address(packet.destination, known))
        return [Counterpart(readdress(IcmpMessage(data), *ends))]

    def _other(self, packet: Ipv4Packet) -> list[Counterpart]:
        """ICMP queries by their identifier (RFC 5508 3.1); protocols without ports by the address alone."""
        source, destination = dotted(packet.source), dotted(packet.destination)
        direction = self._direction((source, None), (destination, None))
        if direction is None:
            return self._not_translated(packet, (source, None), (destination, None))
        address, there = source if direction is Direction.OUTWARD else destination, None
        if isinstance(packet, IcmpMessage) and packet.identifier is not None:
            here = Endpoint(address, packet.identifier)
            there = self._alg.table.endpoint(self._way, Protocol.ICMP, here, Use.CARRIED)
        elif (other := self._alg.table.address(self._way, address)) is not None:
            there = Endpoint(other, 0)
        if there is None:
            return self._as_it_came(packet.data, "without a binding")
        self.counters[direction.label] += 1
        return [Counterpart(_moved(packet, direction, there))]

    def _address(self, address: bytes, known: dict[bytes, bytes]) -> Address | None:
        """What stands for an address without a port, if it has another one on the other side."""
        text = dotted(address)
        there = known.get(text) or (self._alg.table.address(self._way, text) if self._mapped.has(text) else None)
        return None if there is None else Address(octets(there), 0)


def _moved(packet: Ipv4Packet, direction: Direction, there: Endpoint) -> bytes:
    """A packet from the other side's endpoint, or to it."""
    if direction is Direction.OUTWARD:
        return readdress(packet, source=in_packet(there))
    return readdress(packet, destination=in_packet(there))
